"""What tests of the benchmark suite use."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from guidance import ROOT

BENCHMARKS = ROOT / "benchmarks"
if str(BENCHMARKS) not in sys.path:
    sys.path.append(str(BENCHMARKS))

if TYPE_CHECKING:
    from suite.lines import Line

MISSING = [
    name
    for name in ("pyperf", "uvloop", "matplotlib", "adbc_driver_postgresql", "psycopg_pool")
    if find_spec(name) is None
]
needs_packages = pytest.mark.skipif(
    bool(MISSING), reason=f"needs benchmarks/adapter.txt, which `make bench` installs: {MISSING}"
)


def run(script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run benchmarks/SCRIPT."""
    return subprocess.run(
        [sys.executable, BENCHMARKS / script, *arguments],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def line(regime: str, contender: str, *samples: float, label: str = "") -> Line:
    """A line of the group "Group" on asyncio."""
    from suite.lines import Line

    return Line(
        "asyncio", "Group", regime, f"title of {regime}", contender, label, samples=[*samples]
    )
