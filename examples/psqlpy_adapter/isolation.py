"""The modes of a transaction as words: isolation level, read only, deferrable.

SQLSpec 0.69 has no argument for them; psqlpy takes enums only, in its own transaction objects.
Source: PostgreSQL manual, "SET TRANSACTION".
"""

from __future__ import annotations

import psqlpy
from sqlspec.exceptions import ImproperConfigurationError

ISOLATION_LEVELS = ("read uncommitted", "read committed", "repeatable read", "serializable")
_ENUMS = (
    (psqlpy.IsolationLevel.ReadUncommitted, "read uncommitted"),
    (psqlpy.IsolationLevel.ReadCommitted, "read committed"),
    (psqlpy.IsolationLevel.RepeatableRead, "repeatable read"),
    (psqlpy.IsolationLevel.Serializable, "serializable"),
)


def transaction_modes(
    isolation_level: str | psqlpy.IsolationLevel | None,
    read_only: bool | None,
    deferrable: bool | None,
) -> str:
    """Return the modes of BEGIN, " ISOLATION LEVEL SERIALIZABLE READ ONLY" or "".

    Raises:
        ImproperConfigurationError: a word that PostgreSQL does not know, or no bool.
    """
    modes = ""
    if isolation_level is not None:
        word = next((word for level, word in _ENUMS if level == isolation_level), isolation_level)
        word = " ".join(str(word).lower().replace("_", " ").replace("-", " ").split())
        if word not in ISOLATION_LEVELS:
            msg = (
                f"isolation_level={isolation_level!r}: must be one of {', '.join(ISOLATION_LEVELS)}"
            )
            raise ImproperConfigurationError(msg)
        modes += f" ISOLATION LEVEL {word.upper()}"
    for name, value, yes, no in (
        ("read_only", read_only, " READ ONLY", " READ WRITE"),
        ("deferrable", deferrable, " DEFERRABLE", " NOT DEFERRABLE"),
    ):
        if value is None:
            continue
        if not isinstance(value, bool):
            raise ImproperConfigurationError(f"{name}={value!r}: must be True, False or None")
        modes += yes if value else no
    return modes
