"""``proveskill mutants``: whether the proofs look at the values that the text states."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from proveskill.account import read_account
from proveskill.dispatch import default_jobs
from proveskill.equivalents import read_equivalents, stale_entries
from proveskill.exit_status import OK, SERVER_FAILED, USAGE, WRONG
from proveskill.ledger import Case
from proveskill.manifest import find_manifest
from proveskill.model import ManifestError
from proveskill.mutants_memory import Memory
from proveskill.mutants_run import MutantsRun
from proveskill.mutants_summary import MutantsSummary
from proveskill.mutations import Fate, Mutant
from proveskill.pack import Pack
from proveskill.servers import ServerError, Servers
from proveskill.variants import choose_variants
from proveskill.writing import require_folder, write_file
from proveskill.zygote_process import PreparationError


def mutants(options: argparse.Namespace) -> int:
    """Try all mutants; return the exit status. Raises ``ManifestError``."""
    manifest = find_manifest(Path(options.path))
    if manifest.proofs is None:
        raise ManifestError(f"{manifest.file or manifest.root}: there are no proofs (key 'proofs')")
    require_folder("report", options.report)
    equivalents = read_equivalents(manifest.equivalents)
    account = read_account(manifest)
    variant = choose_variants(manifest.adapters, options.adapter, manifest.root)[0]
    every = account.ledger.cases
    cases = [case for case in every if case.proof.adapter in (None, variant)]
    cases = [case for case in cases if (options.keyword or "") in f"{case.key} {_ids(case)}"]
    if not cases:
        raise ManifestError(f"{options.path}: no proof matches -k {options.keyword!r}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    pack = Pack(manifest, variant, Servers(manifest.server), options.jobs, manifest.limits, account)
    started = time.monotonic()
    file = None if options.fresh else manifest.root / ".pytest_cache" / "mutants.json"
    run = MutantsRun(
        stage=pack.proof_stage,
        jobs=options.jobs or default_jobs(),
        deadline=started + options.seconds,
        memory=Memory(file, manifest, variant),
        say=_progress(),
    )
    try:
        results = run.run(cases, every)
    except ServerError as error:
        print(f"error: {error}", file=sys.stderr)
        return SERVER_FAILED
    except PreparationError as error:
        print(f"error: cannot prepare the workers: {error}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print(
            "interrupted: what was tried is kept; run the command again to go on", file=sys.stderr
        )
        return 128 + signal.SIGINT
    finally:
        pack.close()
    fates = {result.mutant.case.key: result.fate for result in results}

    def fate_of(mutant: Mutant) -> Fate:
        """Of this run, or of an earlier one."""
        if (fate := fates.get(mutant.case.key)) is not None:
            return fate
        return known[0] if (known := run.memory.recall(mutant.case)) is not None else "untried"

    summary = MutantsSummary(
        manifest=manifest,
        results=results,
        broken=run.broken,
        equivalents=equivalents,
        stale=stale_entries(equivalents, every, manifest.proofs, fate_of),
        is_whole=not options.keyword,
        seconds=time.monotonic() - started,
    )
    print("\n".join(summary.lines()))
    if "untried" in fates.values():
        print(f"the time is up ({options.seconds:g} s): run the command again to go on")
    if options.report:
        write_file(json.dumps(summary.as_json(), indent=2) + "\n", Path(options.report))
    return OK if summary.ok else WRONG


def _ids(case: Case) -> str:
    return " ".join(statement.id for statement in case.statements)


def _progress() -> Callable[[str], None]:
    """Return what shows progress: one line that is written over, on a terminal only."""
    if not sys.stderr.isatty():
        return lambda line: print(line, file=sys.stderr, flush=True)
    return lambda line: print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
