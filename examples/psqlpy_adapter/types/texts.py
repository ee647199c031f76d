"""Text in its several types, bytea, uuid, bool, enums, and the types that are text on the wire.

psqlpy writes a UUID given for text as sixteen garbage bytes, reads uuid as str, cannot read
char(n), and raises TypeError (not SQLSpec's) for a wrong Python type. Here a UUID becomes its
canonical text, char(n) is read with its padding, and uuid is read as uuid.UUID.

Source: PostgreSQL manual 8.3, 8.4, 8.6, 8.7, 8.12. May be unnecessary when psqlpy (0.13.1) does it.
"""

from __future__ import annotations

import enum
import uuid
from typing import Any

from psqlpy_adapter.types.pgtype import ServerParses, Unfit, expected


def plain_text(value: Any) -> str:
    """Return the str to store for a str, a str-valued enum member or a UUID."""
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, enum.Enum) and isinstance(value.value, str):
        value = value.value
    if not isinstance(value, str):
        raise expected("a str; write str(...) if its text is meant")
    if "\0" in value:
        raise Unfit("PostgreSQL text cannot hold the character with code zero")
    return str.__str__(value)


def text(value: Any) -> bytes:
    """Encode text."""
    try:
        return plain_text(value).encode()
    except UnicodeEncodeError as error:
        raise Unfit(f"it is not Unicode text ({error.reason})") from None


def read_text(data: bytes) -> str:
    """Decode text."""
    return data.decode()


def label(value: Any) -> bytes:
    """Encode an enum's label: a str, or an enum member by its str value, else by its name."""
    if isinstance(value, enum.Enum) and not isinstance(value.value, str):
        return text(value.name)
    return text(value)


def single_byte(value: Any) -> bytes:
    """Encode the internal type "char": one ASCII character, or none."""
    if isinstance(value, bytes) and len(value) == 1:
        return value
    encoded = text(value)
    if len(encoded) > 1:
        raise ServerParses(value)
    return encoded or b"\0"


def read_single_byte(data: bytes) -> str:
    r"""Decode the internal type "char" to the server's text form (`\377` above ASCII)."""
    code = data[0]
    return f"\\{code:03o}" if code > 127 else chr(code) if code else ""


def boolean(value: Any) -> bytes:
    """Encode a bool (numpy's too)."""
    if isinstance(value, str):
        raise ServerParses(value)
    if isinstance(value, bool) or (type(value).__name__ == "bool" and hasattr(value, "dtype")):
        return b"\1" if value else b"\0"
    raise expected("a bool")


def read_boolean(data: bytes) -> bool:
    """Decode a bool."""
    return data != b"\0"


def blob(value: Any) -> bytes:
    """Encode bytea from anything with a buffer of bytes."""
    if isinstance(value, str):
        raise ServerParses(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise expected("bytes, bytearray or memoryview")


def read_blob(data: bytes) -> bytes:
    """Decode bytea."""
    return data


def binary_uuid(value: Any) -> bytes:
    """Encode a UUID, or its text in any form that uuid.UUID() and the server both read."""
    if isinstance(value, uuid.UUID):
        return value.bytes
    if isinstance(value, str):
        try:
            return uuid.UUID(value).bytes
        except ValueError:
            raise Unfit("it is not the text of a UUID") from None
    raise expected("a uuid.UUID or its text")


def read_uuid(data: bytes) -> uuid.UUID:
    """Decode a UUID."""
    return uuid.UUID(bytes=data)


def versioned(value: Any) -> bytes:
    """Encode a type whose binary form is a version byte (1) and its text (jsonpath, ltree)."""
    return b"\1" + text(value)


def read_versioned(data: bytes) -> str:
    """Decode the text after the version byte."""
    return data[1:].decode()


def server_text(value: Any) -> bytes:
    """Ask for the server to read a str; nothing else can be given for the type."""
    if isinstance(value, str):
        raise ServerParses(value)
    raise expected("a str in the server's text form of the type")
