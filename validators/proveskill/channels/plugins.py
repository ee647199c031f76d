"""A pack -> the JSON files that Claude Code, Codex, Cursor and Gemini CLI read.

Each assistant takes the repository as a plugin whose skills lie in one folder. Sources of the
formats: code.claude.com/docs (plugins, manifest-reference and marketplace-reference),
developers.openai.com/codex/plugins/build, cursor.com/docs/reference/plugins, and
docs/extensions/reference.md of google-gemini/gemini-cli.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from proveskill.channels.contents import Skill
from proveskill.channels.settings import Channels
from proveskill.manifest import SKILL, Manifest

_STANDARD = "./skills/"
"""Where Claude Code looks without being told; named once more, it would list each skill twice."""


def plugin_files(
    manifest: Manifest, channels: Channels, skills: Sequence[Skill]
) -> dict[str, bytes]:
    """Return path in the pack -> content, for every assistant."""
    description = " ".join(skill.description for skill in skills)
    summary = description.partition(". ")[0].rstrip(".") + "."
    title = channels.title or manifest.name
    licenses = sorted({skill.license for skill in skills if skill.license})
    where = _skill_paths(manifest.root, skills)
    about = {
        "name": manifest.name,
        "version": manifest.version,
        "description": description,
        "author": channels.author,
        "homepage": channels.homepage,
        "repository": channels.repository,
        "license": " AND ".join(licenses) or None,
        "keywords": list(channels.keywords) or None,
    }
    listed = {"name": manifest.name, "description": description, "category": channels.category}
    files: dict[str, dict[str, Any]] = {
        ".claude-plugin/plugin.json": {**about, "skills": None if where == _STANDARD else where},
        ".claude-plugin/marketplace.json": {
            "name": manifest.name,
            "owner": channels.author,
            "description": summary,
            "plugins": [{**listed, "source": "./", "keywords": about["keywords"]}],
        },
        ".codex-plugin/plugin.json": {
            **about,
            "skills": where,
            "interface": {
                "displayName": title,
                "shortDescription": summary,
                "longDescription": description,
                "developerName": channels.owner,
                "category": channels.category,
                "capabilities": ["Read"],
                "websiteURL": channels.homepage,
                "defaultPrompt": list(channels.prompts) or None,
            },
        },
        ".agents/plugins/marketplace.json": {
            "name": manifest.name,
            "interface": {"displayName": title},
            "plugins": [
                {
                    **listed,
                    "source": {"source": "local", "path": "./"},
                    "policy": {"installation": "AVAILABLE", "authentication": "ON_INSTALL"},
                }
            ],
        },
        ".cursor-plugin/plugin.json": {
            **about,
            "displayName": title,
            # The schema of Cursor allows an author no address.
            "author": {k: v for k, v in channels.author.items() if k != "url"},
            "category": channels.category,
            "skills": where,
        },
        "gemini-extension.json": {key: about[key] for key in ("name", "version", "description")},
    }
    return {path: _json(content) for path, content in files.items()}


def _skill_paths(root: Path, skills: Sequence[Skill]) -> str | list[str]:
    """Return the folder that holds these skills and no other, or else a list of their folders."""
    parents = {skill.folder.parent for skill in skills}
    (parent, *others) = parents
    if not others and parent.is_relative_to(root):
        beside = {file.parent for file in parent.glob(f"*/{SKILL}")}
        if beside == {skill.folder for skill in skills}:
            inside = parent.relative_to(root).as_posix()
            return "./" if inside == "." else f"./{inside}/"
    return ["./" if skill.place == "." else f"./{skill.place}" for skill in skills]


def _json(content: dict[str, Any]) -> bytes:
    return (json.dumps(_filled(content), indent=2, ensure_ascii=False) + "\n").encode()


def _filled(value: Any) -> Any:
    """Return a value without the keys that have none."""
    if isinstance(value, dict):
        return {key: _filled(inner) for key, inner in value.items() if inner is not None}
    return [_filled(inner) for inner in value] if isinstance(value, list) else value
