"""Checks the front matter of a SKILL.md against the Agent Skills specification."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from proveskill.markdown import parse
from proveskill.model import Failure
from proveskill.yaml_lines import line_of

# https://agentskills.io/specification. Plain code: a JSON Schema validator takes longer to
# import than all the rest of a small pack takes to run.
_LONGEST = {"name": 64, "description": 1024, "compatibility": 500}
_TEXTS = ("name", "description", "license", "compatibility", "allowed-tools")
_KEYS = (*_TEXTS, "metadata")


class _Wrong(ValueError):
    def __init__(self, key: str, message: str) -> None:
        super().__init__(f"front matter: {message}")
        self.key = key


def read_front_matter(text: str) -> dict[str, Any]:
    """Return the front matter of a Markdown text; nothing where there is none that is a mapping."""
    import yaml  # only once a SKILL.md is read

    tokens = parse(text)
    if not tokens or tokens[0].type != "front_matter":
        return {}
    try:
        data = yaml.safe_load(tokens[0].content)
    except yaml.YAMLError:
        return {}
    return data if isinstance(data, dict) else {}


def body_of(text: str) -> str:
    """Return what stands below the front matter, without leading blank lines."""
    tokens = parse(text)
    start = tokens[0].map[1] if tokens and tokens[0].type == "front_matter" and tokens[0].map else 0
    return "\n".join(text.split("\n")[start:]).lstrip("\r\n")


def check_front_matter(file: Path, shown: str) -> Failure | None:
    """Return what is wrong with a SKILL.md's front matter; ``shown`` is its name in messages."""

    import yaml  # only once a SKILL.md is checked

    def failure(line: int, message: str) -> Failure:
        return Failure(type="FrontMatter", message=message, file=shown, line=line)

    tokens = parse(file.read_text(encoding="utf-8-sig"))
    if not tokens or tokens[0].type != "front_matter":
        return failure(1, "SKILL.md must start with front matter: a line ---, keys, a line ---")
    text = tokens[0].content
    try:
        data = yaml.safe_load(text)
        _check(data, file.parent.resolve().name)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 2
        return failure(line, f"front matter is not valid YAML: {error.problem}")
    except _Wrong as wrong:
        positions = yaml.compose(text, Loader=yaml.SafeLoader)
        return failure(line_of(positions, [wrong.key]) + 1, str(wrong))
    return None


def _check(data: Any, folder: str) -> None:
    if not isinstance(data, dict):
        raise _Wrong("", "keys and values are missing; name and description are required")
    for key in data:
        if key not in _KEYS:
            raise _Wrong(str(key), f"unknown key {key!r}; known: {', '.join(_KEYS)}")
    for key in ("name", "description"):
        if not data.get(key):
            raise _Wrong(key, f"{key!r} is missing")
    for key in _TEXTS:
        value = data.get(key, "")
        if not isinstance(value, str):
            raise _Wrong(key, f"{key} must be text, not {type(value).__name__}; quote it")
        if len(value) > (limit := _LONGEST.get(key, len(value))):
            raise _Wrong(key, f"{key} has {len(value)} characters; at most {limit} are allowed")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", data["name"]):
        raise _Wrong("name", f"name {data['name']!r}: use a-z, 0-9 and single hyphens")
    if data["name"] != folder:
        raise _Wrong("name", f"name {data['name']!r} is not the folder's: {folder!r}")
    if re.search(r"[<>]", data["description"]):  # refused by Anthropic's own validator
        raise _Wrong("description", "description may not contain < or >")
    metadata = data.get("metadata", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise _Wrong("metadata", "metadata must map keys to texts; quote numbers and versions")
