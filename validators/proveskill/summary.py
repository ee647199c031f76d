"""The end of a run: exit status, JSON report, table by section, annotations."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from proveskill.items import needs_item
from proveskill.markdown import read_document
from proveskill.model import Section
from proveskill.pack import Pack
from proveskill.render import annotation, shown_path
from proveskill.report import (
    StatementRecord,
    build_report,
    section_table,
    statement_record,
    statement_totals,
    write_report,
)
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
    state.statements += _unrun_statements(state, session)
    fences = sum(len(section.snippets) for section in state.sections) or len(state.records)
    if exitstatus == 0 and not fences and not state.statements and state.packs:
        state.problems.append("no fence found: nothing was proven")
    if exitstatus in (0, 1):
        state.problems += _over_budget(state, fences)
        state.problems += _useless_excuses(state)
        state.problems += _account_problems(state, session)
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


def _over_budget(state: Session, fences: int) -> list[str]:
    pack: Pack | None = next(iter(state.all_packs), None)
    marked = [r for r in state.records if r["verdict"] == "not_run" and not r["excused"]]
    not_run = len({record["id"] for record in marked})
    if pack is None or not fences or not_run / fences <= pack.manifest.not_run_budget:
        return []
    share = f"{not_run / fences:.1%}"
    return [
        f"{not_run} of {fences} fences ({share}) are marked 'not run', more than the budget of "
        f"{pack.manifest.not_run_budget:.1%} in {pack.manifest.file}: make them run"
    ]


def _unrun_statements(state: Session, session: pytest.Session) -> list[StatementRecord]:
    """Return the records of statements that no item stands for: advice, and what need not hold."""
    if session.config.getoption("keyword") or not state.packs:
        return []
    reported = {record["id"] for record in state.statements}
    here = session.config.invocation_params.dir
    records = []
    for section in state.sections or _sections_elsewhere(state, session):
        pack = state.packs_of(section.file)[0]
        for statement in section.statements:
            if statement.id in reported or needs_item(statement, pack):
                continue
            advice = pack.account.ledger.advice.get(statement.id)
            verdict, reason = ("advice", advice.reason) if advice else ("unproven", None)
            file = shown_path(section.file, here)
            records.append(statement_record(statement, file, pack.adapter, verdict, reason))
    return records


def _selected(files: list[Path], session: pytest.Session) -> list[Path]:
    """Return the files that the arguments of the run name, or their folders."""
    here = session.config.invocation_params.dir
    wanted = {(here / argument.partition("::")[0]).resolve() for argument in session.config.args}
    return [file for file in files if wanted & {file, *file.parents}]


def _sections_elsewhere(state: Session, session: pytest.Session) -> list[Section]:
    """Return the sections that other processes have collected, pytest-xdist's."""
    return [
        section
        for pack, *_ in state.packs.values()
        for file in _selected(pack.manifest.files(), session)
        for section in read_document(file, pack.manifest.name_of(file)).sections
    ]


def _account_problems(state: Session, session: pytest.Session) -> list[str]:
    """Return what is wrong with proofs and advice, for a run over the whole pack."""
    option = session.config.getoption
    if option("keyword") or any("::" in argument for argument in session.config.args):
        return []
    found: list[str] = []
    for pack, *_ in state.packs.values():
        files = pack.manifest.files()
        if len(_selected(files, session)) < len(files):
            continue
        ledger, manifest = pack.account.ledger, pack.manifest
        found += ledger.problems
        share = len(ledger.advice) / max(1, len(pack.account.statements))
        if share > manifest.advice_budget:
            found.append(
                f"{len(ledger.advice)} of {len(pack.account.statements)} statements ({share:.1%}) "
                f"are listed as advice, more than the budget of {manifest.advice_budget:.1%} in "
                f"{manifest.file}: prove them, or delete them"
            )
    return found


def _useless_excuses(state: Session) -> list[str]:
    held = {(r["adapter"], r["id"]) for r in state.records if r["verdict"] == "passed"}
    known = {snippet.id for section in state.sections for snippet in section.snippets}
    read = {identifier.partition("#")[0] for identifier in known}
    return [
        f"{pack.manifest.file}: adapters.{pack.adapter}.faults: {identifier}: {why}"
        for pack in state.all_packs
        for identifier in pack.variant.faults
        if (
            why := "it holds: remove the entry"
            if (pack.adapter, identifier) in held
            else "there is no such fence"
            if identifier not in known and identifier.partition("#")[0] in read
            else ""
        )
    ]
