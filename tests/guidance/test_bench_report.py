"""What the report of the benchmark suite makes of samples."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from bench_tools import line, needs_packages, run
from suite.lines import Line
from suite.results import Results, band, band_text, fastest
from suite.tables import amount, tables
from suite.targets import TARGETS, Target, extra_round_trips, target_table, verdicts

ABOUT = {"date": "2026-01-02T03:04:05+00:00", "rows": 1000, "rows_wide": 500, "rows_vector": 100}
SELECTS = {"asyncpg": (1.0, 2.0, 1.5), "bundled adapter": (0.5, 1.0, 0.75)}


def selects(**changed: tuple[float, ...]) -> list[Line]:
    """10,000 rows to dicts by two contenders."""
    samples = SELECTS | {name.replace("_", " "): values for name, values in changed.items()}
    return [line("select-10000", name, *values) for name, values in samples.items()]


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A result in which every target that was measured is met."""
    from suite.store import write

    write(tmp_path / "results" / "run.json", selects(), ABOUT)
    return tmp_path / "results" / "run.json"


def test_a_band_is_the_middle_of_the_ratios_rounded_outward() -> None:
    ratios = [0.1, *[0.41, 0.42, 0.43, 0.44, 0.45, 0.46, 0.47, 0.48, 0.51], 9.0]
    assert band(ratios) == (0.4, 0.55)


@pytest.mark.parametrize("exact", [0.05, 0.15, 0.35, 0.55, 0.6, 1.0, 1.15])
def test_a_band_of_ratios_on_a_step_is_that_step(exact: float) -> None:
    assert band([exact] * 3) == (exact, exact)


def test_a_band_is_written_with_two_digits() -> None:
    assert band_text([0.41, 0.52]) == "0.40-0.55"


def test_a_ratio_is_of_samples_of_the_same_round() -> None:
    base, own = selects(bundled_adapter=(2.0, 1.0, 3.0))
    assert Results([base, own]).ratios(own) == [2.0, 0.5, 2.0]


def test_a_ratio_is_to_the_first_way_of_asyncpg() -> None:
    plain, best = (line("r", "asyncpg", t, label=str(t)) for t in (4.0, 1.0))
    own = line("r", "psqlpy", 2.0)
    assert Results([plain, best, own]).ratios(own) == [0.5]


def test_a_ratio_is_within_one_event_loop() -> None:
    base, own = selects()
    other = Line("uvloop", "Group", base.regime, "", "asyncpg", "", samples=[0.1, 0.1, 0.1])
    assert Results([other, base, own]).ratios(own) == [0.5, 0.5, 0.5]


def test_the_best_way_of_a_contender_has_the_smallest_median() -> None:
    slow, quick = line("r", "psqlpy", 1, 3, 9), line("r", "psqlpy", 2, 2, 99, label="best")
    assert fastest([slow, quick]) == {"psqlpy": quick}


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0012345, "second", "1.23 ms"),
        (12.0, "second", "12.0 s"),
        (0.000456, "second", "456 us"),
        (33_700.0, "byte", "33.7 kB"),
    ],
)
def test_an_amount_has_three_digits(value: float, unit: str, text: str) -> None:
    assert amount(value, unit) == text


def test_a_table_has_the_fastest_first_and_names_a_regime_once() -> None:
    text = "\n".join(tables(Results(selects())))
    assert text.splitlines()[-2:] == [
        "| title of select-10000 | bundled adapter | 750 ms | 550-950 ms | 0.50-0.50 |",
        "|  | asyncpg | 1.50 s | 1.10-1.90 s | 1 |",
    ]


def test_a_contender_without_asyncpg_beside_it_has_no_ratio() -> None:
    (own,) = [x for x in selects() if x.contender != "asyncpg"]
    assert "\n".join(tables(Results([own]))).endswith("| 550-950 ms | - |")


@pytest.mark.parametrize(
    ("values", "at_most", "is_goal", "verdict"),
    [
        ([1.0], True, False, "met"),
        ([1.01], True, False, "MISSED"),
        ([1.0], False, False, "met"),
        ([0.99], False, False, "MISSED"),
        ([0.1, 1.0, 9.0], True, False, "met"),
        ([0.5], True, True, "reached"),
        ([2.0], True, True, "not reached"),
        ([], True, False, "not measured"),
    ],
)
def test_a_target_is_judged_by_the_median(
    values: list[float], at_most: bool, is_goal: bool, verdict: str
) -> None:
    target = Target(1, "", lambda _: values, 1.0, at_most, is_goal)
    assert target.verdict(values) == verdict


def test_round_trips_are_what_time_grows_by_with_the_link() -> None:
    label = "gather on one session"
    short, long = (
        line(f"link{ms}-gather", "bundled adapter", 0.05 + 3 * ms / 1000, label=label)
        for ms in (1, 20)
    )
    assert extra_round_trips(Results([short, long])) == pytest.approx([2.0])


def test_every_target_names_something_that_is_measured() -> None:
    pytest.importorskip("adbc_driver_postgresql", reason="needs benchmarks/adapter.txt")
    pytest.importorskip("psycopg_pool", reason="needs benchmarks/adapter.txt")
    from suite.contenders import CONTENDERS
    from suite.groups import groups
    from suite.regimes import Sizes

    lines = [
        line(regime.key, kind.name, 1.0, label=label)
        for group in groups(Sizes())
        for regime in group.regimes
        for kind in CONTENDERS
        for work, label, _ in kind.offered()
        if work == regime.work
    ]
    unmeasured = [t.text for t, _, verdict in verdicts(Results(lines)) if verdict == "not measured"]
    assert unmeasured == []
    assert {target.number for target in TARGETS} == {1, 2, 3, 4, 5, 6}


def test_the_targets_say_what_was_measured() -> None:
    text = "\n".join(target_table(Results(selects())))
    assert (
        "| 3 | 10,000 rows to dicts: time, bundled / asyncpg | 0.50 | 0.50-0.50 | <= 0.75 | met"
        in text
    )


@needs_packages
def test_a_stored_result_is_read_as_it_was(stored: Path) -> None:
    from suite.store import read

    lines, about = read(stored)
    assert lines == selects()
    assert about["bench_rows_vector"] == 100


@needs_packages
def test_a_stored_result_names_no_place_of_the_machine(stored: Path) -> None:
    text = stored.read_text()
    assert [place for place in (sys.executable, sys.base_prefix) if place in text] == []


@needs_packages
def test_pyperf_reads_a_stored_result(stored: Path) -> None:
    command = [sys.executable, "-m", "pyperf", "stats", stored]
    output = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert "select-10000: bundled adapter (asyncio)" in output
    assert "Number of value per run: 3" in output


@needs_packages
def test_a_result_that_cannot_be_written_leaves_the_old_one(
    stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyperf import BenchmarkSuite
    from suite.store import write

    def fill_the_disk(_: object, file: str) -> None:
        Path(file).write_text("half")
        raise OSError("no space left")

    before = stored.read_bytes()
    monkeypatch.setattr(BenchmarkSuite, "dump", fill_the_disk)
    with pytest.raises(OSError, match="no space"):
        write(stored, selects(), ABOUT)
    assert stored.read_bytes() == before
    assert list(stored.parent.iterdir()) == [stored]


@needs_packages
def test_a_report_of_met_targets_succeeds(stored: Path) -> None:
    done = run("report.py", stored)
    assert (done.returncode, done.stderr) == (0, "")
    assert "loads of vectors of 100" in done.stdout
    assert "not measured" in done.stdout


@needs_packages
def test_a_report_of_a_missed_target_fails(stored: Path) -> None:
    from suite.store import write

    write(stored, selects(bundled_adapter=(2.0, 2.0, 2.0)), ABOUT)
    done = run("report.py", stored, "--targets")
    assert done.returncode == 1
    assert "| <= 0.75 | MISSED |" in done.stdout


@needs_packages
@pytest.mark.parametrize("content", [None, "", "{}", json.dumps({"version": "1.0"})])
def test_a_report_of_no_result_says_so(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "none.json"
    if content is not None:
        file.write_text(content)
    done = run("report.py", file)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


@needs_packages
def test_the_chart_is_the_same_each_time(stored: Path, tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.svg" for number in range(2)]
    for file in files:
        assert run("report.py", stored, "--svg", file).returncode == 0
    first, second = (file.read_bytes() for file in files)
    assert first == second
    assert b"title of select-10000" in first
