"""Proofs of references/pooling.md: what happens to a connection before it is lent again."""

from __future__ import annotations

import pytest
from pooling_tools import Tap, is_in_transaction
from proveskill import proves
from psqlpy import ConnRecyclingMethod
from psqlpy_adapter import PsqlpyConfig as DropIn
from psqlpy_adapter.pool import PoolTimeoutError
from recycling_tools import METHODS, using
from watching_tools import PID, ask

LEFT = {
    "SET": ("SET work_mem = '3MB'", "SELECT current_setting('work_mem') = '3MB'"),
    "LISTEN": ("LISTEN news", "SELECT EXISTS (SELECT pg_listening_channels())"),
    "tables": ("CREATE TEMP TABLE scratch (n int)", "SELECT to_regclass('scratch') IS NOT NULL"),
    "locks": (
        "SELECT pg_advisory_lock(4711)::text",
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' "
        "AND pid = pg_backend_pid())",
    ),
}
WORDS = {
    True: {"SET": "leaks", "LISTEN": "leaks", "tables": "leak", "locks": "leak"},
    False: {"SET": "reset", "LISTEN": "ended", "tables": "dropped", "locks": "released"},
}


@proves(
    "`{what}` | {fast} | {verified} | {clean}", table=" | `Fast` (default) | `Verified` | `Clean`"
)
@proves(
    "temporary {what} | {fast} | {verified} | {clean}",
    table=" | `Fast` (default) | `Verified` | `Clean`",
)
@proves(
    "advisory {what} | {fast} | {verified} | {clean}",
    table=" | `Fast` (default) | `Verified` | `Clean`",
)
async def test_what_sessions_leave(
    dsn: str, what: str, fast: str, verified: str, clean: str
) -> None:
    change, is_left = LEFT[what]
    found = {}
    for method in ("default", *METHODS):
        config = using(method, dsn)
        async with config.provide_session() as session:
            backend = await session.select_value(PID)
            await session.execute(change)
        async with config.provide_session() as session:
            assert await session.select_value(PID) == backend
            found[method] = WORDS[await session.select_value(is_left)][what]
        await config.close_pool()
    stated = {"default": fast, "Fast": fast, "Verified": verified, "Clean": clean}
    assert found == stated


@proves(
    "transaction opened with raw `{statement}` | {fast} | {verified} | {clean}",
    adapter="stock",
    table=" | `Fast` (default) | `Verified` | `Clean`",
)
async def test_raw_transactions_leak(
    dsn: str, statement: str, fast: str, verified: str, clean: str
) -> None:
    found = []
    for method in METHODS:
        config = using(method, dsn)
        async with config.provide_session() as session:
            await session.execute(statement)
            begun = await session.select_value("SELECT pg_current_xact_id()::text")
        async with config.provide_session() as session:
            again = await session.select_value("SELECT pg_current_xact_id()::text")
        found.append("leaks" if begun == again else "ended")
        await config.close_pool()
    assert found == [fast, verified, clean]


@proves(
    "There are {count} methods, and none ends an open raw transaction: use `{begin}()` or "
    "`{block}()`, see Transactions.",
    adapter="stock",
)
async def test_transactions_to_use_instead(dsn: str, count: int, begin: str, block: str) -> None:
    methods = [name for name in dir(ConnRecyclingMethod) if name[0].isupper()]
    assert sorted(methods) == sorted(METHODS)
    assert len(methods) == count
    for method in methods:
        config = using(method, dsn)
        async with config.provide_session() as session:
            backend = await session.select_value(PID)
            await getattr(session, begin)()
            assert is_in_transaction(dsn, backend)
        assert not is_in_transaction(dsn, backend)
        async with config.provide_session() as session:
            async with getattr(session, block)():
                assert is_in_transaction(dsn, backend)
            assert not is_in_transaction(dsn, backend)
        async with config.provide_session() as session:
            await session.execute("BEGIN")
        assert is_in_transaction(dsn, backend)
        await config.close_pool()


@proves(
    "On the drop-in an open transaction ends with its session, whatever the method.",
    "The drop-in's pool has limits and cleans up.",
)
async def test_transactions_end_with_sessions_of_the_drop_in(dsn: str) -> None:
    for method in METHODS:
        config = using(method, dsn, DropIn)
        async with config.provide_session() as session:
            backend = await session.select_value(PID)
            await session.execute("BEGIN")
            assert is_in_transaction(dsn, backend)
        assert not is_in_transaction(dsn, backend)
        await config.close_pool()
    limited = DropIn(
        connection_config={"dsn": dsn, "max_db_pool_size": 1, "pool_timeout_sec": 0.01}
    )
    async with limited.provide_session():
        with pytest.raises(PoolTimeoutError):
            async with limited.provide_session():
                pass
    await limited.close_pool()


def said(packets: list[bytes]) -> str:
    """What the packets before the next session are, in the words of the table."""
    if not packets:
        return "nothing"
    assert len(packets) == 1, "more than one round trip"
    text = packets[0][5:-1].decode()
    assert packets[0][:1] == b"Q", "no simple query"
    return "an empty query" if not text else "a reset script" if "RESET ALL" in text else text


async def sent(method: str, dsn: str) -> list[bytes]:
    """What a client sends when a session gets a used connection, to be answered in between."""
    async with Tap.before(dsn) as tap:
        config = using(method, tap.dsn(dsn))
        async with config.provide_session() as session:
            await session.select_value(PID)
        tap.packets.clear()
        async with config.provide_session():
            packets = list(tap.packets)
        await config.close_pool()
    return packets


@proves(
    "sent before reuse | {fast} | {verified} | {clean}",
    adapter="stock",
    table=" | `Fast` (default) | `Verified` | `Clean`",
)
async def test_what_is_sent_before_reuse(dsn: str, fast: str, verified: str, clean: str) -> None:
    found = [said(await sent(method, dsn)) for method in METHODS]
    assert found == [fast, verified, clean]


@proves(
    "The method says what happens to a connection before the next session gets it.",
    "Take `{safe}`; take `{clean}` if sessions change session state (`SET`, `search_path`, "
    "temporary tables, advisory locks, `LISTEN`).",
    "Each of the two costs {count} round trip for a session that gets a used connection.",
    "What each sends, as the server sees it:",
    adapter="stock",
)
async def test_the_methods_to_take(dsn: str, safe: str, clean: str, count: int) -> None:
    assert [len(await sent(method, dsn)) for method in ("Fast", safe, clean)] == [0, count, count]
    assert said(await sent(safe, dsn)) == "an empty query"
    config = using(clean, dsn)
    async with config.provide_session() as session:
        backend = await session.select_value(PID)
        for change, _ in LEFT.values():
            await session.execute(change)
        await session.execute("SET search_path = pg_catalog")
    async with config.provide_session() as session:
        assert await session.select_value(PID) == backend
        for _, is_left in LEFT.values():
            assert await session.select_value(is_left) is False
        assert await session.select_value("SHOW search_path") != "pg_catalog"
    last = "SELECT split_part(query, ';', 1) FROM pg_stat_activity WHERE pid = %s"
    async with config.provide_session():
        assert ask(dsn, last, backend) == "CLOSE ALL"
    await config.close_pool()
