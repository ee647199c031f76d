"""What `proveskill site` refuses, and what it says of a run that is older than the text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from site_tools import Site, proveskill, write_files

SKILL = "small/SKILL.html"
OTHER = "small/references/other.html"


def test_a_text_that_has_changed_since_the_run_is_named(
    small: tuple[Path, Path], tmp_path: Path
) -> None:
    pack, report = small
    (pack / "skills/small/SKILL.md").open("a").write("\nMore.\n")
    run = proveskill("site", pack, "--report", report, "--out", tmp_path / "site")
    assert run.returncode == 0, run.stderr
    assert "note: skills/small/SKILL.md has changed since the run of" in run.stdout
    site = Site(tmp_path / "site")
    assert 'class="older"' in site.text(SKILL)
    assert 'class="older"' not in site.text(OTHER)
    assert "This run is older than the text of" in site.text("index.html")


def test_a_proof_that_has_changed_since_the_run_is_named(
    small: tuple[Path, Path], tmp_path: Path
) -> None:
    pack, report = small
    (pack / "proofs/test_small.py").open("a").write("\n# changed\n")
    run = proveskill("site", pack, "--report", report, "--out", tmp_path / "site")
    assert "note: proofs/test_small.py has changed since" in run.stdout
    assert 'class="older"' in Site(tmp_path / "site").text(OTHER)


def test_a_report_without_digests_is_compared_by_time(
    small: tuple[Path, Path], tmp_path: Path
) -> None:
    pack, report = small
    fields = json.loads(report.read_text())
    del fields["files"]
    fields["started"] = "2001-01-01T00:00:00Z"
    old = tmp_path / "old.json"
    old.write_text(json.dumps(fields))
    run = proveskill("site", pack, "--report", old, "--out", tmp_path / "site")
    assert run.stdout.count("has changed since the run of 2001-01-01T00:00:00Z") == 3


def test_a_link_that_leads_nowhere_fails_with_file_and_line(
    small: tuple[Path, Path], tmp_path: Path
) -> None:
    pack, report = small
    file = pack / "skills/small/SKILL.md"
    file.open("a").write("\n[gone](references/other.md#gone)\n")
    run = proveskill("site", pack, "--report", report, "--out", tmp_path / "site")
    assert run.returncode == 1
    line = file.read_text().count("\n")
    assert f"error: {file}:{line}: " in run.stderr
    assert "gone" in run.stderr


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "No such file"),
        ("{", "wrong.json:1: not JSON"),
        ("[]", "schema is None, not 1"),
        ('{"schema": 1, "pack": "small", "snippets": []}', "no 'started'"),
        ({"pack": "other"}, "is of the pack 'other'"),
    ],
)
def test_what_is_no_report_of_the_pack_is_refused_with_the_command_that_writes_one(
    small: tuple[Path, Path], tmp_path: Path, content: str | dict[str, str] | None, says: str
) -> None:
    report = tmp_path / "wrong.json"
    if isinstance(content, dict):
        content = json.dumps(json.loads(small[1].read_text()) | content)
    if content is not None:
        report.write_text(content)
    run = proveskill("site", small[0], "--report", report, "--out", tmp_path / "site")
    assert run.returncode == 2
    assert says in run.stderr
    assert f"write one: proveskill verify {small[0]} --report {report}" in run.stderr
    assert not (tmp_path / "site").exists()


def test_a_folder_that_is_no_site_is_left_alone(small: tuple[Path, Path], tmp_path: Path) -> None:
    out = write_files(tmp_path / "mine", {"letter.txt": "dear"})
    run = proveskill("site", small[0], "--report", small[1], "--out", out)
    assert run.returncode == 2
    assert f"{out}: not empty" in run.stderr
    assert [file.name for file in out.iterdir()] == ["letter.txt"]


def test_a_site_is_replaced_and_nothing_is_left_beside_it(
    small: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out" / "site"
    for _ in range(2):
        assert proveskill("site", small[0], "--report", small[1], "--out", out).returncode == 0
    assert [file.name for file in out.parent.iterdir()] == ["site"]
    assert not list(out.rglob(".doctrees"))


def test_a_page_that_cannot_be_read_is_named(small: tuple[Path, Path], tmp_path: Path) -> None:
    pack, report = small
    page = pack / "skills/small/references/odd.md"
    page.write_bytes(b"# \xff\n")
    run = proveskill("site", pack, "--report", report, "--out", tmp_path / "site")
    assert run.returncode == 2
    assert f"{page}: not UTF-8: " in run.stderr


def test_a_file_in_place_of_the_site_is_kept(small: tuple[Path, Path], tmp_path: Path) -> None:
    pack, report = small
    (tmp_path / "site").write_text("mine")
    run = proveskill("site", pack, "--report", report, "--out", tmp_path / "site")
    assert run.returncode == 2
    assert "name another --out" in run.stderr
    assert (tmp_path / "site").read_text() == "mine"
