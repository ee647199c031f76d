"""A pack in use: its fixtures, servers, workers and proofs, each made when first needed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from proveskill.account import Account
from proveskill.dispatch import Dispatcher
from proveskill.fixture_index import FixtureIndex, read_fixtures
from proveskill.fork_server import ForkServer
from proveskill.ledger import Case
from proveskill.manifest import Manifest
from proveskill.model import Limits
from proveskill.proof_run import ProofStage
from proveskill.section_run import Stage
from proveskill.servers import Servers
from proveskill.variants import Variant
from proveskill.zygote_process import Preparation

_PROVING = ("pytest_asyncio.plugin", "proveskill.worker.proofs")
"""Imported once before the workers that run proofs are forked."""
_PARTS_OF_PYTEST = (
    *("_pytest.helpconfig", "_pytest.skipping", "_pytest.tracemalloc", "_pytest.warnings"),
    *("_pytest._argcomplete", "concurrent.futures.thread", "encodings.idna", "pdb"),
)
"""What a pytest session imports when it begins, where there is such a module."""


@dataclass
class Pack:
    """A pack in use. Nothing is started before :attr:`dispatcher` is used."""

    manifest: Manifest
    adapter: str | None
    servers: Servers
    jobs: int | None
    limits: Limits
    account: Account

    @property
    def variant(self) -> Variant:
        """What this variant of the pack puts in place of imports."""
        return self.manifest.adapters.get(self.adapter or "", Variant())

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
                preload=(*manifest.preload, *(_PROVING if self.account.ledger.cases else ())),
                found=_PARTS_OF_PYTEST if self.account.ledger.cases else (),
                path=tuple(map(str, manifest.path)),
                fixtures=str(manifest.fixtures) if manifest.fixtures else None,
                replace=self.variant.replace,
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

    @cached_property
    def proof_stage(self) -> ProofStage:
        """What executes the proofs."""
        manifest = self.manifest
        assert manifest.proofs is not None  # there are cases only where there are proofs
        cache = manifest.root / ".pytest_cache"
        return ProofStage(
            stage=self.dispatcher.stage,
            root=manifest.root,
            folder=manifest.proofs,
            cache=cache / "proofs" if os.access(cache, os.W_OK) else None,
            fixtures=self.fixtures,
        )

    def prove(self, cases: Iterable[Case]) -> None:
        """Queue runs of proofs."""
        if cases := list(cases):
            self.dispatcher.submit_proofs(cases, self.proof_stage)

    def close(self) -> None:
        """End workers and servers; everything they made is gone when this returns."""
        if "dispatcher" in self.__dict__:
            self.dispatcher.close()
        self.fork_server.close()
        self.servers.close()
