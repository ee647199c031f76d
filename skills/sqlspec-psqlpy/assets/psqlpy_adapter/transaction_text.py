"""Transactions that begin or end by the text of a statement: BEGIN, COMMIT AND CHAIN, ...

SQLSpec knows only of its own `begin()`, `commit()` and `rollback()`.
Source: PostgreSQL manual, "BEGIN", "COMMIT", "ROLLBACK", "ABORT", "END", "PREPARE TRANSACTION".
"""

from __future__ import annotations

from dataclasses import dataclass

from psqlpy_adapter.sql_text import tokens

FAILED = "25P02"
"""The SQLSTATE of a statement in a transaction in which an earlier one has failed."""
NOTHING_COMMITTED = (
    "Nothing was committed: an earlier statement of the transaction failed, so the server rolled "
    "it back."
)
_ENDING = frozenset({"commit", "end", "rollback", "abort"})


@dataclass(frozen=True, slots=True)
class Control:
    """What a statement does to the transaction: both for COMMIT AND CHAIN.

    `keeps`: what was done in it is to be kept (COMMIT, PREPARE TRANSACTION).
    """

    ends: bool
    opens: bool
    keeps: bool = False


def control(sql: str) -> Control | None:
    """Return what a statement does to the transaction; None: nothing (savepoints, too)."""
    words = [token.text for token in tokens(sql)[:5]]
    if words[:1] == ["begin"] or words[:2] == ["start", "transaction"]:
        return Control(ends=False, opens=True)
    if words[:2] == ["prepare", "transaction"]:
        return Control(ends=True, opens=False, keeps=True)
    if not words or words[0] not in _ENDING:
        return None
    rest = words[2:] if words[1:2] in (["work"], ["transaction"]) else words[1:]
    if rest[:1] in (["to"], ["prepared"]):
        return None
    keeps = words[0] in ("commit", "end")
    return Control(ends=True, opens=rest[:2] == ["and", "chain"], keeps=keeps)


def only_if_sound(end: str) -> str:
    """Return a text that ends a transaction by `end` if no statement of it has failed.

    Else the server would answer COMMIT with ROLLBACK. In such a transaction every statement but its
    end fails, so SHOW does, and what follows it in the same message is not run. SHOW takes no
    snapshot: nothing changes for a transaction that is fine.
    """
    return f"SHOW transaction_isolation; {end}"
