"""The statements, as psycopg writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from suite.contract import MANY_COLUMNS

MANY_TYPES = ("int4", "text", "text", "float8")
COPY_MANY = f"COPY many ({', '.join(MANY_COLUMNS)}) FROM STDIN (FORMAT binary)"
UNNEST = (
    "INSERT INTO many (id, name, email, score) "
    "SELECT * FROM unnest(%s::int[], %s::text[], %s::text[], %s::float8[])"
)


@cache
def in_psycopg(sql: str) -> str:
    """Replace $1 by %s. Not for texts that are used once: it keeps them."""
    return re.sub(r"\$\d+", "%s", sql)


def copy_into(table: str, names: Iterable[str]) -> str:
    """The COPY of a load."""
    return f"COPY {table} ({', '.join(names)}) FROM STDIN (FORMAT binary)"
