"""The private directory of a run: everything a keeper writes is inside it."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from proveskill.servers._model import ServerError

PREFIX = "proveskill-servers-"
SOCKET_NAME = "keeper.sock"
SPEC_NAME = "spec.json"
LOG_NAME = "keeper.log"
LONGEST_SOCKET_PATH = 100
"""Bytes; operating systems allow 104 to 108 for the address of a Unix socket."""
YOUNGEST_ABANDONED = 60.0
"""Seconds: a younger directory may be one that is just being set up."""
SHORT_BASE = Path("/tmp")
MEMORY_BASE = Path("/dev/shm")
ROOM_IN_MEMORY = 2 << 30
"""Bytes that must be free there; a run with a few hundred databases needs a tenth of it."""


def make_run_directory() -> Path:
    """Make a fresh directory below TMPDIR, or below /tmp where TMPDIR cannot serve.

    Without a TMPDIR it is made in memory, where there is room: creating a database writes some
    300 files, which a slow disk turns into tenths of a second. TMPDIR cannot serve when its
    path is too long for a Unix socket, or, for root, when the unprivileged account of the
    server cannot get into it. Raises ServerError.
    """
    try:
        base = MEMORY_BASE if _may_use_memory() else Path(tempfile.gettempdir())
        if not (_is_short(base) and _lets_the_server_in(base)):
            base = SHORT_BASE
        remove_abandoned(base)
        directory = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
        if os.geteuid() == 0:
            directory.chmod(0o711)
    except OSError as error:
        raise ServerError(
            f"no directory for the server's files can be made: {error}; "
            "point TMPDIR to a writable place with about 100 MB to spare"
        ) from error
    return directory


def remove_run_directory(directory: Path, patience: float = 10.0) -> None:
    """Remove the directory; a server that is just ending may still write, so try again.

    patience: seconds until the error of the last attempt is raised as OSError.
    """
    deadline = time.monotonic() + patience
    while directory.exists():
        try:
            shutil.rmtree(directory)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def remove_abandoned(base: Path) -> None:
    """Remove what runs left below `base` whose owner and keeper were both killed."""
    for address in base.glob(f"{PREFIX}*/{SOCKET_NAME}"):
        directory = address.parent
        with suppress(OSError):
            status = directory.stat()
            is_old = time.time() - status.st_mtime > YOUNGEST_ABANDONED
            if is_old and status.st_uid == os.geteuid() and not _is_listening(address):
                shutil.rmtree(directory)


def _is_listening(address: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(address))
        except ConnectionRefusedError:
            return False
    return True


def _may_use_memory() -> bool:
    if "TMPDIR" in os.environ or not os.access(MEMORY_BASE, os.W_OK | os.X_OK):
        return False
    place = os.statvfs(MEMORY_BASE)
    # The server's programs may have to be copied there, and run from there.
    runs_programs = not place.f_flag & os.ST_NOEXEC
    return runs_programs and place.f_bavail * place.f_frsize >= ROOM_IN_MEMORY


def _is_short(base: Path) -> bool:
    longest = base / f"{PREFIX}12345678" / SOCKET_NAME
    return len(os.fsencode(longest)) < LONGEST_SOCKET_PATH


def _lets_the_server_in(base: Path) -> bool:
    if os.geteuid() != 0:
        return True
    return all(folder.stat().st_mode & 0o001 for folder in (base, *base.parents))
