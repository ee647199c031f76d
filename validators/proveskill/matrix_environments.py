"""A set of versions -> a virtual environment, made by uv and kept in the user's cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import requires
from pathlib import Path

import platformdirs
from packaging.requirements import Requirement
from packaging.version import Version

from proveskill.matrix_sets import NEWEST, VersionSet, canonical
from proveskill.model import ManifestError

_READY = ".proveskill-ready"
_KEPT_DAYS = 30
"""An environment that no run has used for so long is removed."""
_SHOWN_BYTES = 400


class Uninstallable(Exception):
    """A set cannot be installed; the message is the reason, in one line."""


@dataclass(frozen=True)
class Environment:
    """An environment with everything that the engine and the pack need, but not the engine."""

    python: Path
    versions: dict[str, str]
    """Of every installed package, by its canonical name."""

    def programs(self, folder: str) -> Path:
        """Return a folder of PostgreSQL's programs below site-packages. Raises Uninstallable."""
        inside = self.python.parent.parent.glob("lib/python*/site-packages")
        found = [path for path in (site / folder for site in inside) if path.is_dir()]
        if not found:
            raise Uninstallable(f"there is no folder {folder} in the installed packages")
        return found[0]


class Environments:
    """Makes environments, and asks the registry, with uv: its settings (UV_...) are obeyed."""

    def __init__(self) -> None:
        self._folder = platformdirs.user_cache_path("proveskill") / "matrix"

    def make(self, wanted: VersionSet) -> Environment:
        """Return the environment of a set, a new one or that of an earlier run.

        Raises :class:`Uninstallable`, and ``ManifestError`` where there is no uv.
        """
        python = self._interpreter(wanted.python)
        resolved = self._resolve(wanted)
        basis = [python, platform.python_version(), *resolved]  # a path may get another Python
        digest = hashlib.sha256("\n".join(basis).encode()).hexdigest()[:16]
        self._folder.mkdir(parents=True, exist_ok=True)
        with _locked(self._folder / f"{digest}.lock"):
            folder = self._folder / digest
            if not (folder / _READY).exists():
                shutil.rmtree(folder, ignore_errors=True)
                self._uv("venv", "--python", python, folder)
                into = ("--python", folder / "bin" / "python")
                self._uv("pip", "install", "--no-deps", "--no-build", *into, *resolved)
            (folder / _READY).touch()
        self._remove_old()
        versions = {}
        for line in resolved:
            requirement = Requirement(line)
            versions[canonical(requirement.name)] = next(iter(requirement.specifier)).version
        return Environment(folder / "bin" / "python", versions)

    def releases(self, package: str, low: str, high: str, python: str | None) -> list[str]:
        """Return the releases between two, without these, the lowest first.

        Those that the registry has for this Python and platform. uv lists no releases, but names
        the highest one below another.
        """
        found: list[str] = []
        while True:
            below = found[0] if found else high
            try:
                line = self._compile([f"{package}>{low},<{below}"], python, "--no-deps")[0]
            except (Uninstallable, IndexError):
                return found
            found.insert(0, next(iter(Requirement(line).specifier)).version)

    def _resolve(self, wanted: VersionSet) -> list[str]:
        """Return exact requirements of the pack and the engine, a line each."""
        newest = [name for name, version in wanted.packages.items() if version == NEWEST]
        lines = [
            name if version == NEWEST else f"{name}=={version}"
            for name, version in wanted.packages.items()
        ]
        lines += [*wanted.requires, *_engine_requirements()]
        options = [part for name in newest for part in ("--upgrade-package", name)]
        return self._compile(lines, wanted.python, *options, lock=wanted.lock)

    def _compile(
        self, lines: list[str], python: str | None, *options: str, lock: Path | None = None
    ) -> list[str]:
        with tempfile.TemporaryDirectory(prefix="proveskill-matrix-") as folder:
            wanted, resolved = Path(folder, "in.txt"), Path(folder, "out.txt")
            wanted.write_text("\n".join(lines) + "\n")
            if lock is not None:  # uv prefers the versions that the file has already
                shutil.copy(lock, resolved)
            self._uv(
                *("pip", "compile", "--no-build", "--no-header", "--no-annotate"),
                *("--python", self._interpreter(python), *options),
                *(wanted, "--output-file", resolved),
            )
            return [line for line in resolved.read_text().splitlines() if line.strip()]

    @cache  # noqa: B019 - there is one of this class in a run
    def _interpreter(self, version: str | None) -> str:
        """Return the program of a version of Python; uv may download it."""
        found = installed_python(version)
        if found is None:
            assert version is not None  # the Python that runs is always found
            find = ("python", "find", "--system", version)
            try:
                found = self._uv(*find)
            except Uninstallable:
                if os.environ.get("UV_PYTHON_DOWNLOADS") == "never":
                    raise
                self._uv("python", "install", version)
                found = self._uv(*find)
        return found

    def _uv(self, *arguments: str | Path) -> str:
        with subprocess.Popen(
            [self._program, *map(str, arguments), "--no-progress"],
            env={**os.environ, "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                output, errors = process.communicate()
            except BaseException:  # unlike subprocess.run wait for its end after Ctrl-C, too
                process.kill()
                process.wait()
                raise
        if process.returncode != 0:
            raise Uninstallable(_reason(errors))
        return output.strip()

    @cached_property
    def _program(self) -> str:
        try:
            from uv import find_uv_bin
        except ImportError:
            found = shutil.which("uv")
        else:
            found = find_uv_bin()
        if found is None:
            raise ManifestError("uv is missing, which makes the environments: pip install uv")
        return str(found)

    def _remove_old(self) -> None:
        limit = time.time() - _KEPT_DAYS * 86_400
        for ready in self._folder.glob(f"*/{_READY}"):
            with suppress(FileNotFoundError):  # another process has just removed it
                if ready.stat().st_mtime < limit:
                    shutil.rmtree(ready.parent, ignore_errors=True)


def installed_python(version: str | None) -> str | None:
    """Return the program of this Python, or of one of pyenv's, that has a version."""
    running = platform.python_version()
    if version is None or f"{running}.".startswith(f"{version}."):
        return sys.executable
    # pyenv puts programs on PATH that refuse to run, and uv stops at them.
    installed = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    found = [
        path
        for path in installed.glob(f"{version}*")
        if f"{path.name}.".startswith(f"{version}.") and path.name.replace(".", "").isdigit()
    ]
    best = max(found, key=lambda path: Version(path.name), default=None)
    return None if best is None else str(best / "bin" / "python")


def _engine_requirements() -> list[str]:
    lines = [Requirement(line) for line in requires("proveskill") or ()]
    return [
        str(line) for line in lines if line.marker is None or line.marker.evaluate({"extra": ""})
    ]


def _reason(stderr: str) -> str:
    """Return uv's complaint in one line, without what it draws and did before."""
    complaint = f"\n{stderr}".rpartition("\nerror: ")[2]
    words = " ".join(re.sub(r"[^ -~]+", " ", complaint).split())
    return words if len(words) <= _SHOWN_BYTES else f"{words[: _SHOWN_BYTES - 1]}…"


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Let one process at a time make an environment."""
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
