"""One pytest run over one or more packs: their fixtures, servers, workers and verdicts."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import NoReturn

import pytest

from proveskill.compile_cache import CompileCache
from proveskill.dispatch import Dispatcher, default_jobs
from proveskill.fixture_index import FixtureIndex, read_fixtures
from proveskill.fork_server import ForkServer, Preparation, PreparationError
from proveskill.items import SnippetItem
from proveskill.manifest import Manifest, choose_adapter, find_manifest
from proveskill.model import Failure, Limits, Section, Verdict
from proveskill.plan import Plan, Step
from proveskill.report import SnippetRecord
from proveskill.section_run import Stage
from proveskill.servers import ServerError, Servers

MANIFEST_WRONG = 2
SERVER_FAILED = 3
_IMPORTED_ONCE = frozenset(
    [
        "asyncio",
        "dataclasses",
        "datetime",
        "decimal",
        "fractions",
        "json",
        "psycopg",
        "re",
        "statistics",
        "typing",
        "uuid",
    ]
)
"""What fences import of these is imported before workers are forked: they keep nothing of the
folder and the variables that they find (``multiprocessing`` does). A pack names others itself."""
_MOST_AHEAD = 24
"""Workers forked before a section needs them."""


@dataclass
class Pack:
    """A pack in use. Nothing is started before :attr:`dispatcher` is used."""

    manifest: Manifest
    adapter: str | None
    servers: Servers
    jobs: int | None
    limits: Limits

    @cached_property
    def fixtures(self) -> FixtureIndex:
        """The pack's fixtures. Raises :class:`ManifestError`."""
        return read_fixtures(self.manifest.fixtures)

    @cached_property
    def fork_server(self) -> ForkServer:
        """The fork server, which imports the pack's modules once."""
        manifest = self.manifest
        return ForkServer(
            Preparation(
                preload=manifest.preload,
                path=tuple(map(str, manifest.path)),
                fixtures=str(manifest.fixtures) if manifest.fixtures else None,
                replace=manifest.adapters.get(self.adapter or "", {}),
            )
        )

    @cached_property
    def dispatcher(self) -> Dispatcher:
        """What executes the sections."""
        stage = Stage(
            fork_server=self.fork_server,
            servers=self.servers,
            limits=self.limits,
            fixtures=self.fixtures.names,
        )
        return Dispatcher(stage, self.jobs)

    def close(self) -> None:
        """End workers and servers; everything they made is gone when this returns."""
        if "dispatcher" in self.__dict__:
            self.dispatcher.close()
        self.fork_server.close()
        self.servers.close()


@dataclass
class Session:
    """The state of a run, attached to pytest's configuration."""

    config: pytest.Config
    packs: dict[Path, Pack] = field(default_factory=dict)
    sections: list[Section] = field(default_factory=list)
    records: list[SnippetRecord] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)
    started_at: str = field(
        default_factory=lambda: (
            datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        )
    )
    phases: dict[str, float] = field(default_factory=dict)
    collected_at: float | None = None
    wanted: dict[str, set[str]] = field(default_factory=dict)
    """Section id -> ids of the fences that were selected."""

    @cached_property
    def cache(self) -> CompileCache:
        """Compiled fences of this and earlier runs."""
        store = getattr(self.config, "cache", None)
        folder: Path | None = None
        with suppress(OSError):  # a folder that cannot be written
            folder = Path(str(store.mkdir("proveskill"))) if store is not None else None
        return CompileCache(folder)

    def pack_of(self, path: Path) -> Pack:
        """Return the pack that a path belongs to. Raises :class:`ManifestError`."""
        for root, pack in self.packs.items():
            if root in path.parents and pack.manifest.holds(path):
                return pack
        manifest = find_manifest(path)
        option = self.config.getoption
        spec = manifest.server
        if (kind := option("proveskill_server")) is not None:
            spec = replace(spec, kind=kind)
        if (image := option("proveskill_image")) is not None:
            spec = replace(spec, image=image)
        limits = manifest.limits
        if (seconds := option("proveskill_timeout")) is not None:
            limits = replace(limits, seconds=seconds)
        pack = Pack(
            manifest=manifest,
            adapter=choose_adapter(manifest, option("proveskill_adapter")),
            servers=Servers(spec),
            jobs=option("proveskill_jobs"),
            limits=limits,
        )
        self.packs[manifest.root] = pack
        if not self.config.option.collectonly:
            pack.fork_server.spawn()
            if not (manifest.preload or manifest.fixtures):  # ready at once: use the time
                pack.fork_server.fork_ahead(default_jobs())
        return pack

    def start(self, items: list[SnippetItem]) -> None:
        """Begin to execute what was selected, ahead of the reports."""
        self.collected_at = time.monotonic()
        for item in items:
            self.wanted.setdefault(item.plan.section.id, set()).add(item.step.snippet.id)
        for pack in self.packs.values():
            steps = [s for item in items if item.pack is pack for s in item.plan.steps]
            pack.fork_server.preload(_worth_importing_once(steps))
            plans = {id(item.plan): item.plan for item in items if item.pack is pack}.values()
            ahead = sum(not plan.contained for plan in plans)
            if any(plan.contained for plan in plans):
                ahead += default_jobs()
            pack.fork_server.fork_ahead(min(ahead, _MOST_AHEAD))
        for item in items:
            if item.plan.variables:
                item.pack.servers.warm()
                break
        # With xdist each process learns only later which of the items it runs.
        if not hasattr(self.config, "workerinput"):
            for plan, pack in {id(i.plan): (i.plan, i.pack) for i in items}.values():
                self._submit(plan, pack)

    def verdict(self, item: SnippetItem) -> Verdict:
        """Return a fence's verdict; ends the run when there is no server or no fixture module."""
        try:
            self._submit(item.plan, item.pack)
            return item.pack.dispatcher.verdict(item.step.snippet.id)
        except ServerError as error:
            self._give_up(str(error), SERVER_FAILED)
        except PreparationError as error:
            self._give_up(f"cannot prepare the workers: {error}", MANIFEST_WRONG)

    def close(self) -> None:
        """Close the packs and save the compiled fences."""
        self.cache.save()
        for pack in self.packs.values():
            pack.close()

    def _submit(self, plan: Plan, pack: Pack) -> None:
        pack.dispatcher.submit(plan, frozenset(self.wanted[plan.section.id]))

    def _give_up(self, message: str, status: int) -> NoReturn:
        self.problems.append(message)
        pytest.exit(message, returncode=status)


def _worth_importing_once(steps: list[Step]) -> frozenset[str]:
    running = [step for step in steps if step.runs]
    modules = frozenset[str]().union(*(s.python.imports for s in running if s.python))
    wanted = modules & _IMPORTED_ONCE
    if any(step.python and step.python.awaits for step in running):
        wanted |= {"asyncio"}
    if any(step.snippet.language == "sql" for step in running):
        wanted |= {"psycopg", "sqlparse"}
    return wanted
