"""The end of a run: exit status, JSON report, table by section, annotations."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from proveskill.audit import problems_of, unrun_statements
from proveskill.render import annotation
from proveskill.report import build_report, section_table, statement_totals, write_report
from proveskill.session import Session

_STATEMENTS = ("proven", "failed", "advice", "unproven")


def finish(state: Session, session: pytest.Session, exitstatus: int) -> int:
    """Close the packs, check the account, write the report; return the exit status."""
    phases, server = _phases(state), _describe(state)
    state.close()
    phases["close"] = time.monotonic() - state.started - sum(phases.values())
    if hasattr(session.config, "workerinput"):
        return exitstatus
    state.phases = phases
    state.statements += unrun_statements(state, session)
    fences = sum(len(section.snippets) for section in state.sections) or len(state.records)
    if exitstatus == 0 and not fences and not state.statements and state.packs:
        state.problems.append("no fence found: nothing was proven")
    if exitstatus in (0, 1):
        state.problems += problems_of(state, session, fences)
    if exitstatus == 0 and state.problems:
        exitstatus = int(pytest.ExitCode.TESTS_FAILED)
    file = session.config.getoption("proveskill_report")
    if file is not None and state.packs:
        pack = state.all_packs[0]
        report = build_report(
            manifest=pack.manifest,
            snippets=state.records,
            statements=state.statements,
            problems=state.problems,
            server=server,
            started=state.started_at,
            seconds=time.monotonic() - state.started,
            phases=phases,
            fences=fences,
            ok=exitstatus == 0,
            files=state.files.get(pack.manifest.root, {}),
        )
        try:
            write_report(report, file)
        except OSError as error:
            state.problems.append(f"cannot write the report {file}: {error.strerror}")
            exitstatus = exitstatus or int(pytest.ExitCode.USAGE_ERROR)
    return exitstatus


def write_summary(state: Session, terminal: Any) -> None:
    """Print what a person wants to know after the failures themselves."""
    if os.environ.get("GITHUB_ACTIONS"):
        terminal.ensure_newline()
        for failure in state.failures:
            terminal.write_line(annotation(failure))
    if not state.records and not state.statements and not state.problems:
        return
    terminal.section("sections", sep="-")
    _write_table(state, terminal)
    for problem in state.problems:
        terminal.write_line(f"error: {problem}", red=True)


def _write_table(state: Session, terminal: Any) -> None:
    table = section_table(state.records)
    variants = list(dict.fromkeys(record["adapter"] for record in state.records))
    width = max(map(len, table), default=7)
    if len(variants) > 1:
        terminal.write_line(" " * width + "".join(f"  {name or '':^32}" for name in variants))
    columns = f"  {'passed':>6}  {'failed':>6}  {'not run':>7}  {'seconds':>7}"
    terminal.write_line(f"{'section':<{width}}{columns * max(1, len(variants))}")
    for name, row in table.items():
        line = f"{name:<{width}}"
        for variant in variants:
            passed, failed, not_run, seconds = row.get(variant, (0, 0, 0, 0.0))
            line += f"  {passed:>6}  {failed:>6}  {not_run:>7}  {seconds:>7.2f}"
        terminal.write_line(line, red=any(cells[1] for cells in row.values()))
    verdicts = [record["verdict"] for record in state.records]
    terminal.write_line(
        f"{len(verdicts)} fences: {verdicts.count('passed')} passed, "
        f"{verdicts.count('failed')} failed, {verdicts.count('not_run')} not run"
    )
    totals = statement_totals(state.statements)
    if sum(totals.values()):
        shown = ", ".join(f"{totals[name]} {name}" for name in _STATEMENTS)
        terminal.write_line(f"{sum(totals.values())} statements: {shown}")
    spent = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in state.phases.items())
    terminal.write_line(f"time: {spent}")


def _phases(state: Session) -> dict[str, float]:
    """Wall-clock seconds of the run's phases; they add up to the whole."""
    now = time.monotonic()
    if state.collected_at is None:  # other processes collected, pytest-xdist's
        return {"run": now - state.started}
    return {"collect": state.collected_at - state.started, "run": now - state.collected_at}


def _describe(state: Session) -> dict[str, Any]:
    for pack in state.all_packs:
        return {**pack.servers.describe(), "server_seconds": pack.servers.timings()}
    return {}
