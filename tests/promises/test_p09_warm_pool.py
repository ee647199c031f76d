import psycopg
from harness import Breaks, promise


def open_connections(dsn, name):
    with psycopg.connect(dsn) as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
        return connection.execute(query, [name]).fetchone()[0]


@promise("P09", stock=Breaks(TypeError, "min_db_pool_size"))
async def test_the_least_number_of_connections_is_opened_with_the_pool(adapter, dsn):
    config = adapter.config(
        connection_config={
            "dsn": dsn,
            "application_name": "warm",
            "min_db_pool_size": 3,
            "max_db_pool_size": 4,
        }
    )
    await config.create_pool()
    assert open_connections(dsn, "warm") == 3
    assert config.connection_instance.status().available == 3
    await config.close_pool()


@promise("P09", stock=Breaks(AttributeError, "warm_up"))
async def test_a_pool_is_warmed_on_demand(adapter, dsn):
    config = adapter.config(
        connection_config={"dsn": dsn, "application_name": "warm", "max_db_pool_size": 4}
    )
    await config.warm_up(4)
    assert open_connections(dsn, "warm") == 4
    async with config.provide_session() as session:
        assert await session.select_value("SELECT 1") == 1
    assert open_connections(dsn, "warm") == 4
    await config.close_pool()
