"""Published results in performance.md."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bench_tools import run
from guidance import ROOT
from suite.guidance import PUBLISHED, TABLES, read_published, with_tables

TEXT = ROOT / "skills" / "sqlspec-psqlpy" / "references" / "performance.md"


def test_the_text_holds_the_tables_of_the_published_results() -> None:
    text = TEXT.read_text(encoding="utf-8")
    assert with_tables(text, *read_published()) == text, "run: make bench-publish ARGS=" + str(
        PUBLISHED.relative_to(ROOT)
    )


def test_a_table_that_was_changed_by_hand_is_written_anew() -> None:
    text = TEXT.read_text(encoding="utf-8")
    work = next(iter(TABLES[0].rows))
    changed = text.replace(f"| {work} |", f"| {work} | 9.99-9.99 |")
    assert changed != text
    assert with_tables(changed, *read_published()) == text


def test_a_text_without_a_table_is_refused_by_its_head() -> None:
    text = TEXT.read_text(encoding="utf-8").replace("| Arrow |", "| Arrows |")
    with pytest.raises(LookupError, match=r"\| Arrow \| the drop-in"):
        with_tables(text, *read_published())


def test_results_of_a_quick_run_are_not_published(tmp_path: Path) -> None:
    quick = tmp_path / "quick.json"
    quick.write_text(PUBLISHED.read_text().replace('"bench_mode":"full"', '"bench_mode":"quick"'))
    before = TEXT.read_bytes()
    done = run("publish.py", quick)
    assert (done.returncode, TEXT.read_bytes()) == (1, before)
    assert "make bench" in done.stderr


def test_a_file_that_is_missing_is_named() -> None:
    done = run("publish.py", "nowhere.json")
    assert done.returncode == 2
    assert "nowhere.json" in done.stderr


def test_publishing_the_published_results_changes_nothing(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs benchmarks/adapter.txt: make test installs it")
    for part in ("benchmarks", "skills"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    names = ("benchmarks/results/published.json", "skills/sqlspec-psqlpy/references/performance.md")
    chart = "skills/sqlspec-psqlpy/assets/performance.svg"
    before = [(tmp_path / name).read_bytes() for name in (*names, chart)]
    script = tmp_path / "benchmarks" / "publish.py"
    subprocess.run([sys.executable, script, tmp_path / names[0]], check=True, capture_output=True)
    assert [(tmp_path / name).read_bytes() for name in (*names, chart)] == before
