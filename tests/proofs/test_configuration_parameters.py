"""Proofs of references/configuration.md: server parameters, and the hook that cannot set them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from configuration_tools import failure, value
from proveskill import proves
from psqlpy import Connection
from psqlpy.exceptions import BaseConnectionPoolError
from sqlspec.adapters.psqlpy import PsqlpyConfig


@proves("Every parameter needs its own `{flag}`; behind PgBouncer see Poolers.", adapter="stock")
async def test_every_parameter_needs_a_flag(dsn: str, flag: str) -> None:
    show = "SELECT current_setting('lock_timeout') || current_setting('statement_timeout')"
    both = f"{flag} lock_timeout=1s {flag} statement_timeout=2s"
    assert await value(show, dsn=dsn, options=both) == "1s2s"
    one = f"{flag} lock_timeout=1s statement_timeout=2s"
    assert "statement_timeout=2s" in str(await failure(dsn=dsn, options=one))


@proves("Write a blank inside a value as `{blank}`.")
async def test_a_blank_in_a_value(dsn: str, blank: str) -> None:
    escaped = f"-c DateStyle=ISO,{blank}DMY"
    assert await value("SHOW DateStyle", dsn=dsn, options=escaped) == "ISO, DMY"
    assert await failure(dsn=dsn, options="-c DateStyle=ISO, DMY") is not None


@proves("A parameter that the server does not know keeps every connection from opening:",
        adapter="stock")  # fmt: skip
async def test_an_unknown_parameter(dsn: str) -> None:
    options = "-c lock_timeout=1s -c statment_timeout=30000"
    config = PsqlpyConfig(connection_config={"dsn": dsn, "options": options})
    for _ in range(2):
        with pytest.raises(BaseConnectionPoolError, match="unrecognized configuration parameter"):
            async with config.provide_session():
                pass
    await config.close_pool()


async def settings_seen(dsn: str) -> set[str]:
    """The settings of sessions whose hook sets one, on a pool that grows."""

    async def hook(connection: Connection) -> None:
        await connection.execute("SET work_mem = '3MB'")

    config = PsqlpyConfig(
        connection_config={"dsn": dsn, "max_db_pool_size": 16},
        driver_features={"on_connection_create": hook},
    )

    async def one() -> str:
        async with config.provide_session() as session:
            return await session.select_value("SHOW work_mem")

    seen: set[str] = set()
    for size in range(1, 17):
        seen.update(await asyncio.gather(*(one() for _ in range(size))))
    await config.close_pool()
    return seen


@proves(
    "Do not use `on_connection_create` for this: it is left out for some connections, see Pooling.",
    "`on_connection_create` | none | called for a new session, but left out for some connections: "
    "Pooling",
    adapter="stock",
    table="Feature | Default | What it does",
)
async def test_the_hook_is_left_out_for_some_connections(dsn: str) -> None:
    """A pool shows it nearly always; ten of them do."""
    default = await value("SHOW work_mem", dsn=dsn)
    for _ in range(10):
        seen = await settings_seen(dsn)
        if default in seen:
            break
    assert seen == {default, "3MB"}


@proves("The hook must be `async`:")
async def test_the_hook_must_be_async(dsn: str) -> None:
    called: list[Any] = []
    with pytest.raises(TypeError):
        await value("SELECT 1", {"on_connection_create": called.append}, dsn=dsn)

    async def hook(connection: Connection) -> None:
        called.append(connection)

    called.clear()
    assert await value("SELECT 1", {"on_connection_create": hook}, dsn=dsn) == 1
    assert len(called) == 1
