"""The end of a run: exit status, the report and what is made of it, table by section."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from proveskill.audit import problems_of, unrun_statements
from proveskill.model import OUTPUTS
from proveskill.report import build_report, section_table, statement_totals, write_report
from proveskill.session import Session
from proveskill.writing import add_to

_STATEMENTS = ("proven", "failed", "advice", "unproven")
_MOST_REASONS = 5


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
    complete = exitstatus in (0, 1) and not session.shouldstop and not session.shouldfail
    if exitstatus in (0, 1):
        state.problems += problems_of(state, session, fences)
    if exitstatus == 0 and state.problems:
        exitstatus = int(pytest.ExitCode.TESTS_FAILED)
    if state.packs and not session.config.option.collectonly:
        state.report = build_report(
            manifest=state.all_packs[0].manifest,
            here=Path(session.config.invocation_params.dir),
            checks=state.checks,
            snippets=state.records,
            statements=state.statements,
            problems=state.problems,
            server=server,
            started=state.started_at,
            seconds=time.monotonic() - state.started,
            phases=phases,
            fences=fences,
            ok=exitstatus == 0,
            complete=complete,
            files=state.files.get(state.all_packs[0].manifest.root, {}),
        )
        try:
            _write_files(state.report, session.config)
        except OSError as error:
            state.problems.append(f"cannot write {error.filename}: {error.strerror}")
            exitstatus = exitstatus or int(pytest.ExitCode.USAGE_ERROR)
    return exitstatus


def _write_files(report: dict[str, Any], config: pytest.Config) -> None:
    """Write the report and what the options ask for. Raises ``OSError``."""
    if (file := config.getoption("proveskill_report")) is not None:
        write_report(report, file)
    asked = {name: config.getoption(f"proveskill_{name}") for name in OUTPUTS}
    wanted = {name: file for name, file in asked.items() if file is not None}
    page = os.environ.get("GITHUB_STEP_SUMMARY")
    if not (wanted or page):
        return
    from proveskill.outputs import write_outputs  # slow to import
    from proveskill.outputs.step_summary import step_summary

    write_outputs(report, wanted)
    if page:
        add_to(step_summary(report), Path(page))


def write_summary(state: Session, terminal: Any) -> None:
    """Print what a person wants to know after the failures themselves."""
    if os.environ.get("GITHUB_ACTIONS") and state.report:
        from proveskill.outputs.annotations import workflow_commands

        terminal.ensure_newline()
        for line in workflow_commands(state.report):
            terminal.write_line(line)
    if not state.records and not state.statements and not state.problems:
        return
    terminal.section("sections", sep="-")
    _write_table(state, terminal)
    for problem in state.problems:
        terminal.write_line(f"error: {problem}", red=True)


def _write_table(state: Session, terminal: Any) -> None:
    table = section_table(state.records)
    variants = list(dict.fromkeys(record["adapter"] for record in state.records))
    verdicts = Counter(record["verdict"] for record in state.records)
    heads = ["passed", *["parsed"] * ("parsed" in verdicts), "failed", "not run"]
    columns = "".join(f"  {head:>{max(6, len(head))}}" for head in heads) + "  seconds"
    width = max(map(len, table), default=7)
    if len(variants) > 1:
        names = "".join(f"  {name or '':^{len(columns) - 2}}" for name in variants)
        terminal.write_line(" " * width + names)
    terminal.write_line(f"{'section':<{width}}{columns * max(1, len(variants))}")
    for name, row in table.items():
        line = f"{name:<{width}}"
        for variant in variants:
            cells = row.get(variant, {})
            for head in heads:
                line += f"  {cells.get(head.replace(' ', '_'), 0):>{max(6, len(head))}}"
            line += f"  {cells.get('seconds', 0.0):>7.2f}"
        terminal.write_line(line, red=any("failed" in cells for cells in row.values()))
    counts = ", ".join(f"{verdicts[head.replace(' ', '_')]} {head}" for head in heads)
    terminal.write_line(f"{verdicts.total()} fences: {counts}")
    _write_reasons(state, terminal)
    totals = statement_totals(state.statements)
    if sum(totals.values()):
        shown = ", ".join(f"{totals[name]} {name}" for name in _STATEMENTS)
        terminal.write_line(f"{sum(totals.values())} statements: {shown}")
    spent = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in state.phases.items())
    terminal.write_line(f"time: {spent}")


def _write_reasons(state: Session, terminal: Any) -> None:
    """Say why fences were only parsed, the most frequent reasons first."""
    reasons = Counter(r["reason"] for r in state.records if r["verdict"] == "parsed")
    for reason, number in reasons.most_common(_MOST_REASONS):
        terminal.write_line(f"  {number} parsed: {reason}")
    if (more := len(reasons) - _MOST_REASONS) > 0:
        terminal.write_line(f"  and for {more} other reasons: --report FILE has them all")


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
