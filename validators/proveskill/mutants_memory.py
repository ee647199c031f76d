"""What became of mutants in earlier runs, so that one that was cut short goes on."""

from __future__ import annotations

import hashlib
import json
import platform
import threading
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from proveskill.ledger import Case
from proveskill.manifest import Manifest
from proveskill.mutations import Fate
from proveskill.report import installed_versions


class Memory:
    """Fates in a JSON file, each under a digest of what it depends on. Thread-safe.

    That is the proof's module, the other files of its folder that are no proofs, the values, the
    variant of the pack, the server and the versions of what the pack is about. Without a file
    nothing is remembered.
    """

    def __init__(self, file: Path | None, manifest: Manifest, adapter: str | None) -> None:
        assert manifest.proofs is not None  # there are mutants only where there are proofs
        self._file = file
        self._folder = manifest.proofs
        versions = installed_versions(manifest.versions)
        server = manifest.server.kind, manifest.server.image
        basis = json.dumps([adapter, server, platform.python_version(), sorted(versions.items())])
        self._basis = hashlib.sha256(basis.encode() + b"".join(self._tools(manifest.fixtures)))
        self._earlier = self._read()
        self._found: dict[str, list[str]] = {}
        self._lock = threading.Lock()
        self._module = cache(Path.read_bytes)

    def recall(self, case: Case) -> tuple[Fate, str] | None:
        """Return what an earlier run found: the fate of a case's mutant, and the proof's error."""
        if (found := self._earlier.get(self._digest(case))) is None:
            return None
        fate, why = found
        return "killed" if fate == "killed" else "survived", why

    def keep(self, case: Case, fate: Fate, why: str) -> None:
        """Note a fate."""
        with self._lock:
            self._found[self._digest(case)] = [fate, why]

    def save(self) -> None:
        """Write the file, whole or not at all."""
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            scratch = self._file.with_suffix(".part")
            with self._lock:  # who was interrupted saves while others still try
                text = json.dumps(self._earlier | self._found)
            scratch.write_text(text, encoding="utf-8")
            scratch.replace(self._file)

    def _tools(self, fixtures: Path | None) -> Iterable[bytes]:
        for file in sorted(self._folder.rglob("*.py")):
            if not file.name.startswith("test_"):
                yield file.read_bytes()
        if fixtures is not None:
            yield fixtures.read_bytes()

    def _digest(self, case: Case) -> str:
        digest = self._basis.copy()
        digest.update(self._module(case.proof.file))
        name = f"{case.proof.file.relative_to(self._folder)}::{case.proof.name}"
        digest.update(json.dumps([name, case.values], sort_keys=True).encode())
        return digest.hexdigest()

    def _read(self) -> dict[str, list[str]]:
        if self._file is None or not self._file.exists():
            return {}
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
        except ValueError:  # cut off by a full disk: begin anew
            return {}
        return found if isinstance(found, dict) else {}
