"""Volume: streams of rows of any length, in bounded memory, all or nothing, time after time.

Two loads of 100,000 rows; more where the environment says so. What the adapter has to bear:

    VOLUME_ROWS=5000000 VOLUME_LOADS=1 python -m pytest -s tests/adapter/test_copying_volume.py
    VOLUME_ROWS=1000000 VOLUME_LOADS=20 python -m pytest -s tests/adapter/test_copying_volume.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).with_name("load_volume.py")
ROWS = int(os.environ.get("VOLUME_ROWS", "100000"))
LOADS = int(os.environ.get("VOLUME_LOADS", "2"))
GROWTH_MB = 400  # whatever the number of rows; 5,000,000 of them are 1,900 MB on the wire
SECONDS_PER_MILLION = 60


def test_streams_are_loaded_in_bounded_memory_and_a_bad_row_leaves_the_old_rows(dsn):
    # In a process of its own, which ends itself when a load hangs with the GIL held.
    outcome = subprocess.run(
        [sys.executable, PROGRAM, dsn, str(ROWS), str(LOADS)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        timeout=60 + 2 * LOADS * (10 + SECONDS_PER_MILLION * ROWS / 1_000_000),
        check=True,
    )
    report = json.loads(outcome.stdout)
    print(report)
    assert report["stored"] == [ROWS] * LOADS
    assert report["failures"] == ["UniqueViolationError"] * LOADS
    assert report["grown_mb"] < GROWTH_MB
    assert report["slowest_turn_ms"] < 1000
