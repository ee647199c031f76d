"""Finds and ends the processes that a fence left running."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

_PR_SET_CHILD_SUBREAPER = 36
_PRCTL: Any = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


def adopt_orphans() -> None:
    """Make orphaned descendants children of this process (Linux; prctl(2)).

    A fence that detaches a process, with ``setsid`` or a double fork, cannot hide it then.
    """
    if _PRCTL is not None:
        _PRCTL(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def stop_children() -> list[str]:
    """Kill every running descendant of this process; return a line about each child."""
    try:
        # One system call says whether there are children at all, which is rare.
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return []
    import psutil  # rarely needed: not worth a place in every fork

    stopped = []
    for pid in child_pids():
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            if process.status() != psutil.STATUS_ZOMBIE:
                command = " ".join(process.cmdline()) or process.name()
                stopped.append(f"{command[:80]} (pid {pid})")
                kill_tree(pid)
        # Until it is reaped it would be seen again, after an innocent fence.
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)
    return stopped


def kill_tree(pid: int) -> None:
    """Kill a process and all its descendants."""
    import psutil

    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for descendant in process.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                descendant.kill()
        process.kill()


def child_pids() -> set[int]:
    """Return the ids of this process's children, without multiprocessing's own helper."""
    tasks = Path("/proc/self/task")
    if not tasks.exists():  # not Linux
        import psutil

        pids = {child.pid for child in psutil.Process().children()}
    else:
        pids = set()
        for task in tasks.iterdir():
            with suppress(OSError):  # the thread ended meanwhile
                pids |= {int(pid) for pid in (task / "children").read_text().split()}
    # multiprocessing keeps this helper until the interpreter exits.
    tracker: Any = sys.modules.get("multiprocessing.resource_tracker")
    return pids - {tracker._resource_tracker._pid} if tracker is not None else pids
