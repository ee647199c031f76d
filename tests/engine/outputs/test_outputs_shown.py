"""What people look at: the summary, the badge and the annotations."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

from engine_runs import (
    Bench,
    Run,
    fence,
    passes,
    write_pack,
    write_skill,
)
from output_tools import FILES, RED_FILE, results


def test_the_summary_tells_what_is_wrong_and_where(red: Run) -> None:
    text = (red.folder / FILES["summary"]).read_text()
    headline = (
        "## ❌ red: 2 fences failed, 1 statement failed, 1 statement unproven, 1 check failed"
    )
    assert text.startswith(headline + ", 1 problem of the pack\n")
    assert f"| `{RED_FILE}:14` | **ExpectationFailed** expected -\\> 3" in text.replace(
        "-&gt;", "-\\>"
    )


def test_the_summary_cannot_be_broken_by_a_message(red: Run) -> None:
    text = (red.folder / FILES["summary"]).read_text()
    (row,) = [line for line in text.splitlines() if f"`{RED_FILE}:18`" in line]
    assert "100%, &lt;b&gt; \\| \\`x\\` at second: line" in row
    assert len(re.findall(r"(?<!\\)\|", row)) == 3
    assert "\x1b" not in text


def test_the_summary_of_a_green_run_says_what_was_proven(green: Run) -> None:
    text = (green.folder / FILES["summary"]).read_text()
    assert text.startswith("## ✅ green: 2 fences proven\n")


def test_the_step_summary_is_added_to_what_is_there(bench: Bench, tmp_path: Path) -> None:
    root = write_pack(tmp_path / "pack", text=passes())
    page = tmp_path / "page.md"
    page.write_text("before")
    bench.run(["verify"], root, GITHUB_STEP_SUMMARY=str(page))
    text = page.read_text()
    assert text.startswith("before\n## ✅ pack: 1 fence proven\n")
    assert list(tmp_path.glob(".page*")) == []


def test_a_fence_that_is_proven_on_two_variants_is_one(bench: Bench, tmp_path: Path) -> None:
    adapters = {"adapters": {"stock": {}, "other": {}}}
    root = write_pack(tmp_path / "pack", adapters, passes())
    run = bench.run(["verify", "--adapter", "both", "--summary", "s.md"], root)
    assert "2 fences: 2 passed" in run.out
    assert (root / "s.md").read_text().startswith("## ✅ pack: 1 fence proven\n")


def test_the_badge_says_the_same_to_eyes_and_ears(red: Run, green: Run) -> None:
    for run, says, colour in (
        (red, "2 fences failed, 1 statement failed", "#c62828"),
        (green, "2 fences proven", "#2e7d32"),
    ):
        root = ET.parse(run.folder / FILES["badge"]).getroot()
        texts = [element.text or "" for element in root.findall(".//{*}text")]
        title = root.find("{*}title")
        assert title is not None
        assert title.text == ": ".join(texts)
        assert (root.get("role"), root.get("aria-labelledby")) == ("img", title.get("id"))
        assert texts[1].startswith(says)
        assert colour in [rect.get("fill") for rect in root.findall(".//{*}rect")]


def test_the_badge_of_what_is_only_parsed_is_not_green(bench: Bench, tmp_path: Path) -> None:
    write_skill(tmp_path / "skill", fence("session.commit()"))
    bench.run(["verify", "skill", "--run", "possible", "--badge", "badge.svg"], tmp_path)
    text = (tmp_path / "badge.svg").read_text()
    assert ("1 fence parsed" in text, "#2e7d32" in text) == (True, False)


def test_annotations_name_the_file_from_the_root_of_the_repository(red: Run) -> None:
    found = [line for line in red.out.splitlines() if line.startswith("::")]
    assert f"::error file={RED_FILE},line=14,title=ExpectationFailed::" in "\n".join(found)
    assert len(found) == len(results(red))
