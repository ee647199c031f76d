"""What no single item can say: budgets, excuses, proofs of nothing, statements that nobody ran."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest

from proveskill.items import needs_item
from proveskill.manifest import Manifest
from proveskill.markdown import read_document
from proveskill.model import ManifestError, Section
from proveskill.pack import Pack
from proveskill.render import shown_path
from proveskill.report import StatementRecord, statement_record
from proveskill.session import Session


def problems_of(state: Session, session: pytest.Session, fences: int) -> list[str]:
    """Return what is wrong with the packs as a whole, ready to be printed."""
    return [
        *_over_budget(state, fences),
        *_useless_excuses(state),
        *_account_problems(state, session),
    ]


def _over_budget(state: Session, fences: int) -> list[str]:
    pack: Pack | None = next(iter(state.all_packs), None)
    not_run = len({r["id"] for r in state.records if r["marked"] and r["verdict"] == "not_run"})
    if pack is None or not fences or not_run / fences <= pack.manifest.not_run_budget:
        return []
    share = f"{not_run / fences:.1%}"
    return [
        f"{not_run} of {fences} fences ({share}) are marked 'not run', more than the budget of "
        f"{pack.manifest.not_run_budget:.1%} in {pack.manifest.file}: make them run"
    ]


def unrun_statements(state: Session, session: pytest.Session) -> list[StatementRecord]:
    """Return the records of statements that no item stands for: advice, and what need not hold."""
    if session.config.getoption("keyword") or not state.packs:
        return []
    reported = {record["id"] for record in state.statements}
    here = session.config.invocation_params.dir
    records = []
    for section in state.sections or _sections_elsewhere(state, session):
        pack = state.packs_of(section.file)[0]
        for statement in section.statements:
            if statement.id in reported or needs_item(statement, pack):
                continue
            advice = pack.account.ledger.advice.get(statement.id)
            verdict, reason = ("advice", advice.reason) if advice else ("unproven", None)
            file = shown_path(section.file, here)
            records.append(statement_record(statement, file, pack.adapter, verdict, reason))
    return records


def _selected(files: list[Path], session: pytest.Session) -> list[Path]:
    """Return the files that the arguments of the run name, or their folders."""
    here = session.config.invocation_params.dir
    wanted = {(here / argument.partition("::")[0]).resolve() for argument in session.config.args}
    return [file for file in files if wanted & {file, *file.parents}]


def _sections_elsewhere(state: Session, session: pytest.Session) -> list[Section]:
    """Return the sections that other processes have collected, pytest-xdist's."""
    return [
        section
        for pack, *_ in state.packs.values()
        for file in _selected(pack.manifest.files(), session)
        for section in read_document(file, pack.manifest.name_of(file)).sections
    ]


def _account_problems(state: Session, session: pytest.Session) -> list[str]:
    """Return what is wrong with proofs and advice, for a run over the whole pack."""
    option = session.config.getoption
    if option("keyword") or any("::" in argument for argument in session.config.args):
        return []
    found: list[str] = []
    for pack, *_ in state.packs.values():
        files = pack.manifest.files()
        if len(_selected(files, session)) < len(files):
            continue
        ledger, manifest = pack.account.ledger, pack.manifest
        found += ledger.problems
        share = len(ledger.advice) / max(1, len(pack.account.statements))
        if share > manifest.advice_budget:
            found.append(
                f"{len(ledger.advice)} of {len(pack.account.statements)} statements ({share:.1%}) "
                f"are listed as advice, more than the budget of {manifest.advice_budget:.1%} in "
                f"{manifest.file}: prove them, or delete them"
            )
        if manifest.matrix is not None:
            found += _unsaid_versions(manifest, ledger.advice)
    return found


def _unsaid_versions(manifest: Manifest, advice: Collection[str]) -> list[str]:
    from proveskill.matrix_sayings import unsaid
    from proveskill.matrix_sets import read_matrix

    try:
        return list(unsaid(manifest, read_matrix(manifest), advice))
    except ManifestError as error:
        return [str(error)]


def _useless_excuses(state: Session) -> list[str]:
    held = {(r["adapter"], r["id"]) for r in state.records if r["verdict"] == "passed"}
    known = {snippet.id for section in state.sections for snippet in section.snippets}
    read = {identifier.partition("#")[0] for identifier in known}
    return [
        f"{pack.manifest.file}: adapters.{pack.adapter}.faults: {identifier}: {why}"
        for pack in state.all_packs
        for identifier in pack.variant.faults
        if (
            why := "it holds: remove the entry"
            if (pack.adapter, identifier) in held
            else "there is no such fence"
            if identifier not in known and identifier.partition("#")[0] in read
            else ""
        )
    ]
