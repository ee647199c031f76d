"""Proofs and the account of them: every file of ``proof_cases/`` is a case."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_runs import SQL, Bench, Run
from proof_runs import PROOF, TextCase, check_proof_case, verify, write_proof_pack


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


def test_a_pack_whose_statements_are_proven_passes(bench: Bench, tmp_path: Path) -> None:
    run = verify(bench, write_proof_pack(tmp_path / "p", PROOF, "The answer is 42.\n"))
    assert (run.status, run.report["ok"]) == (0, True)
    assert run.report["totals"]["statements"]["proven"] == 1
    assert run.report["statements"][0]["proofs"] == ["proofs/test_it.py::test_answer"]


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


SIDES = """\
from proveskill import proves
from tools import SIDES


@proves("A {name} has {{sides}} sides.")
def test_sides(sides: int) -> None:
    assert SIDES == sides
"""


def test_modules_of_one_name_in_two_folders_are_both_run(bench: Bench, tmp_path: Path) -> None:
    modules = {f"{name}s/shape": SIDES.format(name=name) for name in ("square", "triangle")}
    root = write_proof_pack(
        tmp_path / "p", modules, "A square has 4 sides. A triangle has 4 sides."
    )
    for name, sides in (("square", 4), ("triangle", 3)):
        (root / "proofs" / f"{name}s" / "tools.py").write_text(f"SIDES = {sides}\n")
    found = {s["text"]: s for s in verify(bench, root).report["statements"]}
    square, triangle = found["A square has 4 sides."], found["A triangle has 4 sides."]
    assert (square["verdict"], triangle["verdict"]) == ("proven", "failed")
    assert square["proofs"] == ["proofs/squares/test_shape.py::test_sides"]
    assert triangle["error"]["values"]["observed"] == "3"
    assert triangle["error"]["values"]["proof"] == "proofs/triangles/test_shape.py:7 test_sides"


def test_a_module_in_a_folder_gets_the_servers_that_its_conftest_asks_for(
    bench: Bench, tmp_path: Path
) -> None:
    source = PROOF.replace("test_answer(", "test_answer(connection, ").replace(
        "assert answer == 42", 'assert connection.execute("SELECT 42").fetchone() == (answer,)'
    )
    root = write_proof_pack(tmp_path / "p", {"inner/it": source}, "The answer is 42.\n")
    (root / "proofs" / "inner" / "conftest.py").write_text(
        "import os\n\nimport psycopg\nimport pytest\n\n\n@pytest.fixture\ndef connection():\n"
        "    with psycopg.connect(os.environ['DATABASE_URL']) as connection:\n"
        "        yield connection\n"
    )
    run = verify(bench, root)
    assert run.status == 0, run.text
