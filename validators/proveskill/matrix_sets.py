"""The key ``matrix`` of skill.yaml -> sets of versions, and what is known to break in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from proveskill.manifest import Manifest
from proveskill.model import ManifestError
from proveskill.yaml_lines import line_of

NEWEST = "newest"
"""In place of a version: whatever the registry has."""


@dataclass(frozen=True)
class VersionSet:
    """Versions to verify a pack with; what is None is as in a plain run of the pack."""

    name: str
    packages: Mapping[str, str]
    """Exact versions, or ``NEWEST``, of what the pack is about."""
    requires: tuple[str, ...] = ()
    """Further requirements, PEP 508."""
    lock: Path | None = None
    """Exact versions that all other packages should have where they can."""
    python: str | None = None
    server: str | None = None
    image: str | None = None
    programs: str | None = None
    """Folder of another PostgreSQL's programs: below site-packages, or absolute."""
    optional: bool = False
    """Whether it may be left out where it cannot be had."""


@dataclass(frozen=True)
class KnownBreak:
    """What is known to break, where and why."""

    items: tuple[str, ...]
    """Patterns of ids."""
    sets: tuple[str, ...]
    reason: str
    holds: Requirement | None = None
    """The versions with which the items hold; ``python`` is a name like that of a package."""
    says: str | None = None
    """Words of the statement of the pack that says so."""
    unsaid: str | None = None
    """Why no statement needs to."""

    def covers(self, identifier: str) -> bool:
        """Whether a fence or a statement is one of the items."""
        return any(fnmatchcase(identifier, pattern) for pattern in self.items)


@dataclass(frozen=True)
class Matrix:
    """All sets of a pack, by name; the first one is what the others are compared with."""

    sets: Mapping[str, VersionSet]
    breaks: tuple[KnownBreak, ...] = ()
    adapter: str | None = None

    @property
    def packages(self) -> tuple[str, ...]:
        """Names of the packages that the sets are about."""
        return tuple(dict.fromkeys(name for one in self.sets.values() for name in one.packages))


def read_matrix(manifest: Manifest) -> Matrix:
    """Return the matrix of a pack. Raises :class:`ManifestError` with file and line."""
    if manifest.matrix is None or manifest.file is None:
        raise ManifestError(
            f"{manifest.file or manifest.root}: there are no sets of versions (key 'matrix')"
        )
    fields = manifest.matrix
    wrong = WrongMatrix(manifest.file)
    if (lock := _lock(fields, manifest.root)) is not None and not lock.is_file():
        raise wrong(f"no such file: {fields['lock']}", "lock")
    pinned = {name: text for name, text in manifest.versions.items() if name != "postgresql"}
    common = _requirements(fields, wrong)
    sets = {}
    for name, values in fields["sets"].items():
        own: dict[str, Any] = dict(values or {})
        named = own.pop("packages", {})
        changed = dict.fromkeys(pinned, NEWEST) if named == NEWEST else dict(named)
        for package, version in changed.items():
            text = package if version == NEWEST else f"{package}=={version}"
            _requirement(text, wrong, "sets", name, "packages", package)
        own["requires"] = (*common, *_requirements(own, wrong, "sets", name))
        own["lock"] = None if "lock" in own else lock
        sets[name] = VersionSet(name=name, packages={**pinned, **changed}, **own)
    breaks = [
        _known_break(entry, sets, wrong, "breaks", index)
        for index, entry in enumerate(fields.get("breaks", ()))
    ]
    return Matrix(sets, tuple(breaks), fields.get("adapter"))


class WrongMatrix:
    """Makes the error of what stands under keys below ``matrix``."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __call__(self, message: str, *keys: str | int) -> ManifestError:
        """Return the error of what stands under these keys, with file and line."""
        keys = ("matrix", *keys)
        document = yaml.compose(self._file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        line = line_of(document, keys)
        return ManifestError(f"{self._file}:{line}: {'.'.join(map(str, keys))}: {message}")


def _lock(fields: Mapping[str, Any], root: Path) -> Path | None:
    return root / fields["lock"] if "lock" in fields else None


def _requirements(
    fields: Mapping[str, Any], wrong: WrongMatrix, *keys: str | int
) -> tuple[str, ...]:
    texts = tuple(fields.get("requires", ()))
    for index, text in enumerate(texts):
        _requirement(text, wrong, *keys, "requires", index)
    return texts


def canonical(name: str) -> str:
    """Return the name under which packages are compared: ``Foo_Bar`` is ``foo-bar``."""
    return str(canonicalize_name(name))


def _known_break(
    entry: dict[str, Any], sets: Mapping[str, VersionSet], wrong: WrongMatrix, *where: str | int
) -> KnownBreak:
    for number, name in enumerate(entry["sets"]):
        if name not in sets:
            raise wrong(f"no set {name!r}; known: {', '.join(sets)}", *where, "sets", number)
    holds, says = entry.get("holds"), entry.get("says")
    requirement = _requirement(holds, wrong, *where, "holds") if holds else None
    if requirement is not None and not requirement.specifier:
        raise wrong(f"{holds!r} has no version; write it like psqlpy>=0.13", *where, "holds")
    reason = entry.get("unsaid")
    if (requirement is None) != (says is None and reason is None) or (says and reason):
        raise wrong(
            "`holds` goes with either `says`, words of the statement that tells readers that "
            "version, or `unsaid`, the reason why none does",
            *where,
        )
    if says and requirement and not _names(says, requirement):
        raise wrong(
            f"{says!r} does not name the package and the version of `holds`: {holds}",
            *where,
            "says",
        )
    return KnownBreak(
        tuple(entry["items"]), tuple(entry["sets"]), entry["reason"], requirement, says, reason
    )


def _names(text: str, requirement: Requirement) -> bool:
    """Whether a text has the name of a requirement, however written, and one of its versions."""
    words = re.findall(r"\w+(?:[.-]\w+)*", text)
    return canonical(requirement.name) in map(canonical, words) and any(
        each.version in words for each in requirement.specifier
    )


def _requirement(text: str, wrong: WrongMatrix, *keys: str | int) -> Requirement:
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        raise wrong(f"{text!r} is no requirement: {str(error).splitlines()[0]}", *keys) from None
