"""Forks: psqlpy hangs for ever in a child that was forked after it had connected.

Its threads, which do the work, are not in the child. May be unnecessary when psqlpy starts its
runtime anew after a fork.
"""

from __future__ import annotations

import os

from sqlspec.exceptions import DatabaseConnectionError

_process = {"has_connected": False, "is_forked": False}


def has_connected() -> None:
    """Note that psqlpy's threads run now."""
    _process["has_connected"] = True


def refuse_fork() -> None:
    """Raise DatabaseConnectionError in a child that was forked after `has_connected`."""
    if _process["is_forked"]:
        raise DatabaseConnectionError(
            "this process was forked after psqlpy had connected in its parent, and psqlpy hangs "
            "in such a child; fork first, or start children with 'spawn' or 'forkserver'"
        )


def _after_fork() -> None:
    _process["is_forked"] = _process["is_forked"] or _process["has_connected"]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
