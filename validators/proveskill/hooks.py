"""pytest hooks of a run that has skills to prove: start, report, finish."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any, Literal

import pytest

from proveskill.items import (
    FrontMatterItem,
    FrontMatterWrong,
    SnippetItem,
    StatementItem,
    WorkerItem,
)
from proveskill.model import Failure, StatementVerdict, Verdict
from proveskill.render import FailureText, rerun_command, rerun_target, shown_path
from proveskill.report import CheckRecord, statement_record
from proveskill.session import Session
from proveskill.statement_verdicts import proof_id
from proveskill.summary import finish, write_summary


class Hooks:
    """Registered once a run has found its first skill."""

    def __init__(self, state: Session) -> None:
        self.state = state

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Start executing what was selected."""
        if not session.config.option.collectonly:
            self.state.start(
                [item for item in session.items if isinstance(item, SnippetItem)],
                [item for item in session.items if isinstance(item, StatementItem)],
            )

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """Report a fence.

        Set-up, capturing and logging would surround nothing here: a worker does all that. They
        would cost more than the report.
        """
        if not isinstance(item, WorkerItem):
            return None
        hook = item.ihook
        hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        if isinstance(item, StatementItem):
            report = statement_report(item, self.state.statement_verdict(item))
        else:
            assert isinstance(item, SnippetItem)  # there are these two kinds
            report = fence_report(item, self.state.verdict(item))
        hook.pytest_runtest_logreport(report=_phase(item, "setup"))
        hook.pytest_runtest_logreport(report=report)
        hook.pytest_runtest_logreport(report=_phase(item, "teardown"))
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        # What an item before this one has set up, and its own protocol has kept for this one.
        item.session._setupstate.teardown_exact(nextitem)
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, Any, Any]:
        """Keep what came of the check of a front matter."""
        report = yield
        if isinstance(item, FrontMatterItem) and call.when == "call":
            wrong = call.excinfo.value if call.excinfo is not None else None
            failure = wrong.failure if isinstance(wrong, FrontMatterWrong) else None
            report.proveskill_check = check_record(
                f"{item.path.parent.name}#front-matter", item.filename, failure, rerun_command(item)
            )
        return report

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep the files that cannot be read, in the process that writes the summary."""
        if report.failed and not hasattr(self.state.config, "workerinput"):
            config = self.state.config
            path = config.rootpath / report.nodeid.partition("::")[0]
            file = shown_path(path, Path(config.invocation_params.dir))
            message = report.longreprtext.strip().rpartition("\n")[2]
            failure = Failure("CollectError", message, file, 1)
            again = rerun_target(config, file)
            self.state.checks.append(check_record(f"{file}#file", file, failure, again))

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Keep records, in the process that writes the summary."""
        if record := getattr(report, "proveskill", None):
            self.state.records.append(record)
        if statement := getattr(report, "proveskill_statement", None):
            self.state.statements.append(statement)
        if check := getattr(report, "proveskill_check", None):
            self.state.checks.append(check)

    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, str] | None:
        """Give what was parsed a word and a count of its own."""
        record = getattr(report, "proveskill", None)
        if record is None or record["verdict"] != "parsed":
            return None
        return "parsed", "p", "PARSED"

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


def check_record(identifier: str, file: str, failure: Failure | None, again: str) -> CheckRecord:
    """Return the record of a check for the JSON report."""
    return {
        "id": identifier,
        "file": file,
        "line": 1,
        "verdict": "failed" if failure else "passed",
        "error": failure.as_json(again) if failure else None,
    }


def fence_report(item: SnippetItem, verdict: Verdict) -> pytest.TestReport:
    """Return pytest's report of a fence, with its record for the JSON report."""
    snippet, failure = item.step.snippet, verdict.failure
    report = _call_report(item, verdict)
    excused = False
    if verdict.name in ("not_run", "parsed"):
        word = verdict.name.replace("_", " ")
        report.outcome = "skipped"
        report.longrepr = (item.step.filename, snippet.line, f"{word}: {verdict.reason}")
    if verdict.name == "not_run" and snippet.not_run is None:
        excused = item.pack.variant.excuses(snippet) is not None
    if excused:
        report.wasxfail = verdict.reason  # pytest's word for what is expected to fail
    report.proveskill = {
        "id": snippet.id,
        "section": item.plan.section.id,
        "file": item.step.filename,
        "line": snippet.line,
        "language": snippet.language,
        "adapter": item.pack.adapter,
        "verdict": verdict.name,
        "seconds": round(verdict.seconds, 4),
        "reason": verdict.reason,
        "excused": excused,
        "marked": snippet.not_run is not None,
        "output": verdict.output.as_json() if verdict.output else None,
        "error": failure.as_json(rerun_command(item)) if failure else None,
    }
    return report  # type: ignore[no-any-return]


def statement_report(item: StatementItem, verdict: StatementVerdict) -> pytest.TestReport:
    """Return pytest's report of a statement, with its record for the JSON report."""
    failure = verdict.failure
    report = _call_report(item, verdict)
    report.proveskill_statement = {
        **statement_record(item.statement, item.filename, item.pack.adapter, verdict.name),
        "proofs": sorted({proof_id(case) for case in item.cases}),
        "seconds": round(verdict.seconds, 4),
        "error": failure.as_json(rerun_command(item)) if failure else None,
    }
    return report  # type: ignore[no-any-return]


def _call_report(item: WorkerItem, verdict: Verdict | StatementVerdict) -> Any:
    """Return pytest's report of what has run, with its failure where there is one."""
    report: Any = _phase(item, "call", verdict.seconds)
    if (failure := verdict.failure) is not None:
        report.outcome = "failed"
        verbose = item.config.get_verbosity() > 0
        report.longrepr = FailureText(failure, rerun_command(item), verbose=verbose)
    return report


def _phase(
    item: WorkerItem,
    when: Literal["setup", "call", "teardown"],
    seconds: float = 0.0,
) -> pytest.TestReport:
    return pytest.TestReport(
        nodeid=item.nodeid,
        location=item.location,
        keywords=item.reported_keywords,
        outcome="passed",
        longrepr=None,
        when=when,
        duration=seconds,
        user_properties=item.user_properties,
    )
