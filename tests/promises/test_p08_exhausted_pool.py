import asyncio

import pytest
from harness import Breaks, promise
from sqlspec.exceptions import SQLSpecError

HANGS = Breaks(TimeoutError)


def of_size(adapter, dsn, size, **keys):
    if adapter.name == "bundled":
        keys = {"pool_timeout_sec": 0.3, **keys}
    return adapter.config(connection_config={"dsn": dsn, "max_db_pool_size": size, **keys})


@promise("P08", stock=HANGS)
async def test_an_exhausted_pool_is_an_error_that_names_size_waiting_and_limit(adapter, dsn):
    config = of_size(adapter, dsn, 2)
    async with config.provide_session(), config.provide_session():

        async def borrow():
            async with config.provide_session():
                pass

        async with asyncio.timeout(3):
            errors = await asyncio.gather(*(borrow() for _ in range(3)), return_exceptions=True)
    await config.close_pool()
    assert [type(error).__name__ for error in errors] == ["PoolTimeoutError"] * 3
    assert all(isinstance(error, SQLSpecError) for error in errors)
    assert "all 2 ('max_db_pool_size') are lent" in str(errors[0])
    assert "0.3 s ('pool_timeout_sec')" in str(errors[0])
    assert "2 more are waiting" in str(errors[0])


@promise("P08", stock=HANGS)
async def test_nested_sessions_in_one_task_get_the_error_too(adapter, dsn):
    config = of_size(adapter, dsn, 2)
    async with asyncio.timeout(3), config.provide_session(), config.provide_session():
        with pytest.raises(SQLSpecError, match="2 of them by the very task that waits"):
            async with config.provide_session():
                pass
    await config.close_pool()


@promise("P08", stock=None)
async def test_a_pool_is_usable_after_it_was_exhausted(adapter, dsn):
    config = of_size(adapter, dsn, 2)
    async with config.provide_session(), config.provide_session():
        with pytest.raises((SQLSpecError, TimeoutError)):
            async with asyncio.timeout(1), config.provide_session():
                pass
    async with config.provide_session() as one, config.provide_session() as other:
        assert await one.select_value("SELECT 1") == await other.select_value("SELECT 1")
    await config.close_pool()


@promise("P08", stock=Breaks(Exception, "must be more than 1"))
async def test_a_pool_of_one_works(adapter, dsn):
    config = of_size(
        adapter, dsn, 1, **({"pool_timeout_sec": 10} if adapter.name == "bundled" else {})
    )

    async def backend():
        async with config.provide_session() as session:
            return await session.select_value("SELECT pg_backend_pid()")

    assert len(set(await asyncio.gather(*(backend() for _ in range(20))))) == 1
    await config.close_pool()


@promise("P08", stock=None)
async def test_five_hundred_tasks_share_a_pool_of_two(adapter, dsn):
    config = adapter.config(connection_config={"dsn": dsn, "max_db_pool_size": 2})

    async def ask(number):
        async with config.provide_session() as session:
            return await session.select_value("SELECT $1::int", number)

    assert await asyncio.gather(*(ask(number) for number in range(500))) == list(range(500))
    assert config.connection_instance.status().size == 2
    await config.close_pool()
