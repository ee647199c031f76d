"""Load N rows with the adapter of a module: python load_many.py MODULE DSN N."""

import asyncio
import importlib
import sys

import pyarrow as pa


async def main(module: str, dsn: str, count: int) -> None:
    """Print the rows that the job reports, and those that are in the table."""
    config = importlib.import_module(module).PsqlpyConfig(connection_config={"dsn": dsn})
    source = pa.table(
        {
            "id": range(count),
            "name": [f"name {number}" for number in range(count)],
            "note": [f"a longer note on {number}" for number in range(count)],
        }
    )
    async with config.provide_session() as session:
        await session.execute_script("CREATE TABLE many (id int8, name text, note text)")
        job = await session.load_from_arrow("many", source)
        print(job.telemetry["rows_processed"])
        print(await session.select_value("SELECT count(*) FROM many"))
    await config.close_pool()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
