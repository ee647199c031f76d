"""Reports that are no ground for a receipt."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from engine_runs import Bench
from receipt_tools import (
    change,
    receive,
    refused,
    verify,
)


def test_a_run_that_failed_gives_no_receipt(bench: Bench, pack: Path) -> None:
    skill = pack / "skills" / "pack" / "SKILL.md"
    skill.write_text(skill.read_text().replace("2  # -> 2", "2  # -> 3"))
    assert verify(bench, pack).status == 1
    assert "the run has failed: 1 fences, 0 statements, 0 other problems" in refused(bench, pack)


def test_a_run_of_a_part_gives_no_receipt(bench: Bench, pack: Path) -> None:
    assert verify(bench, pack, "-k", "answer").status == 0
    assert "has no verdict: the report is of a part of the pack" in refused(bench, pack)


def test_a_run_without_a_variant_of_a_fence_gives_no_receipt(bench: Bench, pack: Path) -> None:
    report = json.loads((pack / "out.json").read_text())
    ask = [r for r in report["snippets"] if (r["id"], r["adapter"]) != ("SKILL#ask/1", "cured")]
    change(pack, snippets=ask)
    assert "SKILL#ask/1 has no verdict" in refused(bench, pack)


def test_a_run_without_a_statement_gives_no_receipt(bench: Bench, pack: Path) -> None:
    report = json.loads((pack / "out.json").read_text())
    change(pack, statements=[r for r in report["statements"] if not r["id"].endswith("/s2")])
    assert "SKILL#answer/s2 has no verdict" in refused(bench, pack)


@pytest.mark.parametrize("name", ["SKILL.md", "data.bin", "new.txt"])
def test_a_file_that_changed_since_the_run_gives_no_receipt(
    bench: Bench, pack: Path, name: str
) -> None:
    with (pack / "skills" / "pack" / name).open("a") as file:
        file.write("\n")
    assert f"pack: not what was run: {name}: verify the whole pack again" in refused(bench, pack)


def test_a_file_that_is_gone_since_the_run_gives_no_receipt(bench: Bench, pack: Path) -> None:
    (pack / "skills" / "pack" / "data.bin").unlink()
    assert "not what was run: data.bin" in refused(bench, pack)


def test_a_report_of_another_version_gives_no_receipt(bench: Bench, pack: Path) -> None:
    change(pack, version="0.9.0")
    assert "the report is of pack 0.9.0, the pack is pack 1.0.0" in refused(bench, pack)


def test_outdated_sections_give_no_receipt(bench: Bench, pack: Path) -> None:
    (pack / "skills" / "pack" / "sections.json").write_text("{}")
    assert "write it anew first: proveskill sections . --write" in refused(bench, pack)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot read out.json: No such file"),
        ("{", "out.json:1: not JSON"),
        ('{"schema": 1}', "out.json: no 'pack': not what verify --report writes"),
        ("[]", "out.json: no report of proveskill verify --report: schema is None, not 1"),
    ],
)
def test_what_is_no_report_is_a_usage_error(
    bench: Bench, pack: Path, content: str | None, says: str
) -> None:
    (pack / "out.json").unlink()
    if content is not None:
        (pack / "out.json").write_text(content)
    run = receive(bench, pack)
    assert (run.status, run.out) == (2, "")
    assert says in run.err


def test_a_report_with_an_entry_that_is_cut_is_a_usage_error(bench: Bench, pack: Path) -> None:
    change(pack, snippets=[{"id": "SKILL#answer/1"}])
    run = receive(bench, pack)
    assert (run.status, run.out) == (2, "")
    assert run.err == "error: out.json: an entry is not as verify --report writes it: 'adapter'\n"


def test_a_report_of_a_variant_that_the_pack_has_no_more_is_refused(
    bench: Bench, pack: Path
) -> None:
    manifest = pack / "skill.yaml"
    manifest.write_text(manifest.read_text().replace("cured:", "healed:"))
    assert "the pack has no variant cured: verify the whole pack again" in refused(bench, pack)


def test_a_report_without_a_verdict_of_any_fence_is_refused(bench: Bench, pack: Path) -> None:
    change(pack, snippets=[], statements=[])
    assert "SKILL#answer/1 has no verdict: the report is of a part" in refused(bench, pack)


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["receipt", ".", "--from", "out.json"], "VERIFIED"),
        (["sections", ".", "--write"], "sections"),
    ],
)
def test_what_cannot_be_written_is_named(
    bench: Bench, pack: Path, command: list[str], name: str
) -> None:
    file = pack / "skills" / "pack" / f"{name}.json"
    file.mkdir()
    run = bench.run(command, pack)
    assert (run.status, run.out) == (2, "")
    assert run.err == f"error: cannot write {file}: Is a directory\n"
