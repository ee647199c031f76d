"""Measure psqlpy, adapters and other drivers side by side: ``make bench``, ``--help``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

from suite.cli import main

if __name__ == "__main__":
    sys.exit(main())
