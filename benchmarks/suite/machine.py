"""The machine: which core does what, and what is installed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

PACKAGES = (
    *("psqlpy", "sqlspec", "asyncpg", "psycopg", "psycopg-binary", "psycopg-pool", "pgvector"),
    *("adbc-driver-postgresql", "pyarrow", "numpy", "uvloop", "pyperf"),
)


def split_cores() -> tuple[int, set[int]] | None:
    """(core of the server, cores of the client); None where there is only one."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    *others, last = sorted(os.sched_getaffinity(0))
    return (last, set(others)) if others else None


def pin_client(cores: Iterable[int]) -> None:
    """Keep this process, with the threads that it has and will have, on these cores."""
    for thread in Path("/proc/self/task").iterdir():
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(thread.name), cores)


def pin_server(backend: int, core: int) -> None:
    """Keep a server on a core: the parent of a backend, and all its children.

    Raises psutil.Error or OSError where that is not allowed.
    """
    postmaster = psutil.Process(backend).parent()
    assert postmaster is not None
    for process in (postmaster, *postmaster.children()):
        process.cpu_affinity([core])


def versions() -> dict[str, str]:
    """The versions of what takes part."""
    found = {"python": sys.version.split()[0]}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found
