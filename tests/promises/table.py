"""The table of `make promises`: what each adapter does of every promise."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from proveskill.report import installed_versions, write_report

PROMISES: dict[str, str] = yaml.safe_load(Path(__file__).with_name("promises.yaml").read_text())
WIDTH = max(map(len, PROMISES.values()))


class Table:
    """Collects the outcomes of promise tests; registered by ``--promises``."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._started = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        self._kept: Counter[tuple[str, str]] = Counter()
        self._broken: Counter[tuple[str, str]] = Counter()
        self._skipped: Counter[tuple[str, str]] = Counter()
        self._wrong: Counter[tuple[str, str]] = Counter()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
        report = yield
        mark = item.get_closest_marker("promise")
        if mark is not None and (report.when == "call" or report.outcome != "passed"):
            self._note(mark, item.callspec.params["adapter"], report.outcome)  # type: ignore[attr-defined]
        return report

    def _note(self, mark: pytest.Mark, adapter: str, outcome: str) -> None:
        identifier, breaks = mark.args
        counter = self._kept
        if outcome == "skipped":
            counter = self._skipped
        elif outcome == "failed":
            counter = self._wrong
        elif adapter == "stock" and breaks is not None:
            counter = self._broken
        counter[identifier, adapter] += 1

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminal = terminalreporter
        terminal.section("promises", sep="-")
        terminal.write_line(f"{'':<5}{'promise':<{WIDTH}}  {'stock':<24}bundled")
        kept = 0
        for identifier, text in PROMISES.items():
            stock, bundled = (self._cell(identifier, name) for name in ("stock", "bundled"))
            kept += bundled.startswith("kept")
            line = f"{identifier:<5}{text:<{WIDTH}}  {stock:<24}{bundled}"
            terminal.write_line(line, red=not bundled.startswith("kept"))
        terminal.write_line(f"bundled: {kept} of {len(PROMISES)} kept")
        if self._file is not None:
            write_report(self.as_json(), self._file)

    def as_json(self) -> dict[str, Any]:
        """Return the table, with when and on what it was made."""
        return {
            "started": self._started,
            "packages": installed_versions(("sqlspec", "psqlpy")),
            "promises": [
                {"id": name, "text": text}
                | {adapter: self._cell(name, adapter) for adapter in ("stock", "bundled")}
                for name, text in PROMISES.items()
            ],
        }

    def _cell(self, identifier: str, adapter: str) -> str:
        key = identifier, adapter
        if wrong := self._wrong[key]:
            return f"NOT AS EXPECTED ({wrong})"
        kept, broken = self._kept[key], self._broken[key]
        if broken:
            return f"broken in {broken} of {broken + kept}"
        if kept:
            skipped = f", {self._skipped[key]} skipped" if self._skipped[key] else ""
            return f"kept in {kept}{skipped}"
        return "NO TEST"
