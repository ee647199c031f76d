"""What proofs of configuration.md observe: how connections are opened, refused and announced."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import psqlpy
from socket_options import Options, connected
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import ImproperConfigurationError, SQLSpecError

SSL_REQUEST = 80877103


def keys_of(dsn: str) -> dict[str, Any]:
    """Return the separate values of a connection string."""
    place = urlsplit(dsn)
    return {
        "host": place.hostname,
        "port": place.port,
        "username": place.username,
        "password": place.password,
        "db_name": place.path[1:],
    }


def database_of(dsn: str) -> str:
    return urlsplit(dsn).path[1:]


async def value(query: str, features: dict[str, Any] | None = None, **keys: Any) -> Any:
    """Return the value of a query on a connection with these keys."""
    config = PsqlpyConfig(
        connection_config={"max_db_pool_size": 2, **keys}, driver_features=features
    )
    try:
        async with config.provide_session() as session:
            return await session.select_value(query)
    finally:
        await config.close_pool()


async def failure(**keys: Any) -> Exception | None:
    """Return the error of the first session, if there is one."""
    try:
        await value("SELECT 1", **keys)
    except (psqlpy.Error, SQLSpecError, TypeError, OverflowError) as error:
        return error
    return None


async def pool_failure(**keys: Any) -> Exception | None:
    """Return the error of opening the pool, which connects to nothing."""
    try:
        config = PsqlpyConfig(connection_config=keys)
        await config.provide_pool()
    except (psqlpy.Error, SQLSpecError, TypeError, OverflowError) as error:
        return error
    await config.close_pool()
    return None


async def greeting(address: str = "127.0.0.1", listen: int = 0, **keys: Any) -> dict[str, str]:
    """Return what a client with these keys says first: "tls", or the parameters of its startup.

    It connects to a listener at the address; `port` is the listener's unless it is a key.
    """
    heard: list[dict[str, str]] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            size, code = struct.unpack("!II", await reader.readexactly(8))
            if code == SSL_REQUEST:
                heard.append({"tls": "requested"})
            else:
                words = (await reader.readexactly(size - 8)).decode().rstrip("\0").split("\0")
                heard.append(dict(zip(words[::2], words[1::2], strict=True)))
        writer.close()

    server = await asyncio.start_server(handle, address, listen)
    port = server.sockets[0].getsockname()[1]
    await failure(**{"host": address, "port": port, **keys})
    server.close()
    return heard[0] if heard else {}


def own_address() -> str:
    """Return an address of the loopback on which nobody else listens, on any port."""
    return ".".join(["127", *(str(random.randint(2, 250)) for _ in range(3))])


SAMPLES: dict[str, tuple[Any, ...]] = {
    "int": (3,),
    "bool": (True,),
    "list": (["x"], [3]),
    "str": ("x",),
    "dict": ({"host": "x"},),
    "SslMode": (psqlpy.SslMode.Require,),
    "ConnRecyclingMethod": (psqlpy.ConnRecyclingMethod.Clean,),
    "TargetSessionAttrs": (psqlpy.TargetSessionAttrs.ReadOnly,),
    "LoadBalanceHosts": (psqlpy.LoadBalanceHosts.Random,),
}


async def kind_of(key: str) -> str | None:
    """Return the first of the types whose values are not refused as of a wrong type."""
    for kind, values in SAMPLES.items():
        for sample in values:
            error = await pool_failure(**{key: sample})
            if not isinstance(error, TypeError | ImproperConfigurationError):
                return kind
    return None


async def options(dsn: str, **keys: Any) -> Options:
    """Return the options of the socket of a connection."""
    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2, **keys})
    try:
        async with config.provide_session() as session:
            return connected()[await session.select_value("SELECT inet_client_port()")]
    finally:
        await config.close_pool()


@contextmanager
def full_queue() -> Iterator[str]:
    """A connection string for a port that answers no more packets: its queue is full."""
    busy = socket.create_server(("127.0.0.1", 0), backlog=0)
    crowd = [socket.socket() for _ in range(4)]
    for client in crowd:
        client.setblocking(False)
        client.connect_ex(busy.getsockname())
    yield f"postgresql://app:secret@127.0.0.1:{busy.getsockname()[1]}/app"
    for found in (busy, *crowd):
        found.close()
