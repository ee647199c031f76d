"""Runs of ``proveskill receipt``, and the pack that they are about."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from engine_runs import Bench, Run, fence, passes

TEXT = f"""\
## Answer

The answer is 42. It is a good answer.

{passes()}{fence("import one" + chr(10) + "# FAULT" + chr(10) + "one.NUMBER  # -> 1")}
## Ask

{passes(2)}
"""
ADVICE = "- {says: It is a good answer., reason: a matter of taste}\n"
ADAPTERS = {"stock": {}, "cured": {"replace": {"one": "two"}, "fault_mark": "FAULT"}}


def verify(bench: Bench, root: Path, *more: str) -> Run:
    report = root / "out.json"
    return bench.run(["verify", "--report", report, *more], root, report=report)


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def receive(bench: Bench, root: Path, report: str = "out.json") -> Run:
    return bench.run(["receipt", ".", "--from", report], root)


def receipt_of(bench: Bench, root: Path) -> dict[str, Any]:
    run = receive(bench, root)
    assert (run.status, run.err) == (0, "")
    return dict(json.loads((root / "skills" / "pack" / "VERIFIED.json").read_text()))


def refused(bench: Bench, root: Path) -> str:
    run = receive(bench, root)
    assert (run.status, run.out) == (1, "")
    assert not (root / "skills" / "pack" / "VERIFIED.json").exists()
    return run.err


def change(root: Path, **fields: Any) -> None:
    report = json.loads((root / "out.json").read_text())
    (root / "out.json").write_text(json.dumps(report | fields))
