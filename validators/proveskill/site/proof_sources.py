"""Who proves a statement, and the source of that test."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from proveskill.account import Account
from proveskill.proof_index import Proof


@dataclass(frozen=True)
class ProofSource:
    """A test, as a reader of its sentence sees it."""

    name: str
    file: str
    """Path below the pack's root."""
    line: int
    """Of its first line, a decorator."""
    source: str
    adapter: str | None
    """The only variant that it is made for."""


def sources_of(statement_id: str, account: Account, root: Path) -> tuple[ProofSource, ...]:
    """Return the proofs of a statement, each test once, in the order of the files."""
    cases = account.ledger.by_statement.get(statement_id, [])
    proofs = {(case.proof.file, case.proof.line): case.proof for case in cases}
    return tuple(_source_of(proof, root) for _, proof in sorted(proofs.items()))


def _source_of(proof: Proof, root: Path) -> ProofSource:
    start, end = _lines_of(proof.file)[proof.line]
    lines = proof.file.read_text(encoding="utf-8").splitlines()[start - 1 : end]
    shown = proof.file.relative_to(root) if root in proof.file.parents else proof.file
    return ProofSource(proof.name, str(shown), start, "\n".join(lines) + "\n", proof.adapter)


@cache
def _lines_of(file: Path) -> dict[int, tuple[int, int]]:
    """Return first line with decorators and last line of each function, by the line of its def."""
    return {
        node.lineno: (min([node.lineno, *(d.lineno for d in node.decorator_list)]), node.end_lineno)
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
    }
