"""Proofs of references/replicas-and-poolers.md: several hosts, dead ones, and their ports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from proveskill import proves
from psqlpy import LoadBalanceHosts
from psqlpy.exceptions import BaseConnectionPoolError
from relay import Relay
from replicas_tools import address, answer, ask, at_once, of, on, opened, refusing
from watching_tools import failure

WHERE = "SELECT current_database()"


async def spread(
    make: Callable[[str, str], dict[str, Any]], dsn: str, *, rounds: int = 30
) -> tuple[int, int]:
    """How many connections each of two hosts got, over rounds of new pools.

    It ends when both got one.
    """
    async with Relay.before(dsn) as first, Relay.before(dsn) as second:
        keys = {"max_db_pool_size": 4, **make(first.address, second.address)}
        async with opened(**keys) as config:
            for _ in range(rounds):
                await at_once(config, 4, WHERE)
                await config.close_pool()
                if first.accepted and second.accepted:
                    break
        return first.accepted, second.accepted


@proves(
    "`LoadBalanceHosts.{random}` shuffles the hosts each time the pool opens a connection:",
    "The default, `{disable}`, tries the hosts in the order given.",
    "In a DSN: `{option}={word}`.",
)
async def test_the_order_of_the_hosts(dsn, random: str, disable: str, option: str, word: str):
    def ordered(**keys: Any) -> Callable[[str, str], dict[str, Any]]:
        return lambda *hosts: of(dsn, *hosts, **keys)

    for make in (
        ordered(load_balance_hosts=getattr(LoadBalanceHosts, random)),
        lambda *hosts: {"dsn": on(dsn, *hosts, **{option: word})},
    ):
        first, second = await spread(make, dsn)
        assert first > 0
        assert second > 0
    for make in (
        ordered(),
        ordered(load_balance_hosts=getattr(LoadBalanceHosts, disable)),
        lambda *hosts: {"dsn": on(dsn, *hosts)},
    ):
        first, second = await spread(make, dsn, rounds=3)
        assert first > 0
        assert second == 0


@proves(
    "It balances connections, not queries.",
    "Sessions that follow one another share one connection, and so one server:",
)
async def test_connections_are_balanced_not_queries(dsn) -> None:
    async with Relay.before(dsn) as first, Relay.before(dsn) as second:
        keys = of(dsn, first.address, second.address, load_balance_hosts=LoadBalanceHosts.Random)
        async with opened(**keys, max_db_pool_size=8) as config:
            pids = {await ask(config, "SELECT pg_backend_pid()") for _ in range(20)}
            assert len(pids) == 1
            assert first.accepted + second.accepted == 1


@proves("A host that refuses, or whose name is unknown, is skipped:")
async def test_dead_hosts_are_skipped(dsn) -> None:
    with refusing() as dead:
        hosts = dead, "no-such-host.invalid:5432", address(dsn)
        assert await answer(WHERE, **of(dsn, *hosts)) == dsn.rpartition("/")[2]
        with pytest.raises(Exception, match=r"(?i)error connecting|refused|lookup"):
            await answer(WHERE, **of(dsn, *hosts[:2]))


@proves(
    "A host that accepts and then stays silent stops everything: the hosts after it are never "
    "tried, and `{key}` does not apply.",
    "Bound the wait yourself: Configuration.",
    adapter="stock",
)
async def test_a_silent_host_is_waited_for(dsn, key: str) -> None:
    async with Relay.before(dsn) as silent, Relay.before(dsn) as good:
        silent.is_mute = True
        limits = {key: 0, key.replace("_sec", "_nanosec"): 30_000_000}
        async with opened(**of(dsn, silent.address, good.address, **limits)) as config:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await ask(config)
            assert silent.accepted == 1
        assert good.accepted == 0
        assert await answer(WHERE, **of(dsn, good.address, silent.address, **limits))


@proves(
    "One port serves all hosts; any other count must be the count of hosts.",
    "`{hosts}` is a list, and `{host}` takes one name:",
    "Do not give `{host}` and `{hosts}` together: psqlpy adds the one to the others, and the ports "
    "no longer fit.",
    adapter="stock",
)
async def test_counts_of_hosts_and_ports(dsn, hosts: str, host: str) -> None:
    place = of(dsn, address(dsn))
    (name,), (port,) = place.pop("hosts"), place.pop("ports")

    async def fits(number: int, **ports: Any) -> bool:
        error = await failure(answer(WHERE, **place, **{hosts: [name] * number}, **ports))
        assert error is None or type(error) is BaseConnectionPoolError
        assert error is None or "invalid number of ports" in str(error)
        return error is None

    for ports in ({"port": port}, {"ports": [port]}):
        assert [await fits(number, **ports) for number in (1, 2, 3)] == [True] * 3
    for number in (2, 3):
        ports = {"ports": [port] * number}
        assert [count for count in (1, 2, 3) if await fits(count, **ports)] == [number]
    with pytest.raises(TypeError, match="Can't extract `str`"):
        await answer(WHERE, **place, **{hosts: name}, port=port)
    assert await answer(WHERE, **place, **{host: name}, port=port) is not None
    with pytest.raises(BaseConnectionPoolError, match="failed to lookup address"):
        await answer(WHERE, **place, **{host: f"{name},{name}"}, port=port)
    place[host] = name
    assert not await fits(2, ports=[port] * 2)
    # Three hosts are there, and one of them would do.
    assert await fits(2, ports=[port] * 3)
