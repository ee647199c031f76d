"""What a statement is: every file of ``statement_cases/`` is a case."""

from __future__ import annotations

from pathlib import Path

from engine_runs import Bench, Run, passes, write_pack
from proof_runs import TextCase, statements_of


def test_statement_case(statement_case: TextCase, statement_cases_run: Run) -> None:
    records = statements_of(statement_cases_run, statement_case.name)
    assert [[s["line"], s["text"]] for s in records] == statement_case.statements


def test_a_pack_without_proofs_has_unproven_statements_and_does_not_fail(
    statement_cases_run: Run,
) -> None:
    totals = statement_cases_run.report["totals"]["statements"]
    verdicts = {record["verdict"] for record in statement_cases_run.report["statements"]}
    assert (statement_cases_run.status, verdicts) == (0, {"unproven"})
    assert totals["unproven"] == len(statement_cases_run.report["statements"]) > 20
    assert f"{totals['unproven']} statements: 0 proven" in statement_cases_run.out


def test_with_require_proofs_unproven_statements_fail(bench: Bench, tmp_path: Path) -> None:
    root = write_pack(tmp_path / "pack", text=f"It is so.\n\n{passes()}")
    run = bench.run(["verify", "--require-proofs"], root)
    assert run.status == 1
    assert "SKILL.md:5: Unproven" in run.out
    assert "sentence: It is so." in run.out
