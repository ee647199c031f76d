"""Statement observers, lifecycle hooks, SQL comments and caching go on working on both adapters."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from sqlspec import StatementStack
from sqlspec.core import CacheConfig, get_cache_config, update_cache_config
from sqlspec.core.sqlcommenter import SQLCommenterContext
from sqlspec.exceptions import SQLSpecError
from sqlspec.observability import ObservabilityConfig
from sqlspec.utils.correlation import CorrelationContext


@pytest.fixture
def seen() -> list[Any]:
    """The statement events of `observed`."""
    return []


@pytest.fixture
async def observed(make_config, seen):
    """A session whose statements are observed."""
    config = make_config(
        observability_config=ObservabilityConfig(statement_observers=[seen.append])
    )
    async with config.provide_session() as session:
        yield session


async def test_an_observer_sees_every_execution_of_a_statement(observed, seen):
    for number in range(3):
        await observed.select("SELECT id FROM users WHERE id > $1 ORDER BY id", (number,))
    assert [event.operation for event in seen] == ["SELECT"] * 3
    assert all("FROM users" in event.sql for event in seen)
    assert [event.rows_affected for event in seen] == [3, 2, 1]


async def test_an_observer_sees_the_parameters_as_they_are(observed, seen):
    await observed.select("SELECT id FROM users WHERE name = $1 AND age = $2", ("Ada", 36))
    assert list(seen[0].parameters) == ["Ada", 36]


async def test_an_observer_sees_writes_batches_and_scripts(observed, seen):
    await observed.execute("UPDATE users SET age = 1 WHERE id < $1", (3,))
    await observed.execute_many("DELETE FROM events WHERE id = $1", [(1,), (2,)])
    await observed.execute_script("SELECT 1; SELECT 2")
    kinds = [(event.operation, event.is_many, event.is_script) for event in seen]
    assert kinds == [("UPDATE", False, False), ("DELETE", True, False), ("SCRIPT", False, True)]
    assert [event.rows_affected for event in seen[:2]] == [2, 2]


async def test_an_observer_sees_the_statements_of_a_stack(observed, seen):
    await observed.execute_stack(
        StatementStack().push_execute("SELECT 1").push_execute("SELECT id FROM users")
    )
    assert {"SELECT"} <= {event.operation for event in seen}


async def test_an_observer_is_told_how_long_a_statement_took(observed, seen):
    await observed.execute("SELECT pg_sleep(0.05)::text")
    assert seen[0].duration_s >= 0.05


async def test_an_observer_that_fails_does_not_fail_the_statement(make_config):
    def fail(event: Any) -> None:
        raise LookupError

    config = make_config(observability_config=ObservabilityConfig(statement_observers=[fail]))
    async with config.provide_session() as session:
        assert await session.select_value("SELECT 1") == 1


async def test_printed_sql_names_the_operation_and_the_correlation(make_config, caplog):
    config = make_config(observability_config=ObservabilityConfig(print_sql=True))
    async with config.provide_session() as session:
        with CorrelationContext.context("cid-1"), caplog.at_level(logging.INFO, "sqlspec"):
            await session.select("SELECT id FROM users")
    printed = [record for record in caplog.records if record.getMessage() == "SELECT"]
    assert len(printed) == 1
    assert "cid-1" in str(vars(printed[0]))


HOOKS = ["on_pool_create", "on_pool_destroy", "on_query_start", "on_query_complete"]


@pytest.mark.parametrize("name", HOOKS)
async def test_this_lifecycle_hook_is_called_once(make_config, name):
    calls: list[Any] = []
    config = make_config(observability_config=ObservabilityConfig(lifecycle={name: [calls.append]}))
    async with config.provide_session() as session:
        await session.execute("SELECT 1")
    await config.close_pool()
    assert len(calls) == 1


async def test_the_lifecycle_hook_for_errors_is_called(make_config):
    calls: list[Any] = []
    config = make_config(
        observability_config=ObservabilityConfig(lifecycle={"on_error": [calls.append]})
    )
    async with config.provide_session() as session:
        with pytest.raises(SQLSpecError):
            await session.execute("SELECT 1 / 0")
    assert len(calls) == 1


async def test_the_hooks_of_a_query_are_told_the_statement_and_its_parameters(make_config):
    calls: list[dict[str, Any]] = []
    config = make_config(
        observability_config=ObservabilityConfig(lifecycle={"on_query_start": [calls.append]})
    )
    async with config.provide_session() as session:
        await session.select("SELECT id FROM users WHERE name = $1", ("Ada",))
    assert "FROM users" in calls[0]["sql"]
    assert list(calls[0]["parameters"]) == ["Ada"]


@pytest.fixture
def current_query() -> str:
    return "SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid() AND 1 = $1"


async def test_a_comment_of_the_statement_config_reaches_the_server(make_config, current_query):
    base = make_config().statement_config
    commented = base.replace(
        enable_sqlcommenter=True, sqlcommenter_attributes={"application": "shop"}
    )
    async with make_config(statement_config=commented).provide_session() as session:
        # SQLSpec leaves the comment out of the first execution.
        await session.select_value(current_query, (1,))
        queries = [await session.select_value(current_query, (1,)) for _ in range(2)]
    assert all("application='shop'" in query for query in queries)


async def test_a_comment_of_the_request_reaches_the_server(make_config, current_query):
    base = make_config().statement_config
    commented = base.replace(enable_sqlcommenter=True, sqlcommenter_enable_context=True)
    async with make_config(statement_config=commented).provide_session() as session:
        with SQLCommenterContext.scope({"route": "/home"}):
            query = await session.select_value(current_query, (1,))
    assert "route='%2Fhome'" in query


@pytest.fixture
def no_caches() -> Any:
    """SQLSpec's caches, turned off during the test."""
    before = get_cache_config()
    update_cache_config(CacheConfig(compiled_cache_enabled=False, sql_cache_enabled=False))
    yield
    update_cache_config(before)


@pytest.mark.usefixtures("no_caches")
async def test_statements_run_without_the_caches_of_sqlspec(make_config):
    async with make_config().provide_session() as session:
        for _ in range(3):
            assert await session.select_value("SELECT name FROM users WHERE id = $1", (1,)) == "Ada"
        assert (await session.execute("UPDATE users SET age = $1", (1,))).rows_affected == 3


async def test_the_observability_of_one_config_is_not_that_of_another(make_config, seen):
    watched = make_config(
        observability_config=ObservabilityConfig(statement_observers=[seen.append])
    )
    silent = make_config()

    async def run(config: Any, times: int) -> None:
        for _ in range(times):
            async with config.provide_session() as session:
                await session.select("SELECT id FROM users WHERE id = $1", (1,))

    await asyncio.gather(run(watched, 2), run(silent, 3))
    assert len(seen) == 2


async def test_a_statement_transformer_is_applied(make_config):
    def only_active(expression: Any, parameters: Any) -> tuple[Any, Any]:
        return expression.where("status = 'active'"), parameters

    base = make_config().statement_config
    config = make_config(statement_config=base.replace(statement_transformers=(only_active,)))
    async with config.provide_session() as session:
        names = [await session.select("SELECT name FROM users ORDER BY id") for _ in range(2)]
    assert names == [[{"name": "Ada"}, {"name": "Grace"}]] * 2
