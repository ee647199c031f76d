"""What proofs about the drop-in connect with."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from psqlpy_adapter import PsqlpyConfig

ROOT = Path(__file__).parents[2]
SKILL = ROOT / "skills" / "sqlspec-psqlpy"


@asynccontextmanager
async def opened(
    dsn: str, features: dict[str, Any] | None = None, **keys: Any
) -> AsyncIterator[PsqlpyConfig]:
    """A config of the drop-in, with no more than two connections unless the keys say so."""
    keys = {"max_db_pool_size": 2, **keys}
    config = PsqlpyConfig(connection_config={"dsn": dsn, **keys}, driver_features=features)
    try:
        yield config
    finally:
        await config.close_pool()


async def answer(config: Any, query: str = "SELECT 42", *values: Any) -> Any:
    """The answer to a query in a session of its own."""
    async with config.provide_session() as session:
        return await session.select_value(query, *values)


def address(dsn: str) -> str:
    """The "host:port" of a connection string."""
    return dsn.rpartition("@")[2].partition("/")[0]


def child(program: str, argument: str, folder: Path) -> subprocess.Popen[str]:
    """Start a Python program in a process of its own, in a folder that it imports from."""
    return subprocess.Popen(
        [sys.executable, "-c", program, argument],
        env=os.environ | {"PYTHONPATH": str(folder)},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def tell(writer: Any, dsn: str, config: Any) -> None:
    """In a child: send what a query says, or the class of its error; end without cleaning up."""
    config = config or PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
    try:
        writer.send(str(asyncio.run(answer(config))))
    except Exception as error:  # noqa: BLE001 - to be told, whatever it is
        writer.send(type(error).__name__)
    finally:
        os._exit(0)
