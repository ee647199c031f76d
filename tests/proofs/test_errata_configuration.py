"""Proofs of references/errata.md: configuration, and words for enums."""

from __future__ import annotations

import psqlpy
import pytest
from configuration_tools import failure, keys_of, pool_failure, value
from proveskill import proves
from psqlpy import ConnRecyclingMethod, LoadBalanceHosts
from sqlspec.adapters.psqlpy import PsqlpyConfig, PsqlpyPoolParams

WHERE = "SELECT current_user || ' ' || current_database()"
WRONG = {
    "username": "nobody",
    "password": "wrong",
    "db_name": "nowhere",
    "host": "192.0.2.1",
    "port": 1,
}


@proves(
    "B3 | a `dsn` and separate values complete each other | beside `{dsn_key}`, the keys `{a}`, "
    "`{b}`, `{c}`, `{d}` and `{e}` are ignored in silence",
    adapter="stock",
    table="claim | false | true",
)
async def test_keys_beside_a_connection_string(
    dsn: str, dsn_key: str, a: str, b: str, c: str, d: str, e: str,
    recwarn: pytest.WarningsRecorder, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    assert {a, b, c, d, e} == WRONG.keys()
    keys = keys_of(dsn)
    for key in (a, b, c, d, e):
        found = await value(WHERE, **{dsn_key: dsn, key: WRONG[key]})
        assert found == f"{keys['username']} {keys['db_name']}"
    assert recwarn.list == []
    assert [record for record in caplog.records if record.levelname != "DEBUG"] == []


@proves(
    "B5 | `host` has a default | without `{whole}`, `{one}` or `{several}` no session opens",
    adapter="stock",
    table="claim | false | true",
)
async def test_a_server_must_be_named(dsn: str, whole: str, one: str, several: str) -> None:
    keys = keys_of(dsn)
    host = keys.pop("host")
    assert "both host and hostaddr are missing" in str(await failure(**keys))
    for given in ({whole: dsn}, {**keys, one: host}, {**keys, several: [host]}):
        assert await value("SELECT 42", **given) == 42
    assert len({whole, one, several}) == 3


@proves(
    "B26 | `client_encoding` is a key | it raises `{error}` when the pool opens; a connection is "
    "always {encoding}",
    adapter="stock",
    table="claim | false | true",
)
async def test_the_encoding_has_no_key(dsn: str, error: str, encoding: str) -> None:
    config = PsqlpyConfig(connection_config={"dsn": dsn, "client_encoding": "UTF8"})
    with pytest.raises(Exception, match="unexpected keyword argument 'client_encoding'") as raised:
        await config.provide_pool()
    assert raised.type.__name__ == error
    for options in ({}, {"options": "-c client_encoding=LATIN1"}):
        assert await value("SHOW client_encoding", dsn=dsn, **options) == encoding


@proves(
    "B33 | psqlpy knows each key that SQLSpec's `{name}` lists | {count} of them raise `{error}` "
    "when the pool opens",
    adapter="stock",
    table="claim | false | true",
)
async def test_listed_keys_that_are_refused(dsn: str, name: str, count: int, error: str) -> None:
    assert PsqlpyPoolParams.__name__ == name
    refused = []
    for key in PsqlpyPoolParams.__annotations__:
        found = await pool_failure(**{"dsn": dsn, key: "x"})
        if f"unexpected keyword argument '{key}'" in str(found):
            refused.append(type(found).__name__)
    assert refused == [error] * count


@proves(
    'B8 | `{key}` takes `"{word}"` | a string raises `{error}` when the pool opens; pass '
    "`{enum}.{member}`",
    adapter="stock",
    table="claim | false | true",
)
@proves(
    'B18 | `{key}` takes `"{word}"` | a string raises `{error}` when the pool opens; pass '
    "`{enum}.{member}`",
    adapter="stock",
    table="claim | false | true",
)
@proves(
    'B27 | `{key}` takes `"{word}"` | a string raises `{error}` when the pool opens; pass '
    "`{enum}.{member}`",
    adapter="stock",
    table="claim | false | true",
)
@proves(
    'B28 | `{key}` takes `"{word}"` | a string raises `{error}` when the pool opens; pass '
    "`{enum}.{member}`",
    adapter="stock",
    table="claim | false | true",
)
async def test_words_are_refused(
    dsn: str, key: str, word: str, error: str, enum: str, member: str
) -> None:
    config = PsqlpyConfig(connection_config={"dsn": dsn, key: word})
    expected = f"'str' object is not an instance of '{enum}'"
    with pytest.raises(Exception, match=expected) as raised:
        await config.provide_pool()
    assert raised.type.__name__ == error
    assert member.lower() == word.replace("-", "")
    assert await pool_failure(**{"dsn": dsn, key: getattr(getattr(psqlpy, enum), member)}) is None


def members(enum: type) -> set[str]:
    return {name for name in dir(enum) if name[0].isupper()}


@proves(
    'F7 | `"random"` and `"disable"` are the choices | `LoadBalanceHosts` has the members `{one}` '
    "and `{other}`",
    'B9 | a connection can be recycled by `"auto"` | `ConnRecyclingMethod` has `{a}`, `{b}` and '
    "`{c}`",
    "F1 | there are two ways of recycling | there are {count}",
    adapter="stock",
    table="claim | false | true",
)
async def test_the_members_of_two_enums(
    dsn: str, one: str, other: str, a: str, b: str, c: str, count: int
) -> None:
    assert members(LoadBalanceHosts) == {one, other}
    assert members(ConnRecyclingMethod) == {a, b, c}
    assert len(members(ConnRecyclingMethod)) == count
    for name in (a, b, c):
        method = getattr(ConnRecyclingMethod, name)
        assert await value("SELECT 42", dsn=dsn, conn_recycling_method=method) == 42
    for name in (one, other):
        order = getattr(LoadBalanceHosts, name)
        assert await value("SELECT 42", dsn=dsn, load_balance_hosts=order) == 42
    for key in ("conn_recycling_method", "load_balance_hosts"):
        assert await failure(dsn=dsn, **{key: "auto"}) is not None


@proves(
    'F3 | `"auto"` cleans a connection | `{cleans}` resets settings; `{one}` and `{other}` leave '
    "them",
    table="claim | false | true",
)
async def test_which_method_cleans(dsn: str, cleans: str, one: str, other: str) -> None:
    found = {}
    for name in members(ConnRecyclingMethod):
        method = getattr(ConnRecyclingMethod, name)
        keys = {"dsn": dsn, "max_db_pool_size": 2, "conn_recycling_method": method}
        config = PsqlpyConfig(connection_config=keys)
        async with config.provide_session() as session:
            pid = await session.select_value("SELECT pg_backend_pid()")
            await session.execute("SET lock_timeout = 7000")
        async with config.provide_session() as session:
            assert await session.select_value("SELECT pg_backend_pid()") == pid
            found[name] = await session.select_value("SHOW lock_timeout")
        await config.close_pool()
    assert found == {cleans: "0", one: "7s", other: "7s"}
