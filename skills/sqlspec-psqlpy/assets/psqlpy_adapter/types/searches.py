"""Text search types and the system's own types, read as the server would write them as text.

psqlpy reads none of tsvector, tsquery, pg_lsn, tid, pg_snapshot. Here they are str on reading
and, as strings, parsed by the server on writing.

Source: PostgreSQL manual 8.11, 8.19, 8.20; src/backend/utils/adt/{tsvector,tsquery,pg_lsn}.c.
"""

from __future__ import annotations

import struct
from typing import Any

from psqlpy_adapter.types.numbers import integer
from psqlpy_adapter.types.pgtype import ServerParses

_WEIGHTS = "DCBA"
_UNSIGNED_8 = integer(8, signed=False)


def _quote(lexeme: bytes) -> str:
    return "'" + lexeme.decode().replace("\\", "\\\\").replace("'", "''") + "'"


def read_tsvector(data: bytes) -> str:
    """Decode a tsvector: count, then lexeme, NUL, number of positions, positions."""
    at, lexemes = 4, []
    for _ in range(int.from_bytes(data[:4], "big")):
        end = data.index(b"\0", at)
        (count,) = struct.unpack_from(">H", data, end + 1)
        places = struct.unpack_from(f">{count}H", data, end + 3)
        marks = ",".join(
            f"{place & 0x3FFF}{_WEIGHTS[place >> 14] if place >> 14 else ''}" for place in places
        )
        lexemes.append(_quote(data[at:end]) + (f":{marks}" if marks else ""))
        at = end + 3 + 2 * count
    return " ".join(lexemes)


class _Query:
    """The items of a tsquery, in prefix order with the right operand first."""

    _PRIORITY = (0, 4, 2, 1, 3)  # by operator code: 1 not, 2 and, 3 or, 4 phrase

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 4

    def _take(self, layout: str) -> tuple[Any, ...]:
        found = struct.unpack_from(layout, self.data, self.at)
        self.at += struct.calcsize(layout)
        return found

    def text(self, outer: int = 0, *, right_phrase: bool = False) -> str:
        (kind,) = self._take(">B")
        if kind == 1:
            weight, prefix = self._take(">BB")
            end = self.data.index(b"\0", self.at)
            lexeme = _quote(self.data[self.at : end])
            self.at = end + 1
            marks = "*" * prefix + "".join(
                letter for bit, letter in ((8, "A"), (4, "B"), (2, "C"), (1, "D")) if weight & bit
            )
            return lexeme + (f":{marks}" if marks else "")
        (code,) = self._take(">B")
        own = self._PRIORITY[code]
        if code == 1:
            text = "!" + self.text(own)
            return f"( {text} )" if own < outer else text
        sign = {2: "&", 3: "|", 4: "<->"}[code]
        if code == 4:
            (distance,) = self._take(">H")
            sign = "<->" if distance == 1 else f"<{distance}>"
        right = self.text(own, right_phrase=code == 4)
        text = f"{self.text(own)} {sign} {right}"
        return f"( {text} )" if own < outer or (code == 4 and right_phrase) else text


def read_tsquery(data: bytes) -> str:
    """Decode a tsquery."""
    return _Query(data).text() if int.from_bytes(data[:4], "big") else ""


def lsn(value: Any) -> bytes:
    """Encode a WAL position from an int (or its text)."""
    return _UNSIGNED_8[0](value)


def read_lsn(data: bytes) -> str:
    """Decode a WAL position to its text (16/B374D848)."""
    return f"{int.from_bytes(data[:4], 'big'):X}/{int.from_bytes(data[4:], 'big'):X}"


def read_tid(data: bytes) -> str:
    """Decode a row's physical place to its text ((0,1))."""
    block, offset = struct.unpack(">IH", data)
    return f"({block},{offset})"


def read_snapshot(data: bytes) -> str:
    """Decode a snapshot to its text (10:20:10,14,15)."""
    count, low, high, *running = struct.unpack(f">i{(len(data) - 4) // 8}Q", data)
    del count
    return f"{low}:{high}:{','.join(map(str, running))}"


def read_nothing(data: bytes) -> None:
    """Decode void, which has no value."""
    del data


def number_or_name(value: Any) -> bytes:
    """Encode an oid (regclass and its like too) from an int; a str is looked up by the server."""
    if isinstance(value, str):
        raise ServerParses(value)
    return integer(4, signed=False)[0](value)
