"""``proveskill channels``: write, or check, what assistants and installers read of a pack."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from proveskill.channels.contents import read_skill
from proveskill.channels.indexes import MARK, MOST_BYTES, index_files
from proveskill.channels.plugins import plugin_files
from proveskill.channels.web import web_files
from proveskill.exit_status import OK, WRONG
from proveskill.front_matter import check_front_matter
from proveskill.manifest import Manifest, find_manifest
from proveskill.model import ManifestError
from proveskill.writing import write_file


def channels(options: argparse.Namespace) -> int:
    """Write or check the files; return the exit status. Raises ``ManifestError``."""
    manifest = find_manifest(Path(options.path))
    if manifest.file is None or manifest.channels is None:
        raise ManifestError(
            f"{manifest.file or manifest.root}: no key 'channels', which says who publishes the "
            "pack; the least is 'channels: {owner: {name: ...}}' in skill.yaml"
        )
    if wrong := _front_matter(manifest):
        print("\n".join(wrong))
        return WRONG
    skills = [read_skill(folder, manifest) for folder in manifest.skills]
    indexes = index_files(manifest, manifest.channels, skills)
    if len(indexes["AGENTS.md"]) > MOST_BYTES:
        print(
            f"AGENTS.md would have {len(indexes['AGENTS.md'])} bytes, even without the titles of "
            f"sections; at most {MOST_BYTES} fit: shorten the first sentence of the files"
        )
        return WRONG
    files = {**plugin_files(manifest, manifest.channels, skills), **indexes}
    if options.web is not None:
        _refuse_inside_skill(Path(options.web), manifest)
    if options.check:
        return _check(files, manifest, options.path)
    _refuse_others(manifest.root, indexes)
    _write(files, manifest.root)
    if options.web is not None:
        root = Path(options.web)
        texts = {name: indexes[name] for name in ("llms.txt", "llms-full.txt")}
        _write({**texts, **web_files(skills)}, root)
    return OK


def _front_matter(manifest: Manifest) -> list[str]:
    found = []
    for folder in manifest.skills:
        shown = os.path.relpath(folder / "SKILL.md", manifest.root)
        if failure := check_front_matter(folder / "SKILL.md", shown):
            found.append(f"{failure.file}:{failure.line}: {failure.message}")
    return found


def _check(files: dict[str, bytes], manifest: Manifest, path: str) -> int:
    wrong = []
    for name, content in files.items():
        file = manifest.root / name
        found = file.read_bytes() if file.is_file() else None
        if found is None:
            wrong.append(f"{name}: missing")
        elif found != content:
            wrong.append(f"{name}:{_first_difference(found, content)}")
    for line in wrong:
        print(line)
    if wrong:
        print(f"{len(wrong)} of {len(files)} files are not what skill.yaml and the skills say")
        print(f"again: proveskill channels {path}")
        return WRONG
    print(f"{len(files)} files are what skill.yaml and the skills say")
    return OK


def _first_difference(found: bytes, wanted: bytes) -> str:
    old, new = (text.decode(errors="replace").splitlines() for text in (found, wanted))
    for number in range(max(len(old), len(new))):
        left, right = ("".join(text[number : number + 1]) for text in (old, new))
        if left != right:
            pairs = enumerate(zip(left, right, strict=False))
            at = next((i for i, (a, b) in pairs if a != b), min(len(left), len(right)))
            has, should = (repr(line[max(0, at - 20) : at + 40]) for line in (left, right))
            return f"{number + 1}: has {has}, should be {should}"
    return "1: only the ends of its lines differ"


def _refuse_inside_skill(web: Path, manifest: Manifest) -> None:
    """Raise ``ManifestError`` for a web root that the next archive of a skill would hold."""
    for skill in manifest.skills:
        if web.resolve().is_relative_to(skill):
            raise ManifestError(
                f"--web {web} is inside the skill {skill}, which would hold its own archive then; "
                "name a folder outside of it"
            )


def _refuse_others(root: Path, texts: dict[str, bytes]) -> None:
    """Raise ``ManifestError`` for a text of that name that somebody has written by hand."""
    for name in texts:
        file = root / name
        if file.is_file() and MARK.encode() not in file.read_bytes():
            raise ManifestError(
                f"{file}: not made by this command, so it is not overwritten; move its text to "
                "another file, and delete it"
            )


def _write(files: dict[str, bytes], root: Path) -> None:
    """Write what has changed, each file whole or not at all, and say so."""
    written = 0
    for name, content in files.items():
        file = root / name
        if file.is_file() and file.read_bytes() == content:
            continue
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ManifestError(f"cannot write {file}: {error.strerror}") from None
        write_file(content, file)
        written += 1
    print(f"{root}: {written} of {len(files)} files written, the others are up to date")
