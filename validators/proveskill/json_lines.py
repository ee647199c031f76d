"""Data -> JSON that a person can read and diff: a line for each entry of a list of objects."""

from __future__ import annotations

import json
from typing import Any


def json_lines(document: dict[str, Any]) -> str:
    """Return the same bytes for the same data, keys in their order, ended by a line break."""
    return _block(document, "") + "\n"


def _block(value: Any, indent: str) -> str:
    inner = indent + "  "
    if isinstance(value, dict) and any(isinstance(v, (dict, list)) and v for v in value.values()):
        members = [f"{_line(key)}: {_block(member, inner)}" for key, member in value.items()]
        return "{\n" + ",\n".join(inner + member for member in members) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
        return "[\n" + ",\n".join(inner + _line(entry) for entry in value) + f"\n{indent}]"
    return _line(value)


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
