"""JSON documents, through the functions of the configuration.

SQLSpec's adapter never calls `json_serializer` and `json_deserializer` for a parameter or a
column: psqlpy converts by itself, refuses scalars, datetimes and UUIDs, and reads integers beyond
64 bits as floats. Here both are called for every document (promise P10).

What a str means for a json or jsonb parameter (SQLSpec's own rule for `$1::jsonb`): the text of a
document when it begins with `{` or `[` and is valid JSON, else a JSON string. `Json(value)` is
always the value itself: `Json("[1]")` is the string, `Json(None)` is JSON null (None is NULL).

Source: PostgreSQL manual 8.14. May be unnecessary when SQLSpec (0.69) applies its JSON codecs.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlspec.utils.serializers import to_json

from psqlpy_adapter.types.pgtype import Binary, Read, Unfit

Serializer = Callable[[Any], "str | bytes"]
Deserializer = Callable[[str], Any]

_MARK = secrets.token_hex(16)
_EXACT = re.compile(f'"{_MARK}([^"]*)"')


@dataclass(frozen=True, slots=True)
class Json:
    """A value to store as JSON whatever it is."""

    value: Any


def _simpler(value: Any) -> Any:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise Unfit(f"JSON has no number {value}")
        return f"{_MARK}{value}"  # the mark is cut off by dumps(): the digits become a number
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if hasattr(value, "tolist"):  # numpy arrays and scalars
        return value.tolist()
    return json.loads(to_json(value))  # what else SQLSpec can serialize


def dumps(value: Any) -> str:
    """Serialize with datetime, UUID and Decimal (all its digits, as a number) inside."""
    text = json.dumps(value, default=_simpler, ensure_ascii=False, allow_nan=False)
    return _EXACT.sub(r"\1", text) if _MARK in text else text


def _is_document(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def documents(
    serialize: Serializer, deserialize: Deserializer, prefix: bytes
) -> tuple[Binary, Read]:
    """Return the codec of json (`prefix` b"") or jsonb (b"\\1", its format's version)."""

    def binary(value: Any) -> bytes:
        try:
            if isinstance(value, str) and _is_document(value):
                return prefix + value.encode()
            text = serialize(value.value if isinstance(value, Json) else value)
            return prefix + (text.encode() if isinstance(text, str) else bytes(text))
        except Unfit:
            raise
        except UnicodeEncodeError as error:
            raise Unfit(f"it is not Unicode text ({error.reason})") from None
        except Exception as error:
            raise Unfit(f"{type(error).__name__}: {error}") from error

    def read(data: bytes) -> Any:
        return deserialize(data[len(prefix) :].decode())

    return binary, read
