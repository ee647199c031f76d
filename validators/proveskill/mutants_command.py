"""``proveskill mutants``: whether the proofs look at the values that the text states."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from proveskill.account import read_account
from proveskill.dispatch import default_jobs
from proveskill.ledger import Case
from proveskill.manifest import Manifest, find_manifest
from proveskill.model import ManifestError
from proveskill.mutants_run import MutantsRun, Result, count
from proveskill.pack import Pack
from proveskill.report import write_report
from proveskill.servers import ServerError, Servers
from proveskill.session import SERVER_FAILED
from proveskill.statement_verdicts import proof_id
from proveskill.variants import choose_variants

_OK, _WRONG = 0, 1


@dataclass(frozen=True)
class Equivalent:
    """A mutant that is no mistake: the statement is true with that value too."""

    proof: str
    field: str
    old: str
    new: str
    reason: str


def mutants(options: argparse.Namespace) -> int:
    """Try all mutants; return the exit status. Raises ``ManifestError``."""
    manifest = find_manifest(Path(options.path))
    if manifest.proofs is None:
        raise ManifestError(f"{manifest.file or manifest.root}: there are no proofs (key 'proofs')")
    equivalents = _read_equivalents(manifest)
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
    run = MutantsRun(
        stage=pack.proof_stage,
        jobs=options.jobs or default_jobs(),
        deadline=started + options.seconds,
        memory=None if options.fresh else manifest.root / ".pytest_cache" / "mutants.json",
        say=_progress(),
    )
    try:
        results = run.run(cases, every)
    except ServerError as error:
        print(f"error: {error}", file=sys.stderr)
        return SERVER_FAILED
    except KeyboardInterrupt:
        print(
            "interrupted: what was tried is kept; run the command again to go on", file=sys.stderr
        )
        return 128 + signal.SIGINT
    finally:
        pack.close()
    return _conclude(options, manifest, run, results, equivalents, time.monotonic() - started)


def _conclude(
    options: argparse.Namespace,
    manifest: Manifest,
    run: MutantsRun,
    results: Sequence[Result],
    equivalents: Sequence[Equivalent],
    seconds: float,
) -> int:
    """Print survivors, what is wrong with the list of equivalent mutants, and the totals."""
    listed = {(e.proof, e.field, e.old, e.new): e for e in equivalents}
    used: set[tuple[str, str, str, str]] = set()
    open_survivors = 0
    for result in results:
        if result.fate != "survived":
            continue
        mutant = result.mutant
        key = (mutant.case.proof.name, mutant.field, mutant.old, mutant.new)
        used.add(key)
        reason = f"equivalent: {listed[key].reason}" if key in listed else "SURVIVED"
        open_survivors += key not in listed
        print(_survivor(result, reason))
    for case, why in run.broken:
        print(f"{proof_id(case)} does not hold when it is run alone: {why.partition(chr(10))[0]}")
    tried = {
        (r.mutant.case.proof.name, r.mutant.field, r.mutant.old, r.mutant.new) for r in results
    }
    stale = [] if options.keyword else [key for key in listed if key in tried and key not in used]
    for proof, field, old, new in stale:
        print(f"{manifest.equivalents}: remove {proof}, {field}: {old!r} -> {new!r}: it is killed")
    killed, untried = count(results, "killed"), count(results, "untried")
    share = killed / max(1, len(results) - untried)
    remembered = sum(result.remembered for result in results)
    print(
        f"{len(results)} mutants of {len({r.mutant.case.proof.name for r in results})} proofs: "
        f"{killed} killed ({share:.1%}), {count(results, 'survived')} survived, "
        f"{open_survivors} of them without a reason, {untried} not tried; {seconds:.0f} s"
        + (f", {remembered} known from earlier runs" if remembered else "")
    )
    if untried:
        print(f"the time is up ({options.seconds:g} s): run the command again to go on")
    ok = not (open_survivors or untried or run.broken or stale) and bool(results)
    if options.report:
        write_report(_report(manifest, results, ok, seconds), Path(options.report))
    return _OK if ok else _WRONG


def _survivor(result: Result, reason: str) -> str:
    mutant = result.mutant
    statement = mutant.case.statements[0]
    place = f"{os.path.relpath(statement.file)}:{statement.line}"
    return (
        f"{place}: {reason}: {mutant.field} {mutant.old!r} -> {mutant.new!r} ({mutant.kind})\n"
        f"    {statement.text}\n    {proof_id(mutant.case)}"
    )


def _report(
    manifest: Manifest, results: Sequence[Result], ok: bool, seconds: float
) -> dict[str, Any]:
    return {
        "schema": 1,
        "pack": manifest.name,
        "ok": ok,
        "seconds": round(seconds, 3),
        "mutants": [
            {
                "statements": _ids(result.mutant.case).split(),
                "proof": proof_id(result.mutant.case),
                "field": result.mutant.field,
                "kind": result.mutant.kind,
                "old": result.mutant.old,
                "new": result.mutant.new,
                "fate": result.fate,
                "why": result.why,
            }
            for result in results
        ],
        "totals": {fate: count(results, fate) for fate in ("killed", "survived", "untried")},
    }


def _read_equivalents(manifest: Manifest) -> list[Equivalent]:
    if manifest.equivalents is None:
        return []
    try:
        entries = yaml.safe_load(manifest.equivalents.read_text(encoding="utf-8")) or []
        return [Equivalent(**{key: str(value) for key, value in e.items()}) for e in entries]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, TypeError, AttributeError) as error:
        message = " ".join(str(error).split())
        raise ManifestError(
            f"{manifest.equivalents}: {message}; entries are {{proof, field, old, new, reason}}"
        ) from None


def _ids(case: Case) -> str:
    return " ".join(statement.id for statement in case.statements)


def _progress() -> Any:
    """Return what shows progress: one line that is written over, on a terminal only."""
    if not sys.stderr.isatty():
        return lambda line: print(line, file=sys.stderr, flush=True)
    return lambda line: print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
