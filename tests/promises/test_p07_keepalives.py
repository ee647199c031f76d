from pathlib import Path

import pytest
from harness import Breaks, promise

KEEPALIVE_TIMER = "02"
ESTABLISHED = "01"
TICKS = 100
"""/proc counts hundredths of a second."""


def timer(port):
    """The kind of the timer of the socket at that port, and the seconds it has still to run."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        is_open = fields[3] == ESTABLISHED  # not one that had the port before
        if is_open and int(fields[1].rpartition(":")[2], 16) == port:
            kind, left = fields[5].split(":")
            return kind, int(left, 16) / TICKS
    raise AssertionError("the session's socket is not there")


async def timer_with(adapter, dsn, **keys):
    config = adapter.config(connection_config={"dsn": dsn, "max_db_pool_size": 2, **keys})
    async with config.provide_session() as session:
        found = timer(await session.select_value("SELECT inet_client_port()"))
    await config.close_pool()
    return found


@promise("P07", stock=Breaks(AssertionError))
async def test_the_idle_time_takes_effect_alone(adapter, dsn):
    kind, left = await timer_with(adapter, dsn, keepalives_idle_sec=300)
    assert kind == KEEPALIVE_TIMER
    assert 200 < left <= 300


@promise("P07", stock=None)
async def test_the_idle_time_takes_effect_beside_keepalives(adapter, dsn):
    kind, left = await timer_with(adapter, dsn, keepalives=True, keepalives_idle_sec=300)
    assert kind == KEEPALIVE_TIMER
    assert 200 < left <= 300


@promise("P07", stock=Breaks(AssertionError))
async def test_false_turns_keepalives_off(adapter, dsn):
    kind, _ = await timer_with(adapter, dsn, keepalives=False)
    assert kind != KEEPALIVE_TIMER


@pytest.mark.parametrize("word", ["keepalives=0"])
@promise("P07", stock=None)
async def test_keepalives_are_turned_off_in_the_dsn(adapter, dsn, word):
    kind, _ = await timer_with(adapter, f"{dsn}?{word}")
    assert kind != KEEPALIVE_TIMER
