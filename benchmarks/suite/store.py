"""Samples, as a pyperf suite in a JSON file."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyperf

from suite.lines import Line

# Of one line, or of the place where the run was made and of no use elsewhere.
OMITTED = (
    *("unit", "loops", "mem_max_rss"),
    *("hostname", "python_executable", "python_config_args", "boot_time", "uptime"),
)


def _benchmark(line: Line, common: Mapping[str, Any]) -> pyperf.Benchmark:
    metadata = {
        **common,
        "name": f"{line.regime}: {line.name} ({line.loop})",
        "unit": line.unit,
        "loops": line.loops,
        "bench_loop": line.loop,
        "bench_group": line.group,
        "bench_regime": line.regime,
        "bench_title": line.title,
        "bench_contender": line.contender,
        "bench_label": line.label or "-",
        "bench_size": line.size,
    }
    warmups = [(line.loops, value) for value in line.warmups]
    run = pyperf.Run(line.samples, warmups, metadata, collect_metadata=False)
    return pyperf.Benchmark([run])


def _line(benchmark: pyperf.Benchmark) -> Line:
    known = benchmark.get_metadata()
    label = known["bench_label"]
    return Line(
        known["bench_loop"],
        known["bench_group"],
        known["bench_regime"],
        known["bench_title"],
        known["bench_contender"],
        "" if label == "-" else label,
        known["loops"],
        known["unit"],
        known["bench_size"],
        samples=list(benchmark.get_values()),
    )


def write(path: Path, lines: Iterable[Line], about: Mapping[str, Any]) -> None:
    """Write the lines with pyperf's metadata of the machine and what else is known.

    The file is there as a whole, or as it was before.
    """
    machine = pyperf.Run([1.0]).get_metadata()
    for name in OMITTED:
        machine.pop(name, None)
    common = {**machine, **{f"bench_{name}": value for name, value in about.items()}}
    suite = pyperf.BenchmarkSuite([_benchmark(line, common) for line in lines if line.samples])
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".bench-") as folder:
        temporary = Path(folder) / path.name
        suite.dump(str(temporary))
        os.replace(temporary, path)  # noqa: PTH105


def read(path: Path) -> tuple[list[Line], dict[str, Any]]:
    """Give the lines of a file, in the order of the run, and what is known of all of them.

    Raises ValueError when the file is no result of this suite, OSError when it cannot be read.
    """
    try:
        suite = pyperf.BenchmarkSuite.load(str(path))
        lines = [_line(benchmark) for benchmark in suite.get_benchmarks()]
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is no result of this suite ({error!r})") from error
    return lines, dict(suite.get_metadata())
