"""Proof of references/drop-in.md: children. In a module, and so in a process, of its own."""

from __future__ import annotations

import asyncio
import multiprocessing
from multiprocessing import resource_tracker
from typing import Any

from dropin_tools import tell
from proveskill import proves
from psqlpy_adapter import PsqlpyConfig


def told(start: str, dsn: str, config: Any = None) -> str:
    """What a child says that is started in a way."""
    context = multiprocessing.get_context(start)
    reader, writer = context.Pipe(duplex=False)
    child = context.Process(target=tell, args=(writer, dsn, config))
    child.start()
    writer.close()
    try:
        return reader.recv()
    finally:
        child.join()


@proves(
    "make a forked child use the parent's connections: start children with `{way}`, "
    "or open pools after the fork;"
)
def test_a_forked_child_has_no_use_of_the_parents_connections(way: str, dsn) -> None:
    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})

    async def ask() -> int:
        async with config.provide_session() as session:
            return await session.select_value("SELECT 42")

    assert told("fork", dsn) == "42"  # a pool that is opened after the fork
    assert asyncio.run(ask()) == 42
    assert told("fork", dsn, config) == "DatabaseConnectionError"
    assert told(way, dsn) == "42"
    resource_tracker._resource_tracker._stop()
    asyncio.run(config.close_pool())
