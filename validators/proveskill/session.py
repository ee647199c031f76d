"""One pytest run over one or more packs: their fixtures, servers, workers and verdicts."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import pytest

from proveskill import head_start
from proveskill.compile_cache import CompileCache
from proveskill.exit_status import SERVER_FAILED, USAGE
from proveskill.items import SnippetItem, StatementItem
from proveskill.manifest import find_manifest
from proveskill.model import Section, StatementVerdict, Verdict
from proveskill.open_packs import open_packs
from proveskill.pack import Pack
from proveskill.plan import Plan
from proveskill.report import CheckRecord, SnippetRecord, StatementRecord
from proveskill.servers import ServerError
from proveskill.skill_files import pack_digests
from proveskill.statement_verdicts import judge, unproven
from proveskill.zygote_process import PreparationError


@dataclass
class Session:
    """The state of a run, attached to pytest's configuration."""

    config: pytest.Config
    packs: dict[Path, tuple[Pack, ...]] = field(default_factory=dict)
    """By the pack's root: one for each of its variants that is run."""
    sections: list[Section] = field(default_factory=list)
    records: list[SnippetRecord] = field(default_factory=list)
    statements: list[StatementRecord] = field(default_factory=list)
    checks: list[CheckRecord] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    report: dict[str, Any] = field(default_factory=dict)
    """The report, once the run has finished; empty in the processes of pytest-xdist."""
    started: float = field(default_factory=time.monotonic)
    started_at: str = field(
        default_factory=lambda: (
            datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        )
    )
    files: dict[Path, dict[str, str]] = field(default_factory=dict)
    """By the pack's root: digests of the files of its skills, from before they were read."""
    phases: dict[str, float] = field(default_factory=dict)
    collected_at: float | None = None
    wanted: dict[tuple[str | None, str], set[str]] = field(default_factory=dict)
    """Variant and section id -> ids of the fences that were selected."""

    @cached_property
    def cache(self) -> CompileCache:
        """Compiled fences of this and earlier runs."""
        store = getattr(self.config, "cache", None)
        folder: Path | None = None
        with suppress(OSError):  # a folder that cannot be written
            folder = Path(str(store.mkdir("proveskill"))) if store is not None else None
        return CompileCache(folder)

    @property
    def all_packs(self) -> list[Pack]:
        """Every pack in every variant."""
        return [pack for variants in self.packs.values() for pack in variants]

    def packs_of(self, path: Path) -> tuple[Pack, ...]:
        """Return the pack that a path belongs to, a variant each. Raises ``ManifestError``."""
        for root, packs in self.packs.items():
            if root in path.parents and packs[0].manifest.holds(path):
                return packs
        manifest = find_manifest(path)
        if self.config.getoption("proveskill_report") is not None:
            self.files[manifest.root] = pack_digests(manifest)
        packs = self.packs[manifest.root] = open_packs(manifest, self.config)
        if not self.config.option.collectonly:
            head_start.spawn(packs)
        return packs

    def start(self, items: list[SnippetItem], statements: list[StatementItem]) -> None:
        """Begin to execute what was selected, ahead of the reports."""
        self.collected_at = time.monotonic()
        # With xdist each process learns only later which of the items it runs.
        alone = not hasattr(self.config, "workerinput")
        if statements and alone:
            for pack in self.all_packs:
                cases = {c.key: c for item in statements if item.pack is pack for c in item.cases}
                pack.prove(cases.values())
        for item in items:
            key = item.pack.adapter, item.plan.section.id
            self.wanted.setdefault(key, set()).add(item.step.snippet.id)
        head_start.prepare(self.all_packs, items)
        if alone:
            for plan, pack in {(id(i.plan), id(i.pack)): (i.plan, i.pack) for i in items}.values():
                self._submit(plan, pack)

    def verdict(self, item: SnippetItem) -> Verdict:
        """Return a fence's verdict; ends the run when there is no server or no fixture module."""
        try:
            self._submit(item.plan, item.pack)
            verdict = item.pack.dispatcher.verdict(item.step.snippet.id)
            return item.pack.variant.judge(item.step.snippet, verdict)
        except ServerError as error:
            self._give_up(str(error), SERVER_FAILED)
        except PreparationError as error:
            self._give_up(f"cannot prepare the workers: {error}", USAGE)

    def statement_verdict(self, item: StatementItem) -> StatementVerdict:
        """Return a statement's verdict; ends the run as :meth:`verdict` does."""
        filename = item.filename
        if not item.cases:
            return unproven(item.statement, filename, item.pack.account.ledger)
        try:
            item.pack.prove(item.cases)
            outcomes = [item.pack.dispatcher.outcome(case) for case in item.cases]
        except ServerError as error:
            self._give_up(str(error), SERVER_FAILED)
        except PreparationError as error:
            self._give_up(f"cannot prepare the workers: {error}", USAGE)
        return judge(item.statement, filename, item.cases, outcomes)

    def close(self) -> None:
        """Close the packs and save the compiled fences."""
        self.cache.save()
        for pack in self.all_packs:
            pack.close()

    def _submit(self, plan: Plan, pack: Pack) -> None:
        pack.dispatcher.submit(plan, frozenset(self.wanted[pack.adapter, plan.section.id]))

    def _give_up(self, message: str, status: int) -> NoReturn:
        self.problems.append(message)
        pytest.exit(message, returncode=status)
