"""Proofs of references/replicas-and-poolers.md: which of a primary and its standby is taken."""

from __future__ import annotations

import os
from collections import Counter

import psqlpy
import psycopg
import pytest
from proveskill import proves
from psqlpy import LoadBalanceHosts, TargetSessionAttrs
from psqlpy.exceptions import BaseConnectionPoolError
from relay import Relay
from replicas_tools import IS_STANDBY, address, answer, ask, at_once, of, on, opened, refusing
from sqlspec.exceptions import SQLSpecError

CLUSTER = os.environ["CLUSTER_DATABASE_URL"]
STANDBY, PRIMARY = address(CLUSTER).split(",")


@proves("Without `{key}` the first host that answers is taken, even if it is a standby:")
async def test_the_first_host_that_answers_is_taken(key: str) -> None:
    with refusing() as dead:
        assert await answer(**of(CLUSTER, dead, STANDBY, PRIMARY)) is True
    assert await answer(**of(CLUSTER, PRIMARY, STANDBY)) is False
    named = {key: TargetSessionAttrs.ReadWrite}
    assert await answer(**of(CLUSTER, STANDBY, PRIMARY), **named) is False
    async with (
        opened(**of(CLUSTER, STANDBY, PRIMARY)) as config,
        config.provide_session() as session,
    ):
        with pytest.raises(SQLSpecError, match="read-only transaction"):
            await session.execute("DELETE FROM events")


@proves(
    "Beside a `{dsn}`, the keys `{hosts}`, `{ports}` and `{target}` are ignored in silence.",
    "Put all of them into the DSN:",
    adapter="stock",
)
async def test_keys_beside_a_dsn_are_ignored(dsn: str, hosts: str, ports: str, target: str) -> None:
    host, _, port = PRIMARY.partition(":")
    elsewhere = {dsn: on(CLUSTER, STANDBY), hosts: [host], ports: [int(port)]}
    assert await answer(**elsewhere) is True
    assert await answer(**{dsn: CLUSTER, target: TargetSessionAttrs.ReadWrite}) is True
    assert await answer(dsn=on(CLUSTER, STANDBY, PRIMARY, **{target: "read-write"})) is False
    assert len({hosts, ports, target}) == 3


@proves(
    "Make a second config for reads.",
    "A config has one pool and one `{key}`; SQLSpec sends no statement elsewhere by itself.",
    adapter="stock",
)
async def test_a_config_sends_all_its_statements_to_one_server(key: str) -> None:
    write, read = (on(CLUSTER, STANDBY, PRIMARY, **{key: f"read-{w}"}) for w in ("write", "only"))
    async with opened(dsn=write, application_name="replicas") as writer, opened(dsn=read) as reader:
        assert await writer.provide_pool() is await writer.provide_pool()
        assert await ask(writer, read_only=True) is False
        async with writer.provide_session() as session:
            await session.begin()
            assert await session.select_value(IS_STANDBY) is False
            await session.rollback()
            assert [row async for row in session.select_stream(IS_STANDBY)] == [
                {"pg_is_in_recovery": False}
            ]
        assert await at_once(writer, 6) == [False] * 6
        assert await at_once(reader, 6) == [True] * 6
        count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'replicas'"
        assert await ask(reader, count) == 0
        assert await ask(writer, count) > 0


@proves(
    "`{name}` does not fall back to the primary.",
    "With every standby down, reads fail:",
    adapter="stock",
)
async def test_read_only_wants_a_standby(name: str) -> None:
    wanted = getattr(TargetSessionAttrs, name)
    with refusing() as dead:
        assert await answer(**of(CLUSTER, PRIMARY, STANDBY), target_session_attrs=wanted) is True
        with pytest.raises(BaseConnectionPoolError, match="database is not read only"):
            await answer(**of(CLUSTER, dead, PRIMARY), target_session_attrs=wanted)


@proves("There is no `prefer-standby`, `standby` or `primary`:", adapter="stock")
async def test_words_of_libpq_that_are_unknown() -> None:
    assert {name for name in dir(TargetSessionAttrs) if name[0] != "_"} == {
        "Any",
        "ReadOnly",
        "ReadWrite",
    }
    for word in ("prefer-standby", "standby", "primary"):
        dsn = on(CLUSTER, STANDBY, PRIMARY, target_session_attrs=word)
        with psycopg.connect(dsn) as libpq:
            assert libpq.execute(IS_STANDBY).fetchone() == (word != "primary",)
        with pytest.raises(psqlpy.Error, match="invalid value for option `target_session_attrs`"):
            await answer(dsn=dsn)


@proves("List the standbys first and ask for any server instead:")
async def test_any_server_with_the_standbys_first() -> None:
    with refusing() as dead:
        for first, expected in ((STANDBY, True), (dead, False)):
            dsn = on(CLUSTER, first, PRIMARY, target_session_attrs="any")
            assert await answer(dsn=dsn) is expected


@proves("With `{word}` there is nothing to balance: every connection goes to the primary.")
async def test_a_balanced_search_for_the_primary(word: str) -> None:
    keys = {"load_balance_hosts": LoadBalanceHosts.Random, "max_db_pool_size": 8}
    dsn = on(CLUSTER, STANDBY, PRIMARY, target_session_attrs=word)
    async with opened(dsn=dsn, **keys) as config:
        assert await at_once(config, 16) == [False] * 16


@proves("For reads on several standbys use `{word}` together with `{order}`.")
async def test_reads_are_spread_over_standbys(word: str, order: str) -> None:
    async with Relay(STANDBY) as one, Relay(STANDBY) as other:
        hosts = PRIMARY, one.address, other.address
        keys = {"load_balance_hosts": getattr(LoadBalanceHosts, order), "max_db_pool_size": 8}
        found: Counter[bool] = Counter()
        async with opened(dsn=on(CLUSTER, *hosts, target_session_attrs=word), **keys) as config:
            while not (one.accepted and other.accepted) and found.total() < 400:
                found.update(await at_once(config, 8))
                await config.close_pool()
        assert set(found) == {True}
        assert one.accepted > 0
        assert other.accepted > 0


@proves("On the drop-in one config reads on standbys.")
async def test_one_config_of_the_drop_in_reads_on_standbys() -> None:
    from psqlpy_adapter import PsqlpyConfig

    dsn = on(CLUSTER, STANDBY, PRIMARY, target_session_attrs="read-write")
    config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
    assert await ask(config) is False
    assert await ask(config, read_only=True) is True
    await config.close_pool()
