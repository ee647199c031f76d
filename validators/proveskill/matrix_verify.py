"""An environment -> what of the pack holds there: ``proveskill verify`` with this engine."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import proveskill
from proveskill.manifest import Manifest
from proveskill.matrix_environments import Environment, Environments, Uninstallable
from proveskill.matrix_sets import VersionSet
from proveskill.servers import PROGRAMS_VARIABLE
from proveskill.variants import BOTH

_PATIENCE = 30.0
"""Seconds that an interrupted run gets to stop its servers."""
_SHOWN_BYTES = 400
_FEW = 50
"""So many items are run one after another, so that none is short of time."""

Item = tuple[str, str]
"""A fence or a statement in a variant: the variant ("" where there is one only) and its id."""


@dataclass(frozen=True)
class SetRun:
    """What came of a run in a set of versions."""

    version_set: VersionSet
    seconds: float
    environment: Environment | None = None
    """None when it could not be installed."""
    report: Mapping[str, Any] = field(default_factory=dict)
    """The report of ``proveskill verify``, empty when the run came to no end."""
    reason: str | None = None
    """Why nothing could be verified."""

    @property
    def broken(self) -> dict[Item, dict[str, Any]]:
        """The records of what failed."""
        records = [*self.report.get("snippets", ()), *self.report.get("statements", ())]
        return {item_of(record): record for record in records if record["error"] is not None}

    @property
    def problems(self) -> list[str]:
        """What is wrong with the pack as a whole."""
        return list(self.report.get("problems", ()))

    @property
    def tells_nothing(self) -> bool:
        """Whether it was not, or not wholly, run."""
        return self.reason is not None


def item_of(record: Mapping[str, Any]) -> Item:
    """Return the item that a record of a report is about."""
    return record["adapter"] or "", record["id"]


@dataclass
class Verifier:
    """Verifies one pack in many environments; ``folder`` is a temporary one."""

    manifest: Manifest
    adapter: str | None
    environments: Environments
    folder: Path
    say: Callable[[str], None]
    jobs: int | None = None

    def __post_init__(self) -> None:
        engine = self.folder / "engine"
        engine.mkdir()
        # Not the folder that holds it: that may be the site-packages of this environment.
        (engine / "proveskill").symlink_to(Path(proveskill.__file__).resolve().parent)

    def run(
        self, version_set: VersionSet, items: Mapping[Item, Mapping[str, Any]] | None = None
    ) -> SetRun:
        """Verify the whole pack, or only items (with any records of theirs)."""
        started = time.monotonic()
        environment = None
        try:
            self.say(f"{version_set.name}: installing")
            environment = self.environments.make(version_set)
            report, reason = self._verify(version_set, environment, items)
        except Uninstallable as error:
            report, reason = {}, f"cannot be installed: {error}"
        seconds = time.monotonic() - started
        return SetRun(version_set, seconds, environment, report, reason)

    def _verify(
        self,
        version_set: VersionSet,
        environment: Environment,
        items: Mapping[Item, Mapping[str, Any]] | None,
    ) -> tuple[dict[str, Any], str | None]:
        report, log = self.folder / "report.json", self.folder / "log"
        report.unlink(missing_ok=True)
        command: list[str | Path] = [environment.python, "-m", "proveskill", "verify"]
        command += ["--report", report]
        for name, value in (
            ("adapter", self.adapter),
            ("server", version_set.server),
            ("image", version_set.image),
            ("jobs", 1 if items is not None and len(items) <= _FEW else None),
        ):
            command += [] if value is None else [f"--{name}={value}"]
        command += [self.manifest.root] if items is None else self._targets(items.values())
        variables = self._variables(version_set, environment)
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=self.manifest.root,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is ours to pass on, once
            )
            what = "verifying" if items is None else f"verifying {len(items)} items"
            status = self._wait(process, log, f"{version_set.name}: {what}")
        words = log.read_text(encoding="utf-8", errors="replace")
        if status not in (0, 1) or not report.exists():
            return {}, f"cannot be verified: {_last_words(words)}"
        result: dict[str, Any] = json.loads(report.read_text())
        if status == 1 and items is None and not _says_why(result):
            return {}, f"cannot be verified: {_last_words(words)}"
        return result, None

    def _targets(self, records: Collection[Mapping[str, Any]]) -> list[str]:
        several = self.adapter == BOTH and len(self.manifest.adapters) > 1
        targets = []
        for record in records:
            section, _, name = record["id"].rpartition("#")[2].rpartition("/")
            variant = f"@{record['adapter']}" if several else ""
            targets.append(f"{self.manifest.root / record['file']}::{section}{variant}::{name}")
        return targets

    def _variables(self, version_set: VersionSet, environment: Environment) -> dict[str, str]:
        variables = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PROVESKILL", "PYTEST", "PYTHON", "VIRTUAL_ENV", "GITHUB_"))
        }
        variables["PYTHONPATH"] = str(self.folder / "engine")
        if version_set.programs is not None:
            variables[PROGRAMS_VARIABLE] = str(environment.programs(version_set.programs))
        return variables

    def _wait(self, process: subprocess.Popen[bytes], log: Path, what: str) -> int:
        self.say(what)
        try:
            while True:
                try:
                    return process.wait(1.0)
                except subprocess.TimeoutExpired:
                    self.say(f"{what}{_progress(log)}")
        except BaseException:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            raise


def _says_why(report: Mapping[str, Any]) -> bool:
    records: Iterable[Any] = [*report["snippets"], *report["statements"]]
    return bool(report["problems"]) or any(record["error"] is not None for record in records)


def _progress(log: Path) -> str:
    """Return how far pytest has come, as it says itself."""
    shares = re.findall(rb"\[ *(\d+)%\]", log.read_bytes())
    return f", {int(shares[-1])} %" if shares else ""


def _last_words(text: str) -> str:
    """Return the complaint of a run that came to no end, in one line."""
    lines = [line.strip(" !=") for line in text.splitlines() if line.strip(" !=")]
    told = [line for line in lines if re.search(r"error: |Exit: |Error: ", line)] or lines[-3:]
    words = " ".join(" ".join(told[-3:]).split()).removeprefix("_pytest.outcomes.Exit: ")
    return words if len(words) <= _SHOWN_BYTES else f"{words[: _SHOWN_BYTES - 1]}…"
