"""Proofs of references/replicas-and-poolers.md: what a pooler in transaction mode does to calls."""

from __future__ import annotations

import asyncio
import re
from typing import Literal

import dropin_tools
import psqlpy
import pytest
from pooler_tools import Pooler
from proveskill import proves
from relay import Relay
from replicas_tools import CALLS, Switching, answer, ask, error_of, of, opened
from sqlspec.exceptions import DatabaseConnectionError, SQLSpecError
from watching_tools import failure
from wire_tools import Recorder, messages_of


@pytest.fixture
async def pooled(session):
    """A session and a table ``pooled (id int)``, empty."""
    await session.execute("CREATE TABLE IF NOT EXISTS pooled (id int)")
    await session.execute("DELETE FROM pooled")
    return session


def names_of(calls: str) -> list[str]:
    return [call.rpartition(".")[2] for call in re.findall(r"`(.*?)`", calls)]


@proves(
    "{calls} | {alone} | {with_mode}",
    table="Calls | without `pooler_mode` | with it, the key removed",
    adapter="stock",
)
async def test_calls_through_a_pooler_that_tracks(
    pooled, dsn, calls: str, alone: Literal["work", "fail"], with_mode: Literal["work", "fail"]
) -> None:
    assert len(names_of(calls)) > 1
    async with Pooler(dsn, tracks=True) as pooler:
        for call in names_of(calls):
            for sets_mode, told in ((False, alone), (True, with_mode)):
                error = await error_of(pooler.dsn, call, sets_mode=sets_mode)
                if told == "work":
                    assert error is None
                else:
                    assert re.search(r"prepared statement .* does not exist", error)


@proves(
    "Use session mode, or transaction mode with `{setting}` above {none} (PgBouncer {version} or "
    "later).",
    "Through one that does not track them, `execute`, `transaction`, `execute_many`, "
    "`execute_script` and `copy_records_to_table` fail either way.",
    "A pooler that gives the next statement another server connection loses them, unless it "
    "tracks them.",
    "Send streams, COPY, migrations and LISTEN past the pooler, with a second config or "
    "`direct_dsn`.",
    adapter="stock",
)
async def test_a_pooler_that_does_not_track(pooled, dsn, setting: str, none: int, version: str):
    async with Switching(dsn, tracks=False) as pooler:
        for call in (
            *("execute", "transaction", "execute_many"),
            *("execute_script", "copy_records_to_table"),
        ):
            for sets_mode in (False, True):
                error = await error_of(pooler.dsn, call, sets_mode=sets_mode)
                assert re.search(r"prepared statement .* does not exist", error)
    async with Pooler(dsn, tracks=True) as pooler:
        assert await error_of(pooler.dsn, "execute") is None
        for call in ("select_stream", "copy_records_to_table"):
            assert await error_of(pooler.dsn, call) is not None
    # A pooler in session mode hands everything on, as the relay does.
    async with Relay.before(dsn) as session_mode:
        for call in CALLS:
            assert await error_of(session_mode.dsn(dsn), call) is None
    # The drop-in says which PgBouncer it wants, and which value of its setting.
    async with (
        Pooler(dsn, tracks=False) as pooler,
        dropin_tools.opened(pooler.dsn, {"pooler_mode": "transaction"}) as dropin,
    ):
        with pytest.raises(DatabaseConnectionError) as raised:
            await ask(dropin)
    assert f"PgBouncer {version} or later with {setting} > {none}" in str(raised.value)


async def heard(dsn: str, through: str) -> list[str]:
    """What a listener on another connection hears, until one on a direct connection heard all."""
    found: dict[str, list[str]] = {dsn: [], through: []}
    listeners, speaker = [], await psqlpy.connect(dsn)
    for place, notes in found.items():

        async def hear(_: object, payload: str, *__: object, notes: list[str] = notes) -> None:
            notes.append(payload)

        listener = psqlpy.ConnectionPool(dsn=place, max_db_pool_size=2).listener()
        await listener.startup()
        await listener.add_callback(channel="pooled", callback=hear)
        listener.listen()
        listeners.append(listener)
    async with asyncio.timeout(10):
        while len(found[dsn]) < 10:
            await speaker.execute("SELECT pg_notify('pooled', 'news')")
            await asyncio.sleep(0.002)
    speaker.close()
    for listener in listeners:
        listener.abort_listen()
        await listener.shutdown()
    return found[through]


@proves(
    "Send streams, COPY, migrations and LISTEN past the pooler, with a second config or "
    "`direct_dsn`."
)
async def test_a_listener_behind_a_pooler_hears_nothing(dsn) -> None:
    async with Relay.before(dsn) as relay:
        assert len(await heard(dsn, relay.dsn(dsn))) > 2
    async with Pooler(dsn, tracks=True) as pooler:
        assert await heard(dsn, pooler.dsn) == []


@proves(
    "Name no `{mode}` and no `{flag}` in the config.",
    "`{mode}` and `{flag}` keep the pool from opening: SQLSpec adds a key that psqlpy refuses.",
    "Removing that key from the config opens the pool and makes matters worse.",
    "Through the small pooler of this pack's tests, in transaction mode and tracking prepared "
    "statements:",
    adapter="stock",
)
async def test_the_modes_of_the_adapter_keep_the_pool_closed(pooled, dsn, mode, flag) -> None:
    for features in ({mode: "transaction"}, {mode: "statement"}, {flag: True}):
        async with opened(features, dsn=dsn) as config:
            added = config.connection_config.keys() - {"dsn", "max_db_pool_size"}
            assert len(added) == 1
            with pytest.raises(TypeError, match=f"unexpected keyword argument '{added.pop()}'"):
                await config.provide_pool()
            with pytest.raises(TypeError, match="unexpected keyword argument"):
                psqlpy.ConnectionPool(**config.connection_config)
    async with Pooler(dsn, tracks=True) as pooler:
        errors = {
            sets_mode: [await error_of(pooler.dsn, call, sets_mode=sets_mode) for call in CALLS]
            for sets_mode in (False, True)
        }
    assert errors[True].count(None) < errors[False].count(None)


@proves(
    "The cause is that psqlpy prepares statements under names.",
    "It tracks them under names of its own, and psqlpy's `{command}`, sent before a stream or a "
    "COPY, names one that the server does not have.",
    "Here `{all_of_them}` stands for the change of the server connection:",
    adapter="stock",
)
async def test_names_of_prepared_statements(pooled, dsn, command: str, all_of_them: str) -> None:
    async with (
        Recorder.before(dsn) as recorder,
        opened(dsn=recorder.dsn(dsn)) as config,
        config.provide_session() as session,
    ):
        sent = await messages_of(recorder, CALLS["execute"](session))
        parsed = [body for kind, body in sent if kind == "P"]
        assert all(re.match(rb"s\d+\0", body) for body in parsed)
        assert parsed
        for call in ("select_stream", "copy_records_to_table"):
            sent = await messages_of(recorder, CALLS[call](session))
            dropped = [body.decode() for kind, body in sent if kind == "Q"]
            [name] = [q.split()[-1].strip("\0") for q in dropped if q.startswith(command)]
            assert ("Q", f"{command} {name}\0".encode()) in sent
            async with Pooler(dsn, tracks=True) as pooler:
                error = await error_of(pooler.dsn, call)
            assert re.search(r'prepared statement "s\d+" does not exist', error)
        await session.connection.execute_batch(all_of_them)
        with pytest.raises(SQLSpecError, match="prepared statement"):
            await CALLS["execute"](session)


@proves(
    "`{key}` do not reach a server connection that is already open.",
    "Leave `{key}` out, and set the parameters in the database.",
    "They hold from the next connection on:",
    "For one transaction use `{local}`: a plain `{plain}` stays on the server connection, for "
    "whoever gets it next.",
    "`{role} ... SET` does for a role what `{database} ... SET` does for a database.",
)
async def test_parameters_behind_a_pooler(
    session, dsn, key: str, local: str, plain: str, role: str, database: str
) -> None:
    shown = "SHOW statement_timeout"
    async with Pooler(dsn, tracks=True) as pooler:
        assert await answer(shown, dsn=dsn, **{key: "-c statement_timeout=7s"}) == "7s"
        assert await answer(shown, dsn=pooler.dsn, **{key: "-c statement_timeout=7s"}) == "0"
        async with opened(dsn=pooler.dsn) as one, opened(dsn=pooler.dsn) as other:
            async with one.provide_session() as first:
                async with first.transaction():
                    await first.execute(f"{local} statement_timeout = '5s'")
                    assert await first.select_value(shown) == "5s"
                assert await ask(other, shown) == "0"
                await first.execute(f"{plain} statement_timeout = '6s'")
            assert await ask(other, shown) == "6s"
    name = dsn.rpartition("/")[2]
    await session.execute_script(
        f"CREATE ROLE pooled_role LOGIN PASSWORD 'x';"
        f"{database} {name} SET statement_timeout = '30s';"
        f"{role} pooled_role SET lock_timeout = '20s'"
    )
    try:
        assert await session.select_value(shown) == "0"
        assert await answer(shown, dsn=dsn) == "30s"
        assert await answer("SHOW lock_timeout", dsn=dsn) == "0"
        keys = of(dsn, dsn.rpartition("@")[2].partition("/")[0])
        login = {**keys, "username": "pooled_role", "password": "x"}
        assert await answer("SHOW lock_timeout", **login) == "20s"
    finally:
        await session.execute_script(
            f"{database} {name} RESET statement_timeout; DROP ROLE pooled_role"
        )
    assert await failure(session.select_value("SELECT 1")) is None
