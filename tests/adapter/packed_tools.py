"""What the tests of rows that the server packs share: a table of many types, another encoding."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import psqlpy_adapter
import psycopg
from psycopg.conninfo import conninfo_to_dict

VALUES = {
    "bool": ["true", "false"],
    "int2": ["-32768", "0", "32767"],
    "int4": ["-2147483648", "7"],
    "int8": ["-9223372036854775808", "9223372036854775807"],
    "float4": ["1.5", "-0", "NaN", "Infinity", "0.1"],
    "float8": ["0.1", "-0", "NaN", "-Infinity", "1e300"],
    "text": ["", "a", "ß€😀", "line\nbreak"],
    "varchar(9)": ["", "ab   ", "ü"],
    "date": ["2024-02-29", "0001-01-01", "9999-12-31", "1999-12-31"],
    "timestamp": ["2024-01-01 01:02:03.000001", "0001-01-01", "9999-12-31 23:59:59.999999"],
    "timestamptz": ["2024-01-01 01:02:03.5+02", "1969-12-31 23:59:59.999999+00"],
    "short": ["1", "9"],  # a domain
}


async def make_table(session: Any, name: str, rows: int, values: Mapping[str, list[str]]) -> None:
    """Make a table of each type in three columns: without a NULL, with some, and nothing else."""
    await session.execute_script("CREATE DOMAIN short AS int2 CHECK (VALUE > 0)")
    columns = [f"a{n} {kind} NOT NULL, b{n} {kind}, c{n} {kind}" for n, kind in enumerate(values)]
    await session.execute_script(f"CREATE TABLE {name} (id int, {', '.join(columns)})")
    for number in range(rows):
        chosen = []
        for n, (kind, texts) in enumerate(values.items()):
            value = f"'{texts[number % len(texts)]}'::{kind}"
            chosen += [value, "NULL" if (number + n) % 3 == 0 else value, "NULL"]
        await session.execute_script(f"INSERT INTO {name} VALUES ({number}, {', '.join(chosen)})")


@asynccontextmanager
async def latin1(dsn: str) -> AsyncIterator[Any]:
    """A session in a database of its own whose encoding is LATIN1."""
    own = conninfo_to_dict(dsn)["dbname"]
    name = f"{own}_latin1"
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    config = psqlpy_adapter.PsqlpyConfig(connection_config={"dsn": dsn.replace(own, name)})
    try:
        async with config.provide_session() as session:
            yield session
    finally:
        await config.close_pool()
        with psycopg.connect(dsn, autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
