"""P19: what `on_connection_create` sets holds for every borrower."""

import psqlpy
from harness import Breaks, promise
from psqlpy import ConnRecyclingMethod
from recycling import METHODS, STAYS


@promise("P19", stock=Breaks(psqlpy.Error, "division by zero"))
async def test_a_connection_whose_hook_fails_at_its_return_is_not_lent_again(adapter, dsn):
    """The hook runs again after "clean" has undone what it had set."""
    seen = []
    kept = []  # as in the test of the hook below

    async def hook(connection):
        kept.append(connection)
        found = await connection.fetch("SELECT pg_backend_pid() AS pid", [])
        seen.append(found.result()[0]["pid"])
        if len(seen) == 2:
            await connection.execute("SELECT 1 / 0")
        await connection.execute("SET app.tenant = 'ours'")

    config = adapter.config(
        connection_config={
            "dsn": dsn,
            "max_db_pool_size": 2,
            "conn_recycling_method": ConnRecyclingMethod.Clean,
        },
        driver_features={"on_connection_create": hook},
    )
    for _ in range(2):
        async with config.provide_session() as session:
            value = await session.select_value("SELECT current_setting('app.tenant', true)")
            assert value == "ours"
            assert await session.select_value("SELECT pg_backend_pid()") == seen[-1]
    await config.close_pool()
    assert seen[0] == seen[1] != seen[2]


@promise("P19", stock=STAYS)
async def test_the_hook_runs_once_for_each_connection(adapter, dsn):
    seen = []
    kept = []  # stock tells connections apart by id(), which must not be used again here

    async def hook(connection):
        kept.append(connection)
        found = await connection.fetch("SELECT pg_backend_pid() AS pid", [])
        seen.append(found.result()[0]["pid"])

    config = adapter.config(
        connection_config={"dsn": dsn, "max_db_pool_size": 2},
        driver_features={"on_connection_create": hook},
    )
    for _ in range(5):
        async with config.provide_session():
            pass
    await config.close_pool()
    assert len(seen) == len(set(seen)) == 1


@promise("P19", stock=STAYS)
async def test_what_the_hook_sets_holds_for_every_borrower(adapter, dsn):
    count = 0

    async def hook(connection):
        nonlocal count
        count += 1
        await connection.execute("SET app.tenant = 'ours'")

    for method in METHODS:
        config = adapter.config(
            connection_config={
                "dsn": dsn,
                "max_db_pool_size": 2,
                "conn_recycling_method": method,
            },
            driver_features={"on_connection_create": hook},
        )
        for _ in range(8):
            async with config.provide_session() as one, config.provide_session() as other:
                for session in (one, other):
                    value = await session.select_value("SELECT current_setting('app.tenant', true)")
                    assert value == "ours"
        await config.close_pool()
    # Twice with the methods that leave settings alone; after each return with "clean".
    assert count < 2 + 2 + 2 + 2 * 8 + 1
