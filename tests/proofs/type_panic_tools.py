"""Values that make Rust panic, each on a connection of its own, in a process of its own.

A panic that passes through SQLSpec's compiled frames spoils the interpreter. `python panic_tools.py
DSN` prints a JSON document.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any


async def _panics(dsn: str) -> list[tuple[str, list[str]]]:
    """For each statement and value: the names of the classes of its error."""
    import psqlpy
    from psqlpy.extra_types import Float32Array, PgVector, Point

    found: list[tuple[str, list[str]]] = []
    for sql, value in (
        ("$1::real[]", Float32Array([0.5])),
        ("$1::point", (1.5, 2.5)),
        ("$1::point", [1.5, 2.5]),
        ("'[1,2]'::vector <-> $1", [1.0, 2.0]),
        ("'[1,2]'::vector <-> $1", (1.0, 2.0)),
        ("5 IN ($1)", [5]),
        ("5 IN ($1)", (5,)),
        ("'a' IN ($1)", ["a"]),
        ("$1::uuid", ["a"]),
        ("$1::inet", ["a"]),
        ("$1::int4range", [1, 5]),
        ("$1::int[]", [1, 5]),
        ("$1::text[]", ("a",)),
        ("$1::jsonb", [1, 5]),
        ("$1::json", (1, 5)),
        ("$1::point", Point((1.5, 2.5))),
        ("$1::vector", PgVector([1.0])),
        ("$1::text::real[]", "{0.5}"),
    ):
        connection = await psqlpy.connect(dsn)
        try:
            await connection.execute(f"SELECT ({sql}) IS NULL", [value])
            error: list[str] = []
        except BaseException as raised:  # noqa: BLE001 - a panic is no Exception
            error = [base.__name__ for base in type(raised).__mro__]
        found.append((f"{type(value).__name__} {sql}", error))
    return found


async def _after(dsn: str) -> dict[str, Any]:
    """A session's panic: what `except Exception` made of it, and what the session is worth."""
    from sqlspec.adapters.psqlpy import PsqlpyConfig

    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
    caught, errors = "", []
    async with config.provide_session() as session:
        try:
            try:
                await session.select("SELECT $1::point", ((1.5, 2.5),))
            except Exception:  # noqa: BLE001
                caught = "Exception"
        except BaseException:  # noqa: BLE001
            caught = "BaseException"
        for number in range(3):
            try:
                await session.select(f"SELECT {number}")
            except Exception as error:  # noqa: BLE001
                errors.append(str(error))
    return {"caught": caught, "errors": errors}


if __name__ == "__main__":
    made = asyncio.run(_panics(sys.argv[1])), asyncio.run(_after(sys.argv[1]))
    print(json.dumps(made), flush=True)
    os._exit(0)  # psqlpy's threads can abort an interpreter that ends
