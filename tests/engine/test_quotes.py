"""What a quote finds, and what is said of one that finds nothing, too much or a row."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_runs import Bench
from proof_runs import PROOF, verify, write_proof_pack


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


ROWS = """\
from proveskill import proves


@proves("`{key}` | {seconds}")
def test_waits(key: str, seconds: int) -> None:
    assert {"connect": 5, "query": 15}[key] == seconds
"""
NAMED = ROWS.replace('seconds}")', 'seconds}", table="Key | Seconds")')
TABLE = """\
| Key | Seconds |
|---|---|
| `connect` | 5 |
| `query` | 15 |
"""


def test_a_quote_of_a_row_without_its_header_is_a_problem(bench: Bench, tmp_path: Path) -> None:
    run = verify(bench, write_proof_pack(tmp_path / "p", ROWS, TABLE))
    assert run.status == 1
    assert {statement["verdict"] for statement in run.report["statements"]} == {"proven"}
    [problem] = run.report["problems"]
    assert problem.endswith(
        "proofs/test_it.py:5: test_waits: '`{key}` | {seconds}' is a row, which means what the "
        "head of its column says: add table='Key | Seconds'"
    )


def test_a_quote_of_a_row_with_its_header_is_no_problem(bench: Bench, tmp_path: Path) -> None:
    run = verify(bench, write_proof_pack(tmp_path / "p", NAMED, TABLE))
    assert (run.status, run.report["problems"]) == (0, [])


def test_a_row_is_a_problem_also_where_a_sentence_says_the_same(
    bench: Bench, tmp_path: Path
) -> None:
    source = PROOF.replace("answer is {answer}.", "{answer}").replace('"The ', '"')
    text = "42\n\n| Answer |\n|---|\n| 42 |\n"
    run = verify(bench, write_proof_pack(tmp_path / "p", source, text))
    assert run.status == 1
    assert "add table='Answer'" in run.out


def test_a_changed_header_is_named_beside_the_quote(bench: Bench, tmp_path: Path) -> None:
    text = TABLE.replace("Seconds", "Milliseconds")
    run = verify(bench, write_proof_pack(tmp_path / "p", NAMED, text))
    assert run.status == 1
    assert "SKILL.md:7: Unproven" in run.out
    assert (
        "test_waits quotes no statement: '`{key}` | {seconds}'; '`connect` | 5' (SKILL.md:7) is "
        "under 'Key | Milliseconds'"
    ) in run.out
