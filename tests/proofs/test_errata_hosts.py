"""Proofs of references/errata.md: several hosts."""

from __future__ import annotations

import asyncio
import os
from typing import Any
from urllib.parse import urlsplit

from proveskill import proves
from psqlpy import LoadBalanceHosts, TargetSessionAttrs
from sqlspec.adapters.psqlpy import PsqlpyConfig

STANDBY = urlsplit(os.environ["STANDBY_DATABASE_URL"])
PRIMARY = urlsplit(os.environ["PRIMARY_DATABASE_URL"])


def make(order: str, access: str) -> PsqlpyConfig:
    keys = {
        "username": PRIMARY.username,
        "password": PRIMARY.password,
        "db_name": PRIMARY.path[1:],
        "hosts": [STANDBY.hostname, PRIMARY.hostname],
        "ports": [STANDBY.port, PRIMARY.port],
        "load_balance_hosts": getattr(LoadBalanceHosts, order),
        "target_session_attrs": getattr(TargetSessionAttrs, access),
        "max_db_pool_size": 12,
    }
    return PsqlpyConfig(connection_config=keys)


async def server(config: PsqlpyConfig) -> Any:
    """The server of a session: whether it is the standby, and its process."""
    async with config.provide_session() as session:
        return await session.select_one("SELECT pg_is_in_recovery() AS s, pg_backend_pid() AS pid")


async def reached(order: str, access: str) -> set[bool]:
    """Whether connections that are open at once lead to the standby: up to three rounds of 12."""
    config, found = make(order, access), set()
    for _ in range(3):
        rows = await asyncio.gather(*(server(config) for _ in range(12)))
        found |= {row["s"] for row in rows}
        await config.close_pool()
        if len(found) == 2:
            break
    return found


@proves(
    "F5 | queries are balanced | the host is chosen when a connection opens: sessions in turn "
    "reach {count} server",
    adapter="stock",
    table="claim | false | true",
)
async def test_sessions_in_turn_reach_one_server(count: int) -> None:
    assert await reached("Random", "Any") == {True, False}
    config = make("Random", "Any")
    rows = [await server(config) for _ in range(20)]
    assert len({row["s"] for row in rows}) == len({row["pid"] for row in rows}) == count
    await config.close_pool()


@proves(
    "F10 | `{order}` with `{access}` spreads load over replicas | each connection goes to the "
    "primary; with `{other}` both servers are reached",
    adapter="stock",
    table="claim | false | true",
)
async def test_what_is_spread(order: str, access: str, other: str) -> None:
    assert await reached(order, access) == {False}
    assert await reached(order, other) == {True, False}
