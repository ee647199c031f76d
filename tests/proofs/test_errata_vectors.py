"""Proofs of references/errata.md: vectors."""

from __future__ import annotations

import secrets
import sys
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import psqlpy
import psqlpy.extra_types
import pytest
from configuration_tools import database_of, value
from proveskill import proves
from psqlpy.extra_types import PgVector
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import SQLSpecError
from sqlspec.utils.module_loader import reset_dependency_cache

Y = [0.0, 1.0, 0.0]
NEAREST = "SELECT label FROM embeddings ORDER BY vector {} {} LIMIT 1"
READ = "SELECT vector FROM embeddings WHERE id = 2"


def make(dsn: str, **features: Any) -> PsqlpyConfig:
    verified = psqlpy.ConnRecyclingMethod.Verified
    keys = {"dsn": dsn, "max_db_pool_size": 2, "conn_recycling_method": verified}
    return PsqlpyConfig(connection_config=keys, driver_features=features)


async def outcomes(dsn: str, given: Any, parameter: str) -> list[str]:
    """What becomes of a value in two runs, each in a session of its own."""
    config, found = make(dsn), []
    for _ in range(2):
        try:
            async with config.provide_session() as session:
                found.append(await session.select_value(NEAREST.format("<=>", parameter), (given,)))
        except BaseException as error:  # noqa: BLE001 - a panic is no Exception
            found.append(type(error).__name__)
    await config.close_pool()
    return found


TIMES = {"once": 1, "twice": 2}


@proves(
    "A10 | Python values become vectors by themselves | a vector is read as a `{read}`; what is "
    "bound must be a `{wrapper}`",
    "D2 | a numpy array can be bound | it raises `{of_array}`; with `{cast}` it works {times}",
    "D3 | a list can be bound | it raises `{of_list}`; with `{cast_}` it works {times_}",
    adapter="stock",
    table="claim | false | true",
)
async def test_what_can_be_bound(
    dsn: str, read: str, wrapper: str, of_array: str, cast: str, times: str,
    of_list: str, cast_: str, times_: str,
) -> None:  # fmt: skip
    assert type(await value(READ, dsn=dsn)).__name__ == read
    wrapped = getattr(psqlpy.extra_types, wrapper)(Y)
    assert await outcomes(dsn, wrapped, "$1") == ["y", "y"]
    cases = ((np.array(Y), of_array, cast, times), (Y, of_list, cast_, times_))
    for given, error, parameter, often in cases:
        assert await outcomes(dsn, given, "$1") == [error, error]
        found = await outcomes(dsn, given, parameter)
        assert found == ["y"] * TIMES[often] + [error] * (2 - TIMES[often])


@pytest.fixture
async def bare(dsn: str) -> AsyncIterator[str]:
    """The connection string of a database without extensions."""
    name = f"errata_{secrets.token_hex(4)}"
    connection = await psqlpy.connect(dsn=dsn)
    await connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 STRATEGY file_copy")
    yield dsn.replace(database_of(dsn), name)
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    connection.close()


@pytest.fixture
def no_package(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Calls make it look as if the Python package pgvector were not installed."""

    def remove() -> None:
        monkeypatch.setitem(sys.modules, "pgvector", None)
        reset_dependency_cache()

    yield remove
    monkeypatch.undo()
    reset_dependency_cache()


async def dialect(config: PsqlpyConfig) -> str:
    async with config.provide_session():
        return str(config.statement_config.dialect)


async def create_extension(dsn: str, statement: str = "CREATE EXTENSION vector") -> None:
    connection = await psqlpy.connect(dsn=dsn)
    await connection.execute(statement)
    connection.close()


@proves(
    "B30 | `{flag}` is on where the Python package is | it works only if the extension is there "
    "at the config's first connection",
    adapter="stock",
    table="claim | false | true",
)
async def test_the_flag_needs_the_extension(bare: str, no_package: Any, flag: str) -> None:
    early, on, off = make(bare), make(bare, **{flag: True}), make(bare, **{flag: False})
    for config in (early, on):
        assert await dialect(config) == "postgres"
    await create_extension(bare)
    for config in (early, on):
        assert await dialect(config) == "postgres"
    late = make(bare)
    assert await dialect(late) == "pgvector"
    assert await dialect(off) == "postgres"
    no_package()
    assert not make(bare).driver_features[flag]
    for config in (early, on, off, late):
        await config.close_pool()


@proves(
    "D1 | the Python package registers a type | without package and flag a `{bound}` is bound and "
    "a `{read}` is read",
    adapter="stock",
    table="claim | false | true",
)
async def test_neither_package_nor_flag_is_needed(
    dsn: str, no_package: Any, bound: str, read: str
) -> None:
    no_package()
    config = make(dsn, enable_pgvector=False)
    async with config.provide_session() as session:
        for _ in range(2):
            given = getattr(psqlpy.extra_types, bound)(Y)
            assert await session.select_value(NEAREST.format("<=>", "$1"), given) == "y"
        assert type(await session.select_value(READ)).__name__ == read
    await config.close_pool()


@proves(
    "D8 | `{command}` brings the missing type | only `{cure}` does",
    adapter="stock",
    table="claim | false | true",
)
async def test_what_brings_the_type(bare: str, no_package: Any, command: str, cure: str) -> None:
    """The package is installed here, and then it is not: the error stays."""
    assert command == "pip install pgvector"
    query = "SELECT '[1,0]'::vector::text"
    for take_away in (lambda: None, no_package):
        take_away()
        with pytest.raises(SQLSpecError, match='type "vector" does not exist'):
            await value(query, dsn=bare)
    await create_extension(bare, cure)
    assert await value(query, dsn=bare) == "[1,0]"


@proves(
    "G3 | similarity search needs `{flag}` | `{a}` and `{b}` work without it; `{c}` and `{d}` then "
    "find no rows",
    adapter="stock",
    table="claim | false | true",
)
async def test_operators_without_the_flag(
    dsn: str, flag: str, a: str, b: str, c: str, d: str
) -> None:
    found = {}
    for state in (True, False):
        config = make(dsn, **{flag: state})
        async with config.provide_session() as session:
            for operator in ("<->", "<=>", "<#>", "<+>"):
                rows = await session.select(NEAREST.format(operator, "$1"), PgVector(Y))
                found[state, operator] = len(rows)
        await config.close_pool()
    assert [found[True, operator] for operator in (a, b, c, d)] == [1, 1, 1, 1]
    assert len({a, b, c, d}) == 4
    assert [found[False, operator] for operator in (a, b, c, d)] == [1, 1, 0, 0]
