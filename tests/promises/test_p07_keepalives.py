"""P07: keepalive settings take effect, as the socket has them."""

import pytest
from harness import Breaks, promise
from psqlpy import SslMode
from socket_options import connected


async def options_with(adapter, dsn, **keys):
    config = adapter.config(connection_config={"dsn": dsn, "max_db_pool_size": 2, **keys})
    try:
        async with config.provide_session() as session:
            return connected()[await session.select_value("SELECT inet_client_port()")]
    finally:
        await config.close_pool()


@pytest.mark.parametrize("key", [
    "keepalives_idle_sec", "keepalives_interval_sec", "keepalives_retries",
])  # fmt: skip
@promise("P07", stock=Breaks(AssertionError, "== 5"))
async def test_each_setting_takes_effect_alone(adapter, dsn, key):
    found = await options_with(adapter, dsn, **{key: 5})
    assert found.keepalive
    assert getattr(found, key.split("_")[1]) == 5


@promise("P07", stock=None)
async def test_all_of_them_take_effect_beside_keepalives(adapter, dsn):
    keys = {"keepalives_idle_sec": 9, "keepalives_interval_sec": 8, "keepalives_retries": 7}
    found = await options_with(adapter, dsn, keepalives=True, **keys)
    assert found.keepalive
    assert (found.idle, found.interval, found.retries) == (9, 8, 7)


@promise("P07", stock=Breaks(AssertionError))
async def test_they_take_effect_in_the_tunnel(adapter, servers, database):
    """The tunnel's own socket is in this process as well."""
    found = servers.variables(["TLS_DATABASE_URL", "TLS_CA_FILE"], database)
    config = adapter.config(
        connection_config={
            "dsn": found["TLS_DATABASE_URL"].replace("127.0.0.1", "localhost"),
            "ssl_mode": SslMode.VerifyCa,
            "ca_file": found["TLS_CA_FILE"],
            "keepalives_idle_sec": 9,
            "keepalives_interval_sec": 8,
            "keepalives_retries": 7,
            "tcp_user_timeout_sec": 6,
            "max_db_pool_size": 2,
        }
    )
    before = connected()
    async with config.provide_session() as session:
        assert await session.select_value("SELECT 1") == 1
        opened = [options for port, options in connected().items() if port not in before]
    await config.close_pool()
    set_ones = [options for options in opened if options.user == 6000]
    assert set_ones
    for options in set_ones:
        assert (options.idle, options.interval, options.retries) == (9, 8, 7)


@promise("P07", stock=Breaks(AssertionError))
async def test_false_turns_keepalives_off(adapter, dsn):
    assert not (await options_with(adapter, dsn, keepalives=False)).keepalive


@promise("P07", stock=None)
async def test_keepalives_are_turned_off_in_the_dsn(adapter, dsn):
    assert not (await options_with(adapter, f"{dsn}?keepalives=0")).keepalive
