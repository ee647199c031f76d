"""Proofs and the account of them: every file of ``proof_cases/`` is a case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from engine_runs import SQL, Bench, Run
from proof_runs import TextCase, check_proof_case, write_proof_pack

PROOF = """\
from proveskill import proves


@proves("The answer is {answer}.")
def test_answer(answer: int) -> None:
    assert answer == 42
"""


def test_proof_case(proof_case: TextCase, proof_cases_run: Run) -> None:
    check_proof_case(proof_case, proof_cases_run)


def test_the_engine_itself_never_fails_in_a_proof(proof_cases_run: Run) -> None:
    assert "Traceback" not in proof_cases_run.err
    assert proof_cases_run.left_processes == ()
    assert proof_cases_run.left_files == ()


def test_failures_of_statements_are_short(proof_cases_run: Run) -> None:
    from engine_cases import failure_blocks

    blocks = failure_blocks(proof_cases_run.out)
    assert len(blocks) > 10
    assert [b for b in blocks.values() if b.count("\n") >= 15 or len(b.encode()) > 700] == []


def verify(bench: Bench, root: Path, *more: str, **changes: Any) -> Run:
    report = root / "out.json"
    return bench.run(["verify", "--report", report, *more], root, report=report)


def test_a_pack_whose_statements_are_proven_passes(bench: Bench, tmp_path: Path) -> None:
    run = verify(bench, write_proof_pack(tmp_path / "p", PROOF, "The answer is 42.\n"))
    assert (run.status, run.report["ok"]) == (0, True)
    assert run.report["totals"]["statements"]["proven"] == 1
    assert run.report["statements"][0]["proofs"] == ["proofs/test_it.py::test_answer"]


def test_a_changed_word_names_what_is_proven(bench: Bench, tmp_path: Path) -> None:
    run = verify(bench, write_proof_pack(tmp_path / "p", PROOF, "The reply is 42.\n"))
    assert run.status == 1
    assert "SKILL.md:5: Unproven" in run.out
    assert "proven is: The answer is {answer}." in run.out


def test_a_statement_whose_proof_quotes_another_that_is_gone_says_so(
    bench: Bench, tmp_path: Path
) -> None:
    source = PROOF.replace('"The answer is {answer}."', '"The answer is {answer}.", "Or so."')
    run = verify(bench, write_proof_pack(tmp_path / "p", source, "The answer is 42.\n"))
    assert run.status == 1
    assert "its proof does not run: it also quotes a sentence that is not there" in run.out
    assert "also quoted: Or so." in run.out


def test_a_change_in_one_of_two_places_names_what_is_proven(bench: Bench, tmp_path: Path) -> None:
    text = "The answer is 42.\n\n## Again\n\nThe answers is 42.\n"
    run = verify(bench, write_proof_pack(tmp_path / "p", PROOF, text))
    assert "SKILL.md:9: Unproven" in run.out
    assert "proven is: The answer is {answer}." in run.out


def test_a_proof_that_quotes_nothing_fails(bench: Bench, tmp_path: Path) -> None:
    run = verify(bench, write_proof_pack(tmp_path / "p", PROOF, "", required=False))
    assert run.status == 1
    assert "test_it.py:5: test_answer quotes no statement: 'The answer is {answer}.'" in run.out


def test_a_misquoted_sentence_names_the_nearest(bench: Bench, tmp_path: Path) -> None:
    text = "The anser is 42.\n"
    run = verify(bench, write_proof_pack(tmp_path / "p", PROOF, text, required=False))
    assert "the nearest is 'The anser is 42.' (SKILL.md:5)" in run.out


def test_a_new_sentence_is_unproven(bench: Bench, tmp_path: Path) -> None:
    run = verify(bench, write_proof_pack(tmp_path / "p", PROOF, "The answer is 42. So what?\n"))
    assert run.status == 1
    assert "nothing proves this: write a proof that quotes it" in run.out
    assert "sentence: So what?" in run.out


def test_advice_with_a_reason_need_not_be_proven(bench: Bench, tmp_path: Path) -> None:
    advice = "- {says: Think first., reason: it is advice}\n"
    text = "The answer is 42. Think first.\n"
    run = verify(bench, write_proof_pack(tmp_path / "p", PROOF, text, advice))
    assert run.status == 0
    records = {s["text"]: (s["verdict"], s["reason"]) for s in run.report["statements"]}
    assert records["Think first."] == ("advice", "it is advice")


@pytest.mark.parametrize(
    ("advice", "message"),
    [
        ("- {says: Think twice., reason: why not}", "this advice matches no statement"),
        ("- {says: The answer is 42., reason: why not}", "this is no advice, test_answer"),
        ("- {says: Think first.}", "entry 1 is not {says: ..., reason: ...}"),
        ("- {says: Think first., reason: ''}", "entry 1 is not {says: ..., reason: ...}"),
        ("says: Think first.", "not a list of advice"),
        ("- [", "advice.yaml"),
    ],
)
def test_wrong_advice_is_refused(bench: Bench, tmp_path: Path, advice: str, message: str) -> None:
    text = "The answer is 42. Think first.\n"
    run = verify(bench, write_proof_pack(tmp_path / "p", PROOF, text, advice, required=False))
    assert run.status in (1, 2)
    assert message in run.text


def test_advice_has_a_budget(bench: Bench, tmp_path: Path) -> None:
    advice = "- {says: Think first., reason: it is advice}\n"
    root = write_proof_pack(tmp_path / "p", PROOF, "The answer is 42. Think first.\n", advice)
    manifest = root / "skill.yaml"
    manifest.write_text(manifest.read_text() + "budgets: {advice: 0.4}\n")
    run = verify(bench, root)
    assert run.status == 1
    assert (
        "1 of 2 statements (50.0%) are listed as advice, more than the budget of 40.0%" in run.out
    )


BAD_PROOFS = {
    "no argument takes the value 'n'": '@proves("A {n}.")\ndef test_it() -> None:\n    assert 1',
    "takes literal strings": 'TEXT = "x"\n\n\n@proves(TEXT)\ndef test_it() -> None:\n    assert 1',
    "one quote at least": "@proves()\ndef test_it() -> None:\n    assert 1",
    "does not take 'sections'": '@proves("x", sections="y")\ndef test_it() -> None:\n    assert 1',
    "a field without a name": '@proves("A {} b.")\ndef test_it() -> None:\n    assert 1',
    "is written twice": '@proves("A { b.")\ndef test_it() -> None:\n    assert 1',
    "a proof is a function test_": '@proves("A.")\ndef check_it() -> None:\n    assert 1',
    "no adapter 'other'": '@proves("x", adapter="other")\ndef test_it() -> None:\n    assert 1',
    "needs the same fields": (
        '@proves("A {a}.")\n@proves("B {b}.")\ndef test_it(a: int, b: int) -> None:\n    assert a'
    ),
    "invalid syntax": "def test_it() -> None:\n    assert or",
}


@pytest.mark.parametrize("message", BAD_PROOFS)
def test_a_proof_that_cannot_be_read_is_refused_by_file_and_line(
    bench: Bench, tmp_path: Path, message: str
) -> None:
    source = f"from proveskill import proves\n\n\n{BAD_PROOFS[message]}\n"
    run = verify(bench, write_proof_pack(tmp_path / "p", source, "It is 1.\n"))
    assert run.status == 2, run.text
    assert message in run.err
    assert "proofs/test_it.py:" in run.err


def test_a_value_that_two_sentences_state_must_be_the_same(bench: Bench, tmp_path: Path) -> None:
    source = PROOF.replace('"The answer is {answer}."', '"The answer is {answer}.", "So {answer}!"')
    run = verify(bench, write_proof_pack(tmp_path / "p", source, "The answer is 42. So 43!\n"))
    assert run.status == 1
    assert "answer is '42' in one of its statements, and '43' at SKILL.md:5" in run.out


def test_only_the_named_files_must_be_proven(bench: Bench, tmp_path: Path) -> None:
    root = write_proof_pack(tmp_path / "p", PROOF, "The answer is 42.\n", required=["SKILL"])
    other = root / "skills" / "p" / "references" / "other.md"
    other.write_text("Who knows?\n")
    run = verify(bench, root)
    assert run.status == 0
    assert run.report["totals"]["statements"] | {"advice": 0} == {
        "proven": 1, "advice": 0, "unproven": 1, "failed": 0
    }  # fmt: skip


def test_a_file_that_must_be_proven_has_to_exist(bench: Bench, tmp_path: Path) -> None:
    root = write_proof_pack(tmp_path / "p", PROOF, "The answer is 42.\n", required=["OTHER"])
    run = verify(bench, root)
    assert run.status == 2
    assert "proofs.required: no file 'OTHER'; known: SKILL" in run.err


def test_k_selects_by_the_name_of_a_proof(bench: Bench, tmp_path: Path) -> None:
    text = "The answer is 42. So what?\n"
    run = verify(bench, write_proof_pack(tmp_path / "p", PROOF, text), "-k", "test_answer")
    assert run.status == 0
    assert [s["verdict"] for s in run.report["statements"]] == ["proven"]


def test_lf_runs_only_the_statements_that_failed(bench: Bench, tmp_path: Path) -> None:
    text = "The answer is 43. The answer is 42.\n"
    root = write_proof_pack(tmp_path / "p", PROOF, text)
    assert verify(bench, root).status == 1
    again = verify(bench, root, "--lf")
    assert [(s["text"], s["verdict"]) for s in again.report["statements"]] == [
        ("The answer is 43.", "failed")
    ]


def test_the_command_of_a_failure_runs_that_statement_again(bench: Bench, tmp_path: Path) -> None:
    root = write_proof_pack(tmp_path / "p", PROOF, "The answer is 42. The answer is 43.\n")
    (failed,) = [s for s in verify(bench, root).report["statements"] if s["error"]]
    target = failed["error"]["rerun"].split(" verify ")[1]
    again = verify(bench, root, target)
    assert [s["text"] for s in again.report["statements"]] == ["The answer is 43."]


def test_proofs_share_a_database_of_their_module(bench: Bench, tmp_path: Path) -> None:
    source = """\
import os

import psycopg
import pytest
from proveskill import proves


@pytest.fixture
def connection():
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        yield connection


@proves("The table has {rows} rows.")
def test_rows(connection, rows: int) -> None:
    connection.execute("CREATE TABLE t AS SELECT generate_series(1, 3)")
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (rows,)


@proves("It is still there.")
def test_still(connection) -> None:
    assert connection.execute("SELECT to_regclass('t') IS NOT NULL").fetchone() == (True,)


@proves("Division fails with {state}.")
def test_state(connection, state: str) -> None:
    connection.execute("SELECT 1 / 0")
    assert state
"""
    text = "The table has 3 rows. It is still there. Division fails with 22012.\n\n" + SQL
    run = verify(bench, write_proof_pack(tmp_path / "p", source, text))
    assert [s["verdict"] for s in run.report["statements"]] == ["proven", "proven", "failed"]
    assert run.report["statements"][2]["error"]["sqlstate"] == "22012"
    assert run.left_processes == ()
