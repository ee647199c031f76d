"""Statements and proofs -> the account: who proves what, what nobody proves, who proves nothing."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from proveskill.advice import Advice
from proveskill.model import ManifestError, Statement
from proveskill.proof_index import Proof
from proveskill.quotes import BadQuote, Match, Quote


@dataclass(frozen=True)
class Case:
    """One run of a proof: with the values of the statements that it proves."""

    key: str
    """``7 test_pool.py::test_minimum[0.0]``: unique in its ledger."""
    proof: Proof
    matches: tuple[Match, ...]
    """One for each quote."""
    statements: tuple[Statement, ...]
    """What is proven: also statements elsewhere that say the same in the same words."""
    values: dict[str, str]


@dataclass
class Ledger:
    """The account of a pack. ``problems`` are entries that match nothing, ready to be printed."""

    cases: list[Case] = field(default_factory=list)
    by_statement: dict[str, list[Case]] = field(default_factory=lambda: defaultdict(list))
    advice: dict[str, Advice] = field(default_factory=dict)
    """By the id of the statement."""
    idle: list[tuple[Proof, Quote]] = field(default_factory=list)
    """Quotes that match nothing, and whose they are."""
    busy: list[tuple[Proof, Quote]] = field(default_factory=list)
    """Quotes that match something."""
    orphans: dict[str, tuple[Proof, Quote]] = field(default_factory=dict)
    """By id: statements whose proof does not run, because its other quote matches nothing."""
    problems: list[str] = field(default_factory=list)

    def cases_of(self, statement: Statement, adapter: str | None) -> list[Case]:
        """Return the runs that prove a statement for a variant of the pack."""
        cases = self.by_statement.get(statement.id, [])
        return [case for case in cases if case.proof.adapter in (None, adapter)]

    def meant_elsewhere(self, statement: Statement) -> tuple[Proof, Quote] | None:
        """Return the idle quote of a row's very words that is of tables with another header."""
        for proof, quote in self.idle:
            if quote.tables and quote.of_any_table().match(statement) is not None:
                return proof, quote
        return None

    def meant(self, statement: Statement) -> tuple[Proof, str] | None:
        """Return the quote that is most like a statement, if one is; an idle one if possible.

        One that is busy was meant where the same words still stand elsewhere.
        """
        for known, alike in ((self.idle, 0.6), (self.busy, 0.8)):
            quotes = {quote.literal: (proof, quote.text) for proof, quote in known}
            if near := difflib.get_close_matches(statement.text, quotes, 1, alike):
                return quotes[near[0]]
        return None


def make_ledger(
    statements: Sequence[Statement], proofs: Iterable[Proof], advice: Iterable[Advice], where: str
) -> Ledger:
    """Match both ways. ``where`` names the file of the advice in messages."""
    ledger = Ledger()
    by_text: dict[str, list[Statement]] = defaultdict(list)
    for statement in statements:
        by_text[statement.text].append(statement)
    for proof in proofs:
        _add_cases(ledger, proof, statements, by_text)
    for entry in advice:
        found = by_text.get(" ".join(entry.says.split()), [])
        if not found:
            hint = _nearest(entry.says, by_text)
            ledger.problems.append(
                f"{where}: this advice matches no statement: {entry.says!r}{hint}"
            )
        for statement in found:
            if statement.id in ledger.by_statement:
                proof = ledger.by_statement[statement.id][0].proof
                ledger.problems.append(
                    f"{where}: this is no advice, {proof.name} ({proof.file.name}:{proof.line}) "
                    f"proves it: {entry.says!r}"
                )
            ledger.advice[statement.id] = entry
    return ledger


def _add_cases(
    ledger: Ledger,
    proof: Proof,
    statements: Sequence[Statement],
    by_text: dict[str, list[Statement]],
) -> None:
    place = f"{proof.file}:{proof.line}: {proof.name}"
    found: list[list[Match]] = []
    for quote in proof.quotes:
        try:
            # Most quotes have no fields: then only the same words can be meant.
            possible = statements if quote.fields else by_text.get(quote.literal, [])
            matches = [match for s in possible if (match := quote.match(s)) is not None]
        except BadQuote as error:
            raise ManifestError(f"{place}: {error}: {quote.text!r}") from None
        if not matches:
            hint = _under_another_header(quote, statements) or _nearest(quote.literal, by_text)
            ledger.idle.append((proof, quote))
            ledger.problems.append(f"{place} quotes no statement: {quote.text!r}{hint}")
            found.append([])
            continue
        ledger.busy.append((proof, quote))
        # The same words elsewhere are the same statement.
        distinct = {(m.statement.text, m.statement.table): m for m in reversed(matches)}
        found.append(list(reversed(distinct.values())))
    if not all(found):
        missing = next(q for q, matches in zip(proof.quotes, found, strict=True) if not matches)
        ledger.orphans |= {m.statement.id: (proof, missing) for matches in found for m in matches}
        return
    for matches, quote in zip(found, proof.quotes, strict=True):
        header = next((m.statement.table for m in matches if m.statement.table is not None), None)
        if not quote.tables and header is not None:
            ledger.problems.append(
                f"{place}: {quote.text!r} is a row, which means what the head of its column says: "
                f"add table={header!r}"
            )
    if len(found) > 1 and any(len(matches) > 1 for matches in found):
        quote, matches = next((q, m) for q, m in zip(proof.quotes, found, strict=True) if m[1:])
        ledger.problems.append(
            f"{place}: of several quotes each must match one statement, but {quote.text!r} matches "
            f"{len(matches)}: {_place(matches[0].statement)}, {_place(matches[1].statement)}"
        )
        return
    groups = [(match,) for match in found[0]] if len(found) == 1 else [tuple(m[0] for m in found)]
    for position, group in enumerate(groups):
        _add_case(ledger, proof, position, group, by_text, place)


def _add_case(
    ledger: Ledger,
    proof: Proof,
    position: int,
    group: tuple[Match, ...],
    by_text: dict[str, list[Statement]],
    place: str,
) -> None:
    values: dict[str, str] = {}
    for match in group:
        for name, value in match.values.items():
            if values.setdefault(name, value) != value:
                ledger.problems.append(
                    f"{place}: {name} is {values[name]!r} in one of its statements, and {value!r} "
                    f"at {_place(match.statement)}"
                )
    same = [
        statement
        for match, quote in zip(group, proof.quotes, strict=True)
        for statement in by_text[match.statement.text]
        if quote.match(statement) is not None
    ]
    # Modules in two folders may have one name.
    key = f"{len(ledger.cases)} {proof.file.name}::{proof.name}[{proof.number}.{position}]"
    case = Case(key, proof, group, tuple(same), values)
    ledger.cases.append(case)
    for statement in same:
        ledger.by_statement[statement.id].append(case)


def _under_another_header(quote: Quote, statements: Iterable[Statement]) -> str:
    """Return the row that was meant, where the head of its table is not what the proof says."""
    for statement in statements if quote.tables else ():
        if statement.table is not None and quote.of_any_table().match(statement) is not None:
            return f"; {statement.text!r} ({_place(statement)}) is under {statement.table!r}"
    return ""


def _nearest(text: str, by_text: dict[str, list[Statement]]) -> str:
    """Return the statement that was meant, perhaps, with its place."""
    near = difflib.get_close_matches(text, by_text, 1, 0.6)
    return f"; the nearest is {near[0]!r} ({_place(by_text[near[0]][0])})" if near else ""


def _place(statement: Statement) -> str:
    return f"{statement.file.name}:{statement.line}"
