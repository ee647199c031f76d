"""Outcomes of proofs -> the verdict of the statement that they prove."""

from __future__ import annotations

import os
from collections.abc import Sequence

from proveskill.ledger import Case, Ledger
from proveskill.model import Failure, Statement, StatementVerdict
from proveskill.proof_index import Proof
from proveskill.proof_run import Outcome


def judge(
    statement: Statement, filename: str, cases: Sequence[Case], outcomes: Sequence[Outcome]
) -> StatementVerdict:
    """Return the verdict of a statement that has proofs: all of them must hold."""
    seconds = sum(outcome.seconds for outcome in outcomes)
    for case, outcome in zip(cases, outcomes, strict=True):
        if outcome.error is not None:
            failure = _failure(statement, filename, case, outcome)
            return StatementVerdict("failed", seconds, failure)
    return StatementVerdict("proven", seconds)


def unproven(statement: Statement, filename: str, ledger: Ledger) -> StatementVerdict:
    """Return the verdict of a statement that nobody proves though it must be proven."""
    message = "nothing proves this: write a proof that quotes it, make it concrete, or delete it"
    values = {"sentence": statement.text}
    if (orphan := ledger.orphans.get(statement.id)) is not None:
        proof, missing = orphan
        message = "its proof does not run: it also quotes a sentence that is not there any more"
        values |= {"also quoted": missing.text, "proof": _place(proof)}
    elif (elsewhere := ledger.meant_elsewhere(statement)) is not None:
        proof, found = elsewhere
        message = "nothing proves this row any more: its proof is for a table with another header"
        values |= {
            "header": statement.table or "",
            "proven is": f"{found.text} under {' or '.join(found.tables)}",
            "proof": _place(proof),
        }
    elif (meant := ledger.meant(statement)) is not None:
        proof, quote = meant
        message = "nothing proves this any more: the text, or the quote of its proof, has changed"
        values |= {"proven is": quote, "proof": _place(proof)}
    failure = Failure("Unproven", message, filename, statement.line, values=values)
    return StatementVerdict("unproven", failure=failure)


def proof_id(case: Case) -> str:
    """Return how a person names a proof."""
    return f"{_shown(case.proof.file)}::{case.proof.name}"


def _failure(statement: Statement, filename: str, case: Case, outcome: Outcome) -> Failure:
    error = dict(outcome.error or {})
    line = error.pop("line", None) or case.proof.line
    seen = {key: str(value) for key, value in error.pop("values").items()}
    stated = ", ".join(f"{name} = {value}" for name, value in case.values.items())
    values = {
        "sentence": statement.text,
        **({"states": stated} if stated else {}),
        **seen,
        "proof": f"{_shown(case.proof.file)}:{line} {case.proof.name}",
    }
    return Failure(
        type=error["type"],
        message=error["message"],
        file=filename,
        line=statement.line,
        sqlstate=error["sqlstate"],
        values=values,
        output=outcome.output,
    )


def _place(proof: Proof) -> str:
    return f"{_shown(proof.file)}:{proof.line} {proof.name}"


def _shown(file: os.PathLike[str]) -> str:
    return os.path.relpath(file)
