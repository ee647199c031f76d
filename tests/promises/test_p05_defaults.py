from urllib.parse import urlsplit

import pytest
from harness import Breaks, promise
from sqlspec.exceptions import ImproperConfigurationError


def keywords(dsn):
    parts = urlsplit(dsn)
    return {
        "username": parts.username,
        "password": parts.password,
        "port": parts.port,
        "db_name": parts.path[1:],
        "max_db_pool_size": 2,
    }


async def answer(adapter, **keys):
    config = adapter.config(connection_config=keys)
    try:
        async with config.provide_session() as session:
            return await session.select_value("SELECT 1")
    finally:
        await config.close_pool()


@promise("P05", stock=Breaks(Exception, "both host and hostaddr are missing"))
async def test_the_host_defaults_to_localhost(adapter, dsn):
    assert await answer(adapter, **keywords(dsn)) == 1


@promise("P05", stock=Breaks(TypeError, "client_encoding"))
async def test_the_client_encoding_utf8_is_accepted(adapter, dsn):
    assert await answer(adapter, host="localhost", client_encoding="UTF8", **keywords(dsn)) == 1


@promise("P05", stock=Breaks(pytest.fail.Exception, "DID NOT RAISE"))
async def test_any_other_client_encoding_is_refused_at_construction(adapter, dsn):
    with pytest.raises(ImproperConfigurationError, match="'client_encoding' is 'LATIN1'"):
        adapter.config(connection_config={"dsn": dsn, "client_encoding": "LATIN1"})
