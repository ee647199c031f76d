"""pytest hooks of a run that has skills to prove: start, report, finish."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict
from typing import Any

import pytest

from proveskill.items import SnippetFailed, SnippetItem
from proveskill.model import Failure
from proveskill.render import rerun_command
from proveskill.session import Session
from proveskill.summary import finish, write_summary


class Hooks:
    """Registered once a run has found its first skill."""

    def __init__(self, state: Session) -> None:
        self.state = state

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Start executing what was selected."""
        if not session.config.option.collectonly:
            self.state.start(item for item in session.items if isinstance(item, SnippetItem))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, Any, Any]:
        """Put the fence's own time and its record for the JSON report into pytest's report."""
        report = yield
        if isinstance(item, SnippetItem) and call.when == "call" and item.verdict is not None:
            verdict, snippet = item.verdict, item.step.snippet
            failure = verdict.failure
            report.duration = verdict.seconds
            if verdict.name == "not_run":
                report.longrepr = (item.step.filename, snippet.line, f"not run: {verdict.reason}")
            report.proveskill = {
                "id": snippet.id,
                "section": item.plan.section.id,
                "file": item.step.filename,
                "line": snippet.line,
                "language": snippet.language,
                "adapter": self.state.pack_of(item.path).adapter,
                "verdict": verdict.name,
                "seconds": round(verdict.seconds, 4),
                "reason": verdict.reason,
                "error": failure.as_json(rerun_command(item)) if failure else None,
            }
        if call.excinfo is not None and isinstance(call.excinfo.value, SnippetFailed):
            report.proveskill_failure = asdict(call.excinfo.value.failure)
        return report

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Keep records and failures, in the process that writes the summary."""
        if record := getattr(report, "proveskill", None):
            self.state.records.append(record)
        if failure := getattr(report, "proveskill_failure", None):
            self.state.failures.append(Failure(**failure))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Close everything, write the report and settle the exit status."""
        session.exitstatus = finish(self.state, session, exitstatus)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the table by section, the totals and where the time went."""
        write_summary(self.state, terminalreporter)

    def pytest_unconfigure(self) -> None:
        """Close once more, for runs that ended before they began."""
        self.state.close()
