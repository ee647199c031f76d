"""Transactions that begin or end by the text of a statement: BEGIN, COMMIT AND CHAIN, ...

SQLSpec knows only of its own `begin()`, `commit()` and `rollback()`.
Source: PostgreSQL manual, "BEGIN", "COMMIT", "ROLLBACK", "ABORT", "END", "PREPARE TRANSACTION".
"""

from __future__ import annotations

from dataclasses import dataclass

from psqlpy_adapter.sql_text import tokens

_ENDING = frozenset({"commit", "end", "rollback", "abort"})


@dataclass(frozen=True, slots=True)
class Control:
    """What a statement does to the transaction: both for COMMIT AND CHAIN."""

    ends: bool
    opens: bool


def control(sql: str) -> Control | None:
    """Return what a statement does to the transaction; None: nothing (savepoints, too)."""
    words = [token.text for token in tokens(sql)[:5]]
    if words[:1] == ["begin"] or words[:2] == ["start", "transaction"]:
        return Control(ends=False, opens=True)
    if words[:2] == ["prepare", "transaction"]:
        return Control(ends=True, opens=False)
    if not words or words[0] not in _ENDING:
        return None
    rest = words[2:] if words[1:2] in (["work"], ["transaction"]) else words[1:]
    if rest[:1] in (["to"], ["prepared"]):
        return None
    return Control(ends=True, opens=rest[:2] == ["and", "chain"])
