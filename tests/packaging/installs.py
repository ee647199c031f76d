"""Commands of installers, run in a clean environment; folders, compared byte by byte."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

NPM_TOOLS = Path(sys.prefix) / "npm"
"""Beside the packages of the environment: a gigabyte that `make clean` removes."""
NO_NPM = "npm is missing: apt-get install npm, or https://nodejs.org"
ROOT = Path(__file__).parents[2]
SKILL = ROOT / "skills" / "sqlspec-psqlpy"
QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "GEMINI_TELEMETRY_ENABLED": "false",
    "NO_COLOR": "1",
}

_REGISTRIES = re.compile(r"(?i)(pip|uv|npm_config|ssl|node_extra_ca)_|.*_proxy\Z")


def run(
    command: Sequence[str],
    folder: Path,
    *,
    environment: dict[str, str] | None = None,
    seconds: float = 180,
    status: int = 0,
) -> str:
    """Run a command to its end and return its output; fail when its exit status is another."""
    process = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert process.returncode == status, f"{' '.join(command)}: {process.stdout}"
    return process.stdout


@dataclass(frozen=True)
class Tools:
    """The commands of assistants and installers, with a home folder that is empty."""

    folder: Path

    def shell(
        self, command: str, folder: Path, home: Path, *, status: int = 0, seconds: float = 180
    ) -> str:
        """Run a line as a user types it; no setting and no key of the real home is seen.

        How registries are reached is what the environment says.
        """
        environment = {
            "HOME": str(home),
            "PATH": os.pathsep.join([str(self.folder), "/usr/local/bin", "/usr/bin", "/bin"]),
            "LANG": "C.UTF-8",
            **{name: value for name, value in os.environ.items() if _REGISTRIES.match(name)},
            **QUIET,
        }
        return run(
            ["bash", "-c", command],
            folder,
            environment=environment,
            status=status,
            seconds=seconds,
        )


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files of a skill, without what Python compiles in passing."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    }


def copy_checkout(folder: Path) -> Path:
    """Make a clean clone of what is committed here, or would be: no .venv, no caches."""
    listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], ROOT)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    run(["git", "init", "--quiet", "."], folder)
    return folder


def install_tools() -> Tools | None:
    """Install the commands of package.json into the environment, once; None without npm."""
    npm = shutil.which("npm")
    if npm is None:
        return None
    wanted = Path(__file__).with_name("package.json").read_bytes()
    done = NPM_TOOLS / "installed.json"
    if not done.is_file() or done.read_bytes() != wanted:
        NPM_TOOLS.mkdir(exist_ok=True)
        (NPM_TOOLS / "package.json").write_bytes(wanted)
        run(
            [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--prefer-offline"],
            NPM_TOOLS,
            seconds=600,
        )
        done.write_bytes(wanted)
    return Tools(NPM_TOOLS / "node_modules" / ".bin")
