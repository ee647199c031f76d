"""What the report says of what fences print and return, and of the files that were run."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from engine_runs import Bench, fence, write_pack

CUT = 4_000
"""Characters that are kept of an output."""


def outputs(bench: Bench, folder: Path, text: str) -> list[dict[str, Any] | None]:
    write_pack(folder / "pack", text="# A\n\n## B\n\n" + text)
    report = folder / "report.json"
    run = bench.run(["verify", "pack", "--report", report], folder, report=report)
    return [record["output"] for record in run.records]


def test_what_a_fence_prints_is_in_the_report(bench: Bench, tmp_path: Path) -> None:
    (output,) = outputs(bench, tmp_path, fence("print('one')\nprint('two')"))
    assert output == {"printed": "one\ntwo\n", "result": None, "observed": []}


def test_what_expectations_see_is_in_the_report_with_its_line(bench: Bench, tmp_path: Path) -> None:
    (output,) = outputs(
        bench, tmp_path, fence("1 + 1  # -> 2\nprint('x')  # -> x\nint('y')  # raises ValueError")
    )
    # The front matter has 4 lines, and 5 more stand above the code.
    assert output is not None
    assert output["observed"] == [
        {"line": 10, "value": "2"},
        {"line": 11, "value": "x"},
        {"line": 12, "value": "ValueError: invalid literal for int() with base 10: 'y'"},
    ]


def test_a_failed_fence_reports_what_was_seen_before_it_failed(
    bench: Bench, tmp_path: Path
) -> None:
    (output,) = outputs(bench, tmp_path, fence("1  # -> 1\nprint('so far')\n2  # -> 3"))
    assert output == {
        "printed": "so far\n", "result": None, "observed": [{"line": 10, "value": "1"}],
    }  # fmt: skip


def test_the_value_that_a_text_fence_shows_is_in_the_report(bench: Bench, tmp_path: Path) -> None:
    first, second = outputs(bench, tmp_path, fence("[1, 2]") + fence("[1, 2]", "text"))
    assert first == {"printed": "", "result": "[1, 2]", "observed": []}
    assert second is None


def test_rows_and_errors_of_sql_are_in_the_report(bench: Bench, tmp_path: Path) -> None:
    (output,) = outputs(
        bench, tmp_path, fence("SELECT 7 AS n;  -- -> 7\nSELECT 1/0;  -- raises 22012", "sql")
    )
    assert output is not None
    assert output["result"] == " n\n---\n 7\n(1 row)"
    assert output["observed"] == [
        {"line": 10, "value": "7"},
        {"line": 11, "value": "DivisionByZero 22012: division by zero"},
    ]


def test_a_fence_that_is_only_parsed_has_no_output(bench: Bench, tmp_path: Path) -> None:
    assert outputs(bench, tmp_path, fence("{}", "json")) == [None]


@pytest.mark.parametrize("length", [CUT, CUT + 1])
def test_a_long_output_is_cut_and_says_how_long_it_was(
    bench: Bench, tmp_path: Path, length: int
) -> None:
    (output,) = outputs(bench, tmp_path, fence(f"print('x' * {length}, end='')"))
    assert output is not None
    cut = f"{'x' * CUT}… ({length} characters)"
    assert output["printed"] == (cut if length > CUT else "x" * CUT)


def test_the_report_holds_digests_of_texts_and_proofs(bench: Bench, tmp_path: Path) -> None:
    pack = write_pack(tmp_path / "pack", {"proofs": {"path": "proofs", "required": False}}, "Hi.\n")
    proof = pack / "proofs" / "test_it.py"
    proof.parent.mkdir()
    proof.write_text("")
    report = tmp_path / "report.json"
    run = bench.run(["verify", "pack", "--report", report], tmp_path, report=report)
    digests = {
        str(file.relative_to(pack)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in (pack / "skills" / "pack" / "SKILL.md", proof)
    }
    assert run.report["files"] == digests
