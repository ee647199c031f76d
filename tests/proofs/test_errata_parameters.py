"""Proofs of references/errata.md: parameters, results, and messages of errors."""

from __future__ import annotations

import asyncio
import secrets
from importlib.metadata import files
from typing import Any

import pytest
from configuration_tools import database_of, failure, value
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyConfig, PsqlpyDriver
from sqlspec.exceptions import SQLSpecError
from watching_tools import until

BY_ID = "SELECT name, current_query() AS sent FROM users WHERE id = {}"


@proves(
    "C3 | `{mark}` with a dict fails | it works, as keywords do; `{many}` takes dicts",
    table="claim | false | true",
)
async def test_named_parameters_work(session: PsqlpyDriver, mark: str, many: str) -> None:
    for _ in (1, 2):
        assert (await session.select_one(BY_ID.format(mark), {"id": 1}))["name"] == "Ada"
        assert (await session.select_one(BY_ID.format(mark), id=1))["name"] == "Ada"
    assert mark == ":id"
    await session.execute("CREATE TEMP TABLE errata_named (id int)")
    await getattr(session, many)("INSERT INTO errata_named VALUES (:id)", [{"id": 1}, {"id": 2}])
    assert await session.select_value("SELECT sum(id) FROM errata_named") == 3
    await session.execute("DROP TABLE errata_named")


@proves(
    "G4 | only `{base}` is understood | `{a}`, `{b}`, `{c}`, `{d}`, `{e}`, `{f}` and `{g}` are "
    "rewritten to it",
    table="claim | false | true",
)
async def test_other_styles_are_rewritten(
    session: PsqlpyDriver, base: str, a: str, b: str, c: str, d: str, e: str, f: str, g: str
) -> None:
    values: dict[str, Any] = {"?": 1, "%s": 1, ":1": 1}
    values |= {style: {"id": 1} for style in (":id", "$id", "@id", "%(id)s")}
    assert {a, b, c, d, e, f, g} == values.keys()
    for style, given in values.items():
        row = await session.select_one(BY_ID.format(style), given)
        assert row["name"] == "Ada"
        assert row["sent"].rstrip() == BY_ID.format(base)


@proves(
    "C5 | `.{method}()` follows `session.execute(...)` | `{error}`: await the call first, or take "
    "`session.{other}`",
    "C7 | a result has `{wrong}()` | `{wrong_error}`; its first row is `{right}()`",
    adapter="stock",
    table="claim | false | true",
)
async def test_methods_of_a_result(
    session: PsqlpyDriver, method: str, error: str, other: str,
    wrong: str, wrong_error: str, right: str,
) -> None:  # fmt: skip
    sql = "SELECT id FROM users ORDER BY id"
    wanted = [{"id": 1}, {"id": 2}, {"id": 3}]
    call = session.execute(sql)
    with pytest.raises(Exception, match=f"no attribute '{method}'") as raised:
        getattr(call, method)()
    assert raised.type.__name__ == error
    result = await call
    assert getattr(result, method)() == wanted == await getattr(session, other)(sql)
    with pytest.raises(Exception, match=f"no attribute '{wrong}'") as raised:
        getattr(result, wrong)()
    assert (raised.type.__name__, wrong) == (wrong_error, "first")
    assert getattr(result, right)() == wanted[0]


@proves(
    'C4 | "{message}" is an error | SQLSpec has no such message; a value too few gives `{real}`',
    adapter="stock",
    table="claim | false | true",
)
async def test_no_such_message(session: PsqlpyDriver, message: str, real: str) -> None:
    assert message == "Parameter style not supported"
    code = [
        file.locate().read_bytes()
        for file in files("sqlspec") or ()
        if file.suffix in (".py", ".so")
    ]
    assert any(b"Ambiguous positional binding" in text for text in code)
    assert not any(message.encode() in text for text in code)
    with pytest.raises(SQLSpecError) as raised:
        await session.select("SELECT id FROM users WHERE id = $1 AND name = $2", 1)
    assert f"{real}: " in str(raised.value)


@proves(
    'D6 | "{message}" is an error | without the extension it is `{real}`',
    adapter="stock",
    table="claim | false | true",
)
async def test_the_message_about_a_missing_type(
    dsn: str, session: PsqlpyDriver, message: str, real: str
) -> None:
    name = f"errata_{secrets.token_hex(4)}"
    await session.execute_script(f"CREATE DATABASE {name} TEMPLATE template0 STRATEGY file_copy")
    bare = dsn.replace(database_of(dsn), name)
    with pytest.raises(SQLSpecError) as raised:
        await value("SELECT '[1,0]'::vector::text", dsn=bare)
    await session.execute_script(f"DROP DATABASE {name} WITH (FORCE)")
    assert real.startswith("type ")
    assert f"ERROR: {real}" in str(raised.value)
    assert message == "pgvector type not found"
    assert message not in str(raised.value)


@proves(
    'E6 | "{message}" is an error | a full pool raises nothing: the next session waits until one '
    "is returned",
    adapter="stock",
    table="claim | false | true",
)
async def test_a_full_pool_raises_nothing(dsn: str, message: str) -> None:
    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
    pool = await config.provide_pool()

    async def third() -> Any:
        async with config.provide_session() as session:
            return await session.select_value("SELECT 42")

    assert message == "Pool exhausted"
    async with config.provide_session(), config.provide_session():
        task = asyncio.create_task(third())
        await until(lambda: pool.status().waiting == 1)
        await asyncio.wait({task}, timeout=0.3)
        assert not task.done()
    assert await task == 42
    await config.close_pool()


@proves(
    'H1 | "{message}" is an error | `{real}`, a `{kind}` and no `{base}`',
    adapter="stock",
    table="claim | false | true",
)
async def test_the_message_of_a_refused_connection(
    message: str, real: str, kind: str, base: str
) -> None:
    import sqlspec.exceptions

    error = await failure(dsn="postgresql://app:secret@127.0.0.1:1/app")
    assert message == "Could not connect to server"
    assert message.lower() not in str(error).lower()
    assert real.startswith("error ")
    assert f"{real} (os error" in str(error)
    assert type(error).__name__ == kind
    assert not isinstance(error, getattr(sqlspec.exceptions, base))
    assert base == "SQLSpecError"
