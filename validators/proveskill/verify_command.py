"""``proveskill verify``: thin over pytest, which does the running."""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import signal
import sys
from dataclasses import replace
from pathlib import Path

import platformdirs
import pytest

from proveskill.account import read_account
from proveskill.exit_status import USAGE, WRONG
from proveskill.fixture_index import read_fixtures
from proveskill.manifest import Manifest, find_manifest
from proveskill.model import OUTPUTS, ManifestError
from proveskill.report import other_versions
from proveskill.variants import choose_variants
from proveskill.writing import require_folder

# Fences run in workers, which capture for themselves: in this process nothing is left for the
# parts of pytest that watch over test functions, and the last two end every run with a full
# garbage collection.
_UNUSED_PARTS = (
    "--capture=sys",
    *("-p", "no:logging"),
    *("-p", "no:warnings"),
    *("-p", "no:doctest"),
    *("-p", "no:unittest"),
    *("-p", "no:unraisableexception"),
    *("-p", "no:threadexception"),
)


def verify(options: argparse.Namespace) -> int:
    """Run a pack; return the exit status. Raises ``ManifestError`` and ``ServerError``."""
    manifest, arguments = _targets(options.paths)
    _check(manifest, options)
    arguments += ["--disable-plugin-autoload", "-p", "proveskill.plugin", "--noconftest"]
    # A foreign folder's own pytest settings are not ours to obey.
    arguments += ["-c", os.devnull, f"--rootdir={manifest.root}", "-rfEs", "--no-header"]
    # Else pytest would look through every folder above, down from the root of the file system.
    arguments += [f"--confcutdir={manifest.root}"]
    arguments += ["--continue-on-collection-errors", *_UNUSED_PARTS]
    arguments += _cache_options(manifest)
    for name in ("server", "image", "adapter", "report", *OUTPUTS, "jobs", "timeout"):
        if (value := getattr(options, name)) is not None:
            arguments.append(f"--proveskill-{name}={value}")
    if options.run_mode is not None:
        arguments += [f"--proveskill-run={options.run_mode}"]
    if options.require_proofs:
        arguments += ["--proveskill-require-proofs"]
    if options.keyword:
        arguments += ["-k", options.keyword]
    arguments += ["-x"] * options.first + ["--lf"] * options.lf
    arguments += ["-" + "v" * options.verbose] if options.verbose else []
    print("\n".join([_headline(manifest, options), *other_versions(manifest)]), flush=True)
    watch = _Watch()
    signal.signal(signal.SIGTERM, watch.terminate)
    status = int(pytest.main(arguments, plugins=[watch]))
    if status == pytest.ExitCode.NO_TESTS_COLLECTED:
        what = f"nothing matches -k {options.keyword!r}" if options.keyword else "no fence found"
        target = " ".join(path.partition("::")[0] for path in options.paths)
        print(f"error: {target}: {what}: nothing was proven", file=sys.stderr)
        return USAGE if options.keyword else WRONG
    if status == pytest.ExitCode.USAGE_ERROR or watch.internal_error:
        return USAGE
    return watch.signal + 128 if watch.signal else status


def _targets(paths: list[str]) -> tuple[Manifest, list[str]]:
    """Return the pack that all paths belong to, and what pytest is to collect.

    Raises ``ManifestError``.
    """
    found: list[str] = []
    manifests: dict[Path, Manifest] = {}
    for path in paths:
        target, separator, item = path.partition("::")
        manifest = find_manifest(Path(target))
        manifests[manifest.root] = manifest
        found += [f"{each}{separator}{item}" for each in _skill_paths(manifest, Path(target))]
    if len(manifests) > 1:
        roots = " and ".join(map(str, manifests))
        raise ManifestError(f"{roots} are packs of their own: verify them one after the other")
    return manifest, found


def _cache_options(manifest: Manifest) -> list[str]:
    """Keep compiled fences and what failed: in the pack, or in the user's cache for others'."""
    if manifest.file is not None:
        folder = manifest.root / ".pytest_cache"
    else:
        name = hashlib.sha256(str(manifest.root).encode()).hexdigest()[:16]
        folder = platformdirs.user_cache_path("proveskill") / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:  # a read-only home, or pack
        return ["-p", "no:cacheprovider"]
    if not os.access(folder, os.W_OK):
        return ["-p", "no:cacheprovider"]
    return ["-o", f"cache_dir={folder}"]


def _check(manifest: Manifest, options: argparse.Namespace) -> None:
    """Find what is wrong with the command before anything is collected or started."""
    replace(manifest.server, kind=options.server or manifest.server.kind)
    choose_variants(manifest.adapters, options.adapter, manifest.file or manifest.root)
    read_fixtures(manifest.fixtures)
    read_account(manifest)
    for name in ("report", *OUTPUTS):
        require_folder(name, getattr(options, name))


def _headline(manifest: Manifest, options: argparse.Namespace) -> str:
    adapter = options.adapter or next(iter(manifest.adapters), None)
    kind = options.server or manifest.server.kind
    server = "a server at an address" if "://" in kind else f"server {kind}"
    parts = [server, f"adapter {adapter}" if adapter else "", f"Python {platform.python_version()}"]
    return f"{manifest.name} {manifest.version or ''}: {', '.join(filter(None, parts))}"


class _Watch:
    """Tells apart what pytest's exit status does not."""

    def __init__(self) -> None:
        self.internal_error = False
        self.signal = 0

    def terminate(self, number: int, _frame: object) -> None:
        """Treat SIGTERM as Ctrl-C, so that everything is closed in order."""
        self.signal = number
        raise KeyboardInterrupt

    def pytest_internalerror(self) -> None:
        """Note a bug of the engine or of pytest."""
        self.internal_error = True

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Note Ctrl-C, but not a run that the engine itself gave up."""
        if excinfo.type is KeyboardInterrupt:  # pytest.exit() and others derive from it
            self.signal = self.signal or signal.SIGINT


def _skill_paths(manifest: Manifest, target: Path) -> list[Path]:
    """Return what pytest is to collect: the target, or the skills below it."""
    target = target.resolve()
    if target == manifest.root or target == manifest.file:
        return list(manifest.skills)
    if target.is_file() or any(s == target or s in target.parents for s in manifest.skills):
        return [target]
    return [skill for skill in manifest.skills if target in skill.parents]
