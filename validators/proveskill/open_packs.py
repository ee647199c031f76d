"""A manifest and pytest's options -> packs in use, one for each variant that is to run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proveskill.account import read_account
from proveskill.manifest import Manifest
from proveskill.pack import Pack
from proveskill.servers import Servers
from proveskill.variants import choose_variants


def open_packs(manifest: Manifest, config: pytest.Config) -> tuple[Pack, ...]:
    """Return the variants, which share their servers. Raises ``ManifestError``."""
    option = config.getoption
    spec = manifest.server
    if (kind := option("proveskill_server")) is not None:
        spec = replace(spec, kind=kind)
    if (image := option("proveskill_image")) is not None:
        spec = replace(spec, image=image)
    limits = manifest.limits
    if (seconds := option("proveskill_timeout")) is not None:
        limits = replace(limits, seconds=seconds)
    wanted = option("proveskill_adapter")
    names = choose_variants(manifest.adapters, wanted, manifest.file or manifest.root)
    servers = Servers(spec)
    if option("proveskill_require_proofs"):
        manifest = replace(manifest, proven_files=None)
    if (run := option("proveskill_run")) is not None:
        manifest = replace(manifest, run=run)
    account = read_account(manifest)
    jobs = option("proveskill_jobs")
    return tuple(Pack(manifest, name, servers, jobs, limits, account) for name in names)
