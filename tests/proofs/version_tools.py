"""For sentences that say from which version on something holds.

Their proofs hold on both sides of that version, so `make matrix` proves them below it, too; and it
shows that what is listed in `matrix.breaks` holds from the versions here on and breaks before.
"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.version import Version
from sqlspec.adapters.psqlpy import PsqlpyDriver

MANIFEST = Path(__file__).parents[2] / "skill.yaml"


def versions_needed(package: str) -> set[str]:
    """Return the versions from which on some of the guidance holds, as the matrix measures."""
    breaks = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))["matrix"]["breaks"]
    needed = [Requirement(entry["holds"]) for entry in breaks if "holds" in entry]
    return {
        each.version
        for requirement in needed
        if requirement.name == package.lower()
        for each in requirement.specifier
    }


def has(package: str, version: str) -> bool:
    """Whether a package is installed in this version or a newer one."""
    return Version(metadata.version(package)) >= Version(version)


async def server_has(session: PsqlpyDriver, version: str) -> bool:
    """Whether the server is of this major version or a newer one."""
    number: int = await session.select_value("SELECT current_setting('server_version_num')::int")
    return number >= int(version) * 10_000
