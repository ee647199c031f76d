"""Proofs of references/troubleshooting.md: vectors, parameters, types, second runs."""

from __future__ import annotations

import json
from contextlib import suppress

import numpy as np
import psycopg
import pytest
from best_practices_tools import Tap, failure, run_apart
from proveskill import proves
from psqlpy.extra_types import PgVector
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import SQLSpecError
from watching_tools import ask


def config_of(dsn, **features):
    settings = {"dsn": dsn, "max_db_pool_size": 2}
    return PsqlpyConfig(connection_config=settings, driver_features=features)


@pytest.fixture
def bare(dsn):
    """The connection string of a database without the extension."""
    name = dsn.rpartition("/")[2] + "_bare"
    ask_nothing(dsn, f"CREATE DATABASE {name} TEMPLATE template0")
    yield dsn + "_bare"
    ask_nothing(dsn, f"DROP DATABASE {name} WITH (FORCE)")


def ask_nothing(dsn, statement):
    with suppress(psycopg.ProgrammingError):  # it has no result
        ask(dsn, statement)


NO_PACKAGE = """
import asyncio, os, sys
sys.modules["pgvector"] = None
import psqlpy
from psqlpy.extra_types import PgVector

async def main():
    connection = await psqlpy.connect(sys.argv[1])
    result = await connection.fetch("SELECT $1::vector AS v", [PgVector([1, 2, 3])])
    print(result.result(), flush=True)
    os._exit(0)

asyncio.run(main())
"""


@proves(
    "The extension is the whole cure, once in every database.",
    "`pip install pgvector` adds nothing: psqlpy encodes and decodes `vector` itself.",
    "A `config` that connected before `{statement}` keeps the dialect `{dialect}`, and "
    "`{operator}` queries return nothing: build a new one.",
    "`{missing}` | Get the vector type",
    adapter="stock",
    table="You see | Section",
)
async def test_the_extension_is_the_cure(
    bare, dsn, statement: str, dialect: str, operator: str, missing: str
):
    assert ask(dsn, "SELECT '[1,2,3]'::vector IS NOT NULL") is True
    search = f"SELECT 1 AS found ORDER BY '[1,2,3]'::vector {operator} $1"
    early = config_of(bare)
    async with early.provide_session() as session:
        error = await failure(session.select("SELECT '[1,2,3]'::vector"))
        assert missing in str(error)
    ask_nothing(bare, f"{statement} vector")
    assert run_apart(NO_PACKAGE, bare).stdout == "[{'v': [1.0, 2.0, 3.0]}]\n"
    vector = PgVector([1, 2, 3])
    async with early.provide_session() as session:
        assert session.statement_config.dialect == dialect
        assert await session.select("SELECT 1 AS found ORDER BY $1::vector", vector)
        assert await session.select(search, vector) == []
    late = config_of(bare)
    async with late.provide_session() as session:
        assert session.statement_config.dialect != dialect
        assert await session.select(search, vector) == [{"found": 1}]
    await early.close_pool()
    await late.close_pool()


PANICS = """
import asyncio, json, os, sys
from sqlspec.adapters.psqlpy import PsqlpyConfig

async def failure(work):
    try:
        await work
    except BaseException as error:
        return [[base.__name__ for base in type(error).__mro__], str(error)]

async def main():
    found = []
    for sql, value in (
        ("SELECT id FROM embeddings ORDER BY vector <-> $1 LIMIT 1", [0, 0, 1.0]),
        ("SELECT id FROM users WHERE id IN ($1)", (1, 2)),
        ("SELECT id FROM users WHERE id = ANY($1)", [1, 2]),
    ):
        config = PsqlpyConfig(connection_config={"dsn": sys.argv[1], "max_db_pool_size": 2})
        async with config.provide_session() as session:
            found.append(await failure(session.select(sql, (value,))))
            found.append(await failure(session.select("SELECT 1")))
    print(json.dumps(found), flush=True)
    os._exit(0)  # what is left of a panic can abort an interpreter that ends

asyncio.run(main())
"""


@proves(
    "A list panics in Rust.",
    "`{panic}` is no `{base}`; it kills the connection, and the session with it.",
    "A tuple for `IN ($1)` panics as well: write `= {right}($1)`.",
    "`{unknown}`, `{again}`, `{closed}` | Survive a vector parameter",
    adapter="stock",
    table="You see | Section",
)
async def test_values_that_panic(
    dsn, session, panic: str, base: str, right: str, unknown: str, again: str, closed: str
):
    run = run_apart(PANICS, dsn)
    of_list, after_list, of_tuple, after_tuple, of_any, after_any = json.loads(run.stdout)
    for bases, _ in (of_list, of_tuple):
        assert bases[0] == panic == again
        assert base not in bases
    assert after_list[0][after_list[0].index(base) + 1] == "BaseException"
    for _, message in (after_list, after_tuple):
        assert closed in message
    search = "SELECT id FROM embeddings ORDER BY vector <-> $1 LIMIT 1"
    assert f" {unknown} " in str(await failure(session.select(search, np.array([0, 0, 1.0]))))
    assert (of_any, after_any) == (None, None)
    right_way = f"SELECT id FROM users WHERE id = {right}($1) ORDER BY id"
    assert await session.select(right_way, ([1, 2],)) == [{"id": 1}, {"id": 2}]


@proves(
    'SQLSpec never says "Parameter style not supported": `{named}`, `{mark}` and `{percent}` are '
    "converted to `{number}`."
)
async def test_styles_are_converted(dsn, named: str, mark: str, percent: str, number: str):
    async with Tap.before(dsn) as tap:
        config = config_of(tap.dsn(dsn))
        async with config.provide_session() as session:
            for style in (named, mark, percent):
                tap.packets.clear()
                values = {"id": 1} if style == named else 1
                sql = f"SELECT name, {len(style)} AS n FROM users WHERE id = "
                assert len(await session.select(sql + style, values)) == 1
                assert f"{sql}{number}".encode() in b"".join(tap.packets)
            for style, values in (("%", 1), ("~id~", {"id": 1}), ("{id}", {"id": 1}), ("?", {})):
                error = await failure(session.select(sql + style, values))
                assert error is not None
                assert "parameter style not supported" not in str(error).lower()
        await config.close_pool()
    assert len({named, mark, percent}) == 3


@proves(
    "These {count} errors do occur:",
    '"Parameter style not supported", `{mismatch}`, `{untyped}`, `{several}` | '
    "Fix a parameter error",
    adapter="stock",
    table="You see | Section",
)
async def test_errors_of_parameters(session, count: int, mismatch: str, untyped: str, several: str):
    found = set()
    ids = "SELECT name FROM users WHERE id = ANY($1)"
    optional = "SELECT count(*) FROM users WHERE $1 IS NULL OR status = $1"
    for sql, value, kind, message in (
        (ids, [1, 2], SQLSpecError, f" {mismatch}: "),
        (optional, "active", SQLSpecError, f" {untyped} $1"),
        ("SELECT $1", 5, TypeError, "'int' object is not an instance of 'str'"),
    ):
        error = await failure(session.select(sql, value))
        assert isinstance(error, kind)
        assert message in f" {error}"
        found.add(str(error))
    error = await failure(session.execute("SELECT 1; SELECT 2"))
    assert f"cannot insert {several} into a prepared statement" in str(error)
    assert len({*found, str(error)}) == count
    assert len(await session.select(ids, ([1, 2],))) == 2
    assert await session.select_value(optional.replace("$1 IS", "$1::text IS"), "active") == 2
    assert await session.select_value("SELECT $1::int", 5) == 5
