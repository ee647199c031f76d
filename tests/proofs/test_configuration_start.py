"""Proofs of references/configuration.md: what a configuration owns, and the drop-in's keys."""

from __future__ import annotations

import asyncio
from typing import Any

import psqlpy
import psqlpy_adapter
import pytest
from configuration_taps import borrowings
from configuration_tools import keys_of
from proveskill import proves
from psqlpy import ConnRecyclingMethod
from sqlspec.adapters.psqlpy import PsqlpyConfig
from watching_tools import PID


@proves("The drop-in takes the same keys, words for enums, and some more.")
async def test_the_drop_in_takes_the_keys_with_words_for_enums(dsn: str) -> None:
    keys = {
        "ssl_mode": "prefer",
        "target_session_attrs": "any",
        "load_balance_hosts": "random",
        "conn_recycling_method": "verified",
        "connect_timeout_sec": 5,
        "connect_timeout_nanosec": 1,
        "tcp_user_timeout_sec": 30,
        "tcp_user_timeout_nanosec": 1,
        "keepalives": True,
        "keepalives_idle_sec": 60,
        "keepalives_idle_nanosec": 1,
        "keepalives_interval_sec": 10,
        "keepalives_interval_nanosec": 1,
        "keepalives_retries": 3,
        "options": "-c lock_timeout=5000",
        "application_name": "billing",
        "extra": {"max_db_pool_size": 2},
    }
    for address in ({"dsn": dsn}, keys_of(dsn)):
        config = psqlpy_adapter.PsqlpyConfig(connection_config={**address, **keys})
        async with config.provide_session() as session:
            assert await session.select_value("SHOW lock_timeout") == "5s"
        await config.close_pool()
    more = psqlpy_adapter.PsqlpyConfig(connection_config={"dsn": dsn, "min_db_pool_size": 1})
    assert (await more.provide_pool()).status().size == 1
    await more.close_pool()
    with pytest.raises(TypeError, match="unexpected keyword"):
        psqlpy.ConnectionPool(dsn=dsn, min_db_pool_size=1)


@proves(
    "Make one `PsqlpyConfig` for a process: the pool belongs to it.",
    "Call `close_pool()` at shutdown: it ends the connections.",
)
async def test_every_configuration_has_a_pool_of_its_own(dsn: str, session: Any) -> None:
    one, other = (
        PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2}) for _ in range(2)
    )
    pids = []
    for config in (one, one, other):
        async with config.provide_session() as found:
            pids.append(await found.select_value(PID))
    assert pids[0] == pids[1] != pids[2]
    await one.close_pool()
    await other.close_pool()
    alive = "SELECT count(*) FROM pg_stat_activity WHERE pid IN ($1, $2)"
    async with asyncio.timeout(10):
        while left := await session.select_value(alive, pids[0], pids[2]):
            pass
    assert left == 0


@proves(
    "`{careful}` costs {trips} round trip when a session takes a used connection, and replaces a "
    "dead one: the default, `{default}`, costs {none} and may hand it out.",
    adapter="stock",
)
async def test_what_it_costs_to_look_at_a_used_connection(
    dsn: str, session: Any, careful: str, trips: int, default: str, none: int
) -> None:
    method = {"conn_recycling_method": getattr(ConnRecyclingMethod, careful)}
    assert await borrowings(dsn, session, method) == (trips, False)
    method = {"conn_recycling_method": getattr(ConnRecyclingMethod, default)}
    assert await borrowings(dsn, session, method) == (none, True)
    assert await borrowings(dsn, session, {}) == (none, True)
