"""``proveskill matrix``: the pack over sets of versions, and the first release that breaks it."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from proveskill.exit_status import OK, WRONG
from proveskill.manifest import Manifest, find_manifest
from proveskill.matrix_environments import Environments
from proveskill.matrix_known import problems_of
from proveskill.matrix_report import MatrixReport
from proveskill.matrix_run import MatrixRun
from proveskill.matrix_sayings import unsaid
from proveskill.matrix_sets import Matrix, VersionSet, read_matrix
from proveskill.matrix_verify import Verifier
from proveskill.model import ManifestError
from proveskill.variants import choose_variants
from proveskill.writing import require_folder, write_file


def matrix(options: argparse.Namespace) -> int:
    """Verify a pack over its sets of versions; return the exit status. Raises ``ManifestError``."""
    manifest = find_manifest(Path(options.path))
    sets = read_matrix(manifest)
    choose_variants(manifest.adapters, sets.adapter, manifest.file or manifest.root)
    chosen = _chosen(sets, options.sets, manifest)
    if wrong := next(unsaid(manifest, sets), None):
        raise ManifestError(wrong)
    require_folder("report", options.report)
    require_folder("report", options.markdown)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = time.monotonic()
    began = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    say = _progress()
    try:
        with tempfile.TemporaryDirectory(prefix="proveskill-matrix-") as folder:
            verifier = Verifier(manifest, sets.adapter, Environments(), Path(folder), say)
            results = MatrixRun(sets, verifier, options.bisect).run(chosen)
    except KeyboardInterrupt:
        say("")
        print("interrupted: nothing is reported", file=sys.stderr)
        return 128 + signal.SIGINT
    say("")
    report = MatrixReport(
        manifest=manifest,
        matrix=sets,
        results=results,
        problems=list(problems_of(sets, results)),
        started=began,
        seconds=time.monotonic() - started,
    )
    print("\n".join(report.lines()))
    if options.report:
        write_file(json.dumps(report.as_json(), indent=2) + "\n", Path(options.report))
    if options.markdown:
        write_file(report.markdown(), Path(options.markdown))
    return OK if report.ok else WRONG


def _chosen(matrix: Matrix, names: list[str] | None, manifest: Manifest) -> list[VersionSet]:
    unknown = [name for name in names or () if name not in matrix.sets]
    if unknown:
        raise ManifestError(
            f"{manifest.file}: no set {unknown[0]!r}; known: {', '.join(matrix.sets)}"
        )
    return [one for name, one in matrix.sets.items() if names is None or name in names]


def _progress() -> Callable[[str], None]:
    """Return what shows progress: a line that is written over on a terminal, else a line a step."""
    if sys.stderr.isatty():
        width = os.get_terminal_size(sys.stderr.fileno()).columns
        return lambda line: print(
            f"\r\x1b[K{line[: width - 1]}", end="", file=sys.stderr, flush=True
        )
    last = [""]

    def tell(line: str) -> None:
        step, _, _ = line.partition(",")  # without how far it has come
        if step and step != last[0]:
            print(step, file=sys.stderr, flush=True)
        last[0] = step

    return tell
