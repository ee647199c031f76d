"""Commands of installers, run in a clean environment; folders, compared byte by byte."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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

    def shell(self, command: str, folder: Path, home: Path, *, status: int = 0) -> str:
        """Run a line as a user types it; no setting and no key of the real home is seen."""
        environment = {
            "HOME": str(home),
            "PATH": os.pathsep.join([str(self.folder), "/usr/local/bin", "/usr/bin", "/bin"]),
            "LANG": "C.UTF-8",
            **QUIET,
        }
        return run(["bash", "-c", command], folder, environment=environment, status=status)


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files of a skill, without what Python compiles in passing."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    }
