"""skill.yaml -> Manifest: what the engine must know of a pack, and nothing it can see itself."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from proveskill.channels.settings import Channels, read_channels
from proveskill.model import Limits, ManifestError, RunMode, Statement
from proveskill.servers import ServerError, ServerSpec
from proveskill.variants import Variant, read_variant
from proveskill.yaml_lines import explain, line_of

MANIFEST = "skill.yaml"
SKILL = "SKILL.md"


@dataclass(frozen=True)
class Manifest:
    """A pack. All paths are absolute."""

    root: Path
    name: str
    version: str | None = None
    skills: tuple[Path, ...] = ()
    run: RunMode = "all"
    """Which fences are executed; without a manifest those for which everything is there."""
    server: ServerSpec = field(default_factory=ServerSpec)
    fixtures: Path | None = None
    path: tuple[Path, ...] = ()
    preload: tuple[str, ...] = ()
    adapters: dict[str, Variant] = field(default_factory=dict)
    """By name, the default first; empty when the pack has one variant only."""
    limits: Limits = field(default_factory=Limits)
    not_run_budget: float = 1.0
    advice_budget: float = 1.0
    killed_budget: float = 0.95
    proofs: Path | None = None
    """Folder of the proofs."""
    advice: Path | None = None
    """File that lists the statements that are advice."""
    equivalents: Path | None = None
    """File that lists mutants after which a statement is still true."""
    proven_files: frozenset[str] | None = frozenset()
    """Names of the files whose statements must be proven or advice; None: all files."""
    versions: dict[str, str] = field(default_factory=dict)
    needs: dict[str, str] = field(default_factory=dict)
    """Of a package in ``versions``: a regular expression that the sections contain that need it."""
    channels: Channels | None = None
    matrix: dict[str, Any] | None = None
    """The key as it was read; :mod:`proveskill.matrix_sets` makes sets of it."""
    file: Path | None = None

    def holds(self, path: Path) -> bool:
        """Whether a path is a skill of this pack, inside one, or the pack itself."""
        return path in (self.root, self.file) or any(
            path == skill
            or skill in path.parents
            or (self.root in path.parents and path in skill.parents)
            for skill in self.skills
        )

    def files(self) -> list[Path]:
        """Return the Markdown files of the pack, SKILL.md first in each skill."""
        return [
            file
            for skill in self.skills
            for file in sorted(skill.rglob("*.md"), key=lambda f: (f.name != SKILL, f))
        ]

    def requires_proof(self, statement: Statement) -> bool:
        """Whether a statement must be proven, or listed as advice."""
        return self.proven_files is None or statement.id.partition("#")[0] in self.proven_files

    def name_of(self, file: Path) -> str:
        """Return a file's part of the ids: its stem, with folders where that is ambiguous."""
        if sum(other.stem == file.stem for other in self.files()) <= 1:
            return file.stem
        skill = next(skill for skill in self.skills if skill in file.parents)
        inside = file.relative_to(skill).with_suffix("")
        return str(inside if len(self.skills) == 1 else Path(skill.name, inside))


def find_manifest(path: Path) -> Manifest:
    """Return the pack that a path belongs to. Raises :class:`ManifestError`."""
    path = path.resolve()
    if not path.exists():
        raise ManifestError(f"{path}: no such file or folder")
    for folder in (path, *path.parents):
        if (folder / MANIFEST).is_file():
            manifest = read_manifest(folder / MANIFEST)
            if manifest.holds(path):
                return manifest
            break
    for folder in (path, *path.parents):
        if (folder / SKILL).is_file():
            return Manifest(root=folder, name=folder.name, skills=(folder,))
    raise ManifestError(
        f"{path}: neither a {MANIFEST} nor a {SKILL} here; name the folder of a skill, or write "
        f"a {MANIFEST} beside your skills folder (README, 'Use the engine on another pack')"
    )


def read_manifest(file: Path) -> Manifest:
    """Read and check a manifest. Raises :class:`ManifestError` with file and line."""
    try:
        text = file.read_text(encoding="utf-8")
        data = yaml.safe_load(text)
        positions = yaml.compose(text, Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{file}: {error}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ManifestError(f"{file}:{line}: not valid YAML: {error.problem}") from None
    from jsonschema import Draft202012Validator  # slow to import

    schema = json.loads(files("proveskill").joinpath("skill.schema.json").read_text())
    errors = sorted(Draft202012Validator(schema).iter_errors(data), key=lambda e: str(e.path))
    if errors:
        raise ManifestError(f"{file}:{explain(errors[0], positions)}")
    return _build(file, data, positions)


def _shown(server: dict[str, Any]) -> str:
    kind = str(server.get("kind", ""))
    return "" if "@" in kind else f"{kind!r}: "  # what stands before an @ may be a password


def _build(file: Path, data: dict[str, Any], positions: yaml.Node | None) -> Manifest:
    root = file.parent

    def existing(value: str, *keys: str | int) -> Path:
        path = (root / value).resolve()
        if not path.exists():
            line = line_of(positions, keys)
            raise ManifestError(f"{file}:{line}: {'.'.join(map(str, keys))}: no such path: {value}")
        return path

    skills = [existing(skill, "skills", index) for index, skill in enumerate(data["skills"])]
    for index, skill in enumerate(skills):
        if not (skill / SKILL).is_file():
            line = line_of(positions, ("skills", index))
            raise ManifestError(f"{file}:{line}: no {SKILL} in {data['skills'][index]}")
    server = dict(data.get("server", {}))
    if "schema" in server:
        server["schema"] = existing(server["schema"], "server", "schema")
    server["extensions"] = tuple(server.get("extensions", ()))
    try:
        spec = ServerSpec(**server)
    except ServerError as error:
        line = line_of(positions, ("server", "kind"))
        raise ManifestError(f"{file}:{line}: server.kind: {_shown(server)}{error}") from None
    adapters = data.get("adapters", {})
    proofs = data.get("proofs", {})
    required = proofs.get("required", bool(proofs))
    return Manifest(
        root=root,
        name=data["name"],
        version=data["version"],
        skills=tuple(skills),
        run=data.get("run", "all"),
        server=spec,
        fixtures=existing(data["fixtures"], "fixtures") if "fixtures" in data else None,
        path=tuple(existing(p, "path", i) for i, p in enumerate(data.get("path", []))),
        preload=tuple(data.get("preload", ())),
        adapters={
            name: read_variant(what or {}, name, existing) for name, what in adapters.items()
        },
        limits=Limits(**data.get("limits", {})),
        **{f"{name}_budget": share for name, share in data.get("budgets", {}).items()},
        proofs=existing(proofs["path"], "proofs", "path") if proofs else None,
        advice=existing(proofs["advice"], "proofs", "advice") if "advice" in proofs else None,
        equivalents=(
            existing(proofs["equivalents"], "proofs", "equivalents")
            if "equivalents" in proofs
            else None
        ),
        proven_files=None if required is True else frozenset(required or ()),
        versions=data.get("versions", {}),
        needs=_needs(file, data, positions),
        channels=read_channels(data.get("channels")),
        matrix=data.get("matrix"),
        file=file,
    )


def _needs(file: Path, data: dict[str, Any], positions: yaml.Node | None) -> dict[str, str]:
    needs: dict[str, str] = data.get("needs", {})
    for package, pattern in needs.items():
        where = f"{file}:{line_of(positions, ('needs', package))}: needs.{package}:"
        if package not in data.get("versions", {}):
            raise ManifestError(f"{where} no such package in 'versions'")
        try:
            re.compile(pattern)
        except re.error as error:
            raise ManifestError(f"{where} not a regular expression: {error}") from None
    return needs
