"""``proveskill receipt --check``: whether the files are as they were."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_runs import Bench
from receipt_tools import (
    receipt_of,
)


def test_a_check_finds_every_file_as_it_was(bench: Bench, pack: Path) -> None:
    receipt_of(bench, pack)
    run = bench.run(["receipt", ".", "--check"], pack)
    assert (run.status, run.err) == (0, "")


def test_a_check_names_what_is_changed_new_and_missing(bench: Bench, pack: Path) -> None:
    receipt_of(bench, pack)
    skill = pack / "skills" / "pack"
    (skill / "new.txt").write_text("")
    (skill / "data.bin").unlink()
    (skill / "SKILL.md").write_text((skill / "SKILL.md").read_text() + "\n")
    run = bench.run(["receipt", ".", "--check"], pack)
    assert (run.status, run.out) == (1, "")
    assert run.err.splitlines() == [
        "error: skills/pack/SKILL.md: changed",
        "error: skills/pack/data.bin: missing",
        "error: skills/pack/new.txt: new",
        "verify the pack, then: proveskill receipt . --from REPORT",
    ]


@pytest.mark.parametrize(
    ("content", "says"), [(None, "VERIFIED.json: missing"), ("{}", "not a receipt")]
)
def test_a_check_without_a_receipt_fails(
    bench: Bench, pack: Path, content: str | None, says: str
) -> None:
    if content is not None:
        (pack / "skills" / "pack" / "VERIFIED.json").write_text(content)
    run = bench.run(["receipt", ".", "--check"], pack)
    assert run.status == 1
    assert says in run.err


def test_a_receipt_needs_a_report_or_a_check(bench: Bench, pack: Path) -> None:
    run = bench.run(["receipt", "."], pack)
    assert run.status == 2
    assert "one of the arguments --from --check is required" in run.err
