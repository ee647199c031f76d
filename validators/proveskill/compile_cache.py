"""Remembers compiled fences between runs: rewriting asserts is most of what collection costs."""

from __future__ import annotations

import hashlib
import pickle
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from proveskill.model import Snippet
from proveskill.python_source import PythonCode, compile_snippet

_STAMP = f"{sys.implementation.cache_tag} pytest {pytest.__version__}"


_MOST = 5_000
"""Fences kept; a cache that has grown past this starts anew from what the run used."""


class CompileCache:
    """Compiled fences of one run, kept in a folder when there is one that can be written."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._known: dict[str, PythonCode] = {}
        self._used: dict[str, PythonCode] = {}
        if folder is not None:
            # A missing, unreadable or outdated cache is only slower.
            with suppress(Exception):
                self._known = pickle.loads(self._file(folder).read_bytes())

    def compile(self, snippet: Snippet, filename: str, keep_result: bool) -> PythonCode:
        """Compile a fence or return what it compiled to before. Raises ``BadPython``."""
        key = f"{filename}\0{snippet.first_line}\0{keep_result}\0{snippet.source}"
        digest = hashlib.sha256(key.encode()).hexdigest()
        code = self._known.get(digest) or compile_snippet(
            snippet, filename, keep_result=keep_result
        )
        self._used[digest] = code
        return code

    def save(self) -> None:
        """Write what this run used, if that is news and the folder can be written."""
        if self._folder is None or self._used.keys() <= self._known.keys():
            return
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            file = self._file(self._folder)
            scratch = file.with_suffix(f".{id(self)}")
            kept = {**self._known, **self._used}
            scratch.write_bytes(pickle.dumps(kept if len(kept) < _MOST else self._used))
            scratch.replace(file)

    @staticmethod
    def _file(folder: Path) -> Path:
        engine = hashlib.sha256(
            b"".join(p.read_bytes() for p in sorted(Path(__file__).parent.glob("*.py")))
        ).hexdigest()[:12]
        return folder / f"fences-{hashlib.sha256(_STAMP.encode()).hexdigest()[:8]}-{engine}.pickle"
