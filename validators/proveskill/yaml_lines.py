"""Where something stands in a YAML document: for the messages about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from jsonschema import ValidationError


def line_of(node: yaml.Node | None, path: Iterable[str | int]) -> int:
    """Return the line (from 1) of the deepest part of a path that a YAML document has."""
    line = 1
    for key in path:
        following: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            for name, value in node.value:
                if name.value == str(key):
                    line, following = name.start_mark.line + 1, value
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int):
            following = node.value[key]
            line = following.start_mark.line + 1
        if following is None:
            break
        node = following
    return line


def explain(error: ValidationError, positions: yaml.Node | None) -> str:
    """Return ``LINE: KEY.KEY: what is wrong``; of an unknown key which one may be meant."""
    path = list(error.absolute_path)
    message = error.message
    if error.validator == "additionalProperties" and isinstance(error.schema, dict):
        known = list(error.schema.get("properties", {}))
        instance: Any = error.instance
        unknown = next(key for key in instance if key not in known)
        path.append(unknown)
        near = difflib.get_close_matches(str(unknown), known, 1)
        message = f"unknown key; did you mean {near[0]!r}?" if near else (
            "unknown key; known: " + ", ".join(known)
        )  # fmt: skip
    where = ".".join(map(str, path))
    return f"{line_of(positions, path)}: {where + ': ' if where else ''}{message}"
