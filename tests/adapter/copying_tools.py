"""Rows of the table items, which loads fill, and what is stored there."""

from __future__ import annotations

import pyarrow as pa

ITEMS = """
CREATE TABLE items (id int8 PRIMARY KEY, name text NOT NULL, email text UNIQUE,
                    price numeric, added timestamptz DEFAULT now())
"""


def rows(*ids: int, **columns: list) -> pa.Table:
    return pa.table({"id": ids, "name": [f"item {id_}" for id_ in ids], **columns})


async def stored(session, columns: str = "id", table: str = "items") -> list:
    found = await session.select(f"SELECT {columns} FROM {table} ORDER BY 1")
    return [tuple(row.values()) if len(row) > 1 else next(iter(row.values())) for row in found]
