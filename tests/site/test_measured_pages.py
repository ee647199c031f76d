"""The pages of docs/: what was measured, or how to measure it."""

from __future__ import annotations

import json
import re
import sys
from html import unescape
from pathlib import Path

import pytest
from site_tools import ROOT, Site, proveskill

PROMISES = {
    "started": "2026-01-02T03:04:05Z",
    "packages": {"sqlspec": "1.2.3"},
    "promises": [
        {"id": "P01", "text": "a first", "stock": "broken in 2 of 3", "bundled": "kept in 3"}
    ],
}


def build(small: tuple[Path, Path], out: Path, **files: Path) -> Site:
    """Make the pages of docs/ around the small pack."""
    changes = {name: str(files.get(name, out / "none")) for name in ("PROMISES", "RESULTS")}
    arguments = ["--docs", ROOT / "docs", "--report", small[1], "--out", out]
    run = proveskill("site", small[0], *arguments, **changes)
    assert run.returncode == 0, run.stdout + run.stderr
    return Site(out)


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_pages_of_what_was_not_measured_say_how_to_measure_it(
    small: tuple[Path, Path], tmp_path: Path
) -> None:
    site = build(small, tmp_path / "site")
    assert "make docs-promises docs" in words(site.text("promises.html"))
    assert "make bench docs" in words(site.text("benchmarks.html"))


def test_stored_promises_are_a_table_with_the_time_and_versions_of_their_run(
    small: tuple[Path, Path], tmp_path: Path
) -> None:
    file = tmp_path / "promises.json"
    file.write_text(json.dumps(PROMISES))
    page = words(build(small, tmp_path / "site", PROMISES=file).text("promises.html"))
    assert "P01 a first broken in 2 of 3 kept in 3" in page
    assert "Run of 2026-01-02T03:04:05Z: sqlspec 1.2.3." in page


def test_results_of_a_benchmark_are_a_chart_and_tables(
    small: tuple[Path, Path], tmp_path: Path
) -> None:
    for name in ("matplotlib", "pyperf"):
        pytest.importorskip(name, reason=f"{name} is missing: make bench-report installs it")
    sys.path.append(str(ROOT / "benchmarks"))
    from suite.lines import Line
    from suite.store import write

    lines = [
        Line("asyncio", "Group", "select-10000", "many rows", name, "", samples=[*samples])
        for name, samples in {"asyncpg": (1.0, 2.0), "bundled adapter": (0.5, 1.0)}.items()
    ]
    about = {"date": "2026-01-02T03:04:05+00:00", "rows": 1, "rows_wide": 1, "rows_vector": 1}
    write(tmp_path / "run.json", lines, about)
    site = build(small, tmp_path / "site", RESULTS=tmp_path / "run.json")
    html = site.text("benchmarks.html")
    assert re.search(r'<img alt="Ratios to asyncpg" src="_images/ratios.svg"', html)
    assert "many rows" in (site.folder / "_images" / "ratios.svg").read_text()
    assert "many rows bundled adapter 750 ms" in words(html)
    assert 'id="group"' in html


def test_without_results_of_ones_own_those_that_are_published_are_shown(
    guidance_site: Site,
) -> None:
    for name in ("matplotlib", "pyperf"):
        pytest.importorskip(name, reason=f"{name} is missing: make bench-report installs it")
    html = guidance_site.text("benchmarks.html")
    assert '<img alt="Ratios to asyncpg" src="_images/ratios.svg"' in html
    assert "Arrow load" in words(html)


def test_results_that_cannot_be_read_are_told_with_the_reason(
    small: tuple[Path, Path], tmp_path: Path
) -> None:
    file = tmp_path / "run.json"
    file.write_text("{")
    page = words(build(small, tmp_path / "site", RESULTS=file).text("benchmarks.html"))
    assert "There are results, but they cannot be drawn" in page
    assert "error: " in page
