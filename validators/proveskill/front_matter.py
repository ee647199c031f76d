"""Checks the front matter of a SKILL.md against the Agent Skills specification."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from proveskill.manifest import line_of
from proveskill.markdown import parse
from proveskill.model import Failure

# https://agentskills.io/specification; additionally no '<' or '>' in the description, which
# Anthropic's own validator refuses.
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["name", "description"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "maxLength": 64, "pattern": r"^[a-z0-9]+(-[a-z0-9]+)*$"},
        "description": {
            "type": "string",
            "minLength": 1,
            "maxLength": 1024,
            "pattern": r"^[^<>]*$",
        },
        "license": {"type": "string"},
        "compatibility": {"type": "string", "minLength": 1, "maxLength": 500},
        "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
        "allowed-tools": {"type": "string"},
    },
}


def check_front_matter(file: Path, shown: str) -> Failure | None:
    """Return what is wrong with a SKILL.md's front matter; ``shown`` is its name in messages."""

    import jsonschema  # slow to import, and only needed once a SKILL.md is checked

    def failure(line: int, message: str) -> Failure:
        return Failure(type="FrontMatter", message=message, file=shown, line=line)

    tokens = parse(file.read_text(encoding="utf-8"))
    if not tokens or tokens[0].type != "front_matter":
        return failure(1, "SKILL.md must start with front matter: a line ---, keys, a line ---")
    text = tokens[0].content
    try:
        data = yaml.safe_load(text)
        positions = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 2
        return failure(line, f"front matter is not valid YAML: {error.problem}")
    errors = sorted(jsonschema.Draft202012Validator(_SCHEMA).iter_errors(data), key=str)
    if errors:
        path = errors[0].absolute_path
        name = ".".join(map(str, path))
        message = f"front matter{': ' + name if name else ''}: {errors[0].message}"
        return failure(line_of(positions, path) + 1, message)
    if data["name"] != file.parent.resolve().name:
        message = f"front matter: name {data['name']!r} is not the folder's: {file.parent.name!r}"
        return failure(line_of(positions, ["name"]) + 1, message)
    return None
