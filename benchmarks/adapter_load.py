"""How fast Arrow data gets into a table: the adapter beside ADBC, asyncpg, psycopg and pgpq.

Rows are (bigint, text, text, float8, timestamptz), without and with a vector(64), in one Arrow
table in memory. Every contender ends with the committed rows in a table with the columns of these
types, in random order in each round after a warm-up; rates are of median times in this one run.

What the others do that is not a plain call, all of it timed: ADBC has no vectors, so it ingests
them as float4[] or as text (the text made beforehand, not timed) into an UNLOGGED table, which a
second statement casts into the destination. asyncpg and psycopg take rows, which are made from
the Arrow table; with pgvector's codecs for vectors; they load a tenth of the rows. `pgpq` has no
vectors either and takes part without them.

Exit status 1: a target was missed. Usage: ``python benchmarks/adapter_load.py [--rows N]
[--rounds N] [--server URL] [--only NAME ...] [--json FILE]``.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

import adbc_driver_postgresql.dbapi as adbc
import asyncpg
import numpy as np
import pgpq
import pgvector.asyncpg
import pgvector.psycopg
import psqlpy
import psqlpy_adapter
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from proveskill.servers import Servers, ServerSpec

DIMENSIONS = 64
TENTH = 10
COLUMNS = "id bigint, name text, note text, score float8, at timestamptz"
VECTOR = f"embedding vector({DIMENSIONS})"
TYPES = ["int8", "text", "text", "float8", "timestamptz"]
PLAIN, VECTORS = "plain", "with vectors"
BUNDLED, ADBC = "bundled adapter", "adbc"
TARGET = 1.5
ROUNDS = {PLAIN: 3, VECTORS: 1}  # plain loads are short, so that noise weighs more

Load = Callable[[pa.Table], Awaitable[Any]]


@dataclass
class Contender:
    """One way to load, on a share of the rows, and how many seconds it took each time."""

    work: str
    name: str
    load: Load
    source: pa.Table
    samples: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Rows in a second, by the median time."""
        return self.source.num_rows / statistics.median(self.samples)


def make_rows(count: int) -> pa.Table:
    """Make the Arrow table that is loaded."""
    generator = np.random.default_rng(0)
    ids = pa.array(np.arange(count))
    texts = pc.cast(ids, pa.string())
    values = pa.array(generator.random(count * DIMENSIONS, np.float32))
    return pa.table(
        {
            "id": ids,
            "name": pc.binary_join_element_wise("name", texts, " "),
            "note": pc.binary_join_element_wise("a longer note on number", texts, " "),
            "score": generator.random(count),
            "at": pa.array(np.arange(count) * 1_000_000, pa.timestamp("us", "UTC")),
            "embedding": pa.FixedSizeListArray.from_arrays(values, DIMENSIONS),
        }
    )


def with_text_vectors(table: pa.Table) -> pa.Table:
    """Write the vectors as pgvector reads them."""
    matrix = table["embedding"].combine_chunks().flatten().to_numpy().reshape(-1, DIMENSIONS)
    texts = pa.array([str(row.tolist()) for row in matrix])
    return table.set_column(table.schema.get_field_index("embedding"), "embedding", texts)


async def contenders(url: str, table: pa.Table, stack: AsyncExitStack) -> list[Contender]:
    """Open every connection and return what is compared."""
    plain = table.drop_columns(["embedding"])
    few = table.slice(0, max(1, table.num_rows // TENTH))
    few_plain = few.drop_columns(["embedding"])

    config = psqlpy_adapter.PsqlpyConfig(connection_config={"dsn": url, "max_db_pool_size": 2})
    stack.push_async_callback(config.close_pool)
    session = await stack.enter_async_context(config.provide_session())

    async def bundled(source: pa.Table) -> None:
        await session.load_from_arrow("loaded", source)

    ingest = stack.enter_context(adbc.connect(url))

    async def adbc_plain(source: pa.Table) -> None:
        with ingest.cursor() as cursor:
            cursor.adbc_ingest("loaded", source, mode="append")
        ingest.commit()

    def adbc_cast(staging_type: str) -> Load:
        async def load(source: pa.Table) -> None:
            names = ", ".join(source.column_names)
            with ingest.cursor() as cursor:
                cursor.execute(
                    f"CREATE UNLOGGED TABLE staged ({COLUMNS}, embedding {staging_type})"
                )
                cursor.adbc_ingest("staged", source, mode="append")
                # The cast is of the last name, the embedding.
                cursor.execute(f"INSERT INTO loaded ({names}) SELECT {names}::vector FROM staged")
                cursor.execute("DROP TABLE staged")
            ingest.commit()

        return load

    raw = await asyncpg.connect(url)
    stack.push_async_callback(raw.close)
    await pgvector.asyncpg.register_vector(raw)

    async def asyncpg_records(source: pa.Table) -> None:
        columns = [column.to_pylist() for column in source.columns[:5]]
        if source.num_columns > 5:
            flat = source["embedding"].combine_chunks().flatten().to_numpy()
            columns.append(list(flat.reshape(-1, DIMENSIONS)))
        records = zip(*columns, strict=True)
        await raw.copy_records_to_table("loaded", records=records, columns=source.column_names)

    sync = stack.enter_context(psycopg.connect(url))
    pgvector.psycopg.register_vector(sync)

    async def psycopg_rows(source: pa.Table) -> None:
        columns = [column.to_pylist() for column in source.columns[:5]]
        types = list(TYPES)
        if source.num_columns > 5:
            flat = source["embedding"].combine_chunks().flatten().to_numpy()
            columns.append(list(flat.reshape(-1, DIMENSIONS)))
            types.append("vector")
        command = f"COPY loaded ({', '.join(source.column_names)}) FROM STDIN (FORMAT binary)"
        with sync.cursor() as cursor, cursor.copy(command) as copy:
            copy.set_types(types)
            for row in zip(*columns, strict=True):
                copy.write_row(row)
        sync.commit()

    pool = psqlpy.ConnectionPool(dsn=url, max_db_pool_size=2)
    stack.callback(pool.close)
    copying = await pool.connection()

    async def pgpq_buffer(source: pa.Table) -> None:
        encoder = pgpq.ArrowToPostgresBinaryEncoder(source.schema)
        parts = [encoder.write_header()]
        parts += [encoder.write_batch(batch) for batch in source.to_batches()]
        parts.append(encoder.finish())
        await copying.binary_copy_to_table(
            b"".join(parts), "loaded", columns=list(source.column_names)
        )

    return [
        Contender(PLAIN, BUNDLED, bundled, plain),
        Contender(PLAIN, ADBC, adbc_plain, plain),
        Contender(PLAIN, "pgpq + psqlpy", pgpq_buffer, plain),
        Contender(PLAIN, "asyncpg", asyncpg_records, few_plain),
        Contender(PLAIN, "psycopg", psycopg_rows, few_plain),
        Contender(VECTORS, BUNDLED, bundled, table),
        Contender(VECTORS, f"{ADBC}, float4[] cast", adbc_cast("float4[]"), table),
        Contender(VECTORS, f"{ADBC}, text cast", adbc_cast("text"), with_text_vectors(table)),
        Contender(VECTORS, "asyncpg", asyncpg_records, few),
        Contender(VECTORS, "psycopg", psycopg_rows, few),
    ]


def shuffled(found: Iterable[Contender]) -> list[Contender]:
    """Return the contenders in a random order."""
    order = list(found)
    random.shuffle(order)
    return order


async def measure(url: str, rows: int, rounds: int, only: list[str]) -> list[Contender]:
    """Fill in the samples; the first round is a warm-up."""
    async with AsyncExitStack() as stack:
        admin = await asyncpg.connect(url)
        stack.push_async_callback(admin.close)
        found = await contenders(url, make_rows(rows), stack)
        found = [c for c in found if not only or any(name in c.name for name in only)]
        # One work after the other: what a load of vectors leaves for the disk to write would
        # slow down a plain one, and not the same one each time.
        turns = [
            (number, work)
            for work in (PLAIN, VECTORS)
            for number in range(ROUNDS[work] * rounds + 1)
        ]
        for number, work in turns:
            for contender in shuffled(c for c in found if c.work == work):
                vector = f", {VECTOR}" if work == VECTORS else ""
                await admin.execute(
                    f"DROP TABLE IF EXISTS loaded; CREATE TABLE loaded ({COLUMNS}{vector})"
                )
                await admin.execute("CHECKPOINT")
                gc.collect()
                started = time.perf_counter()
                await contender.load(contender.source)
                seconds = time.perf_counter() - started
                stored = await admin.fetchval("SELECT count(*) FROM loaded")
                assert stored == contender.source.num_rows, (contender.name, stored)
                if number:
                    contender.samples.append(seconds)
    return found


def report(found: list[Contender]) -> bool:
    """Print the rates, and whether the target is met in both works."""
    met = True
    for work in (PLAIN, VECTORS):
        of_work = [contender for contender in found if contender.work == work]
        peers = [c.rate for c in of_work if c.name.startswith(ADBC)]
        own = next((c.rate for c in of_work if c.name == BUNDLED), None)
        print(f"\n{work}: rows per second, and the bundled adapter's rate over it")
        for contender in sorted(of_work, key=lambda c: -c.rate):
            ratio = f"{own / contender.rate:6.2f}" if own else ""
            spread = f"{min(contender.samples):.2f} to {max(contender.samples):.2f} s"
            print(f"  {contender.name:22} {contender.rate:12,.0f} {ratio}   ({spread})")
        if own and peers:
            reached = own / max(peers)
            met &= reached >= TARGET
            verdict = "met" if reached >= TARGET else "MISSED"
            print(f"  target, at least {TARGET} times the best of ADBC: {reached:.2f} {verdict}")
    return met


def main() -> int:
    """Run it all; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5, help="of vectors (5); plain: 3 times")
    parser.add_argument("--server", help="a DSN; default: an embedded server")
    parser.add_argument("--only", nargs="*", default=[], help="parts of contenders' names")
    parser.add_argument("--json", type=Path, help="write the samples to this file")
    arguments = parser.parse_args()
    kind = arguments.server or "embedded"
    with Servers(ServerSpec(kind, extensions=("vector",))) as servers:
        database = servers.create_database()
        found = asyncio.run(measure(database.url, arguments.rows, arguments.rounds, arguments.only))
    if arguments.json:
        samples = {f"{c.work}: {c.name}": c.samples for c in found}
        arguments.json.write_text(json.dumps(samples, indent=2) + "\n")
    return 0 if report(found) else 1


if __name__ == "__main__":
    sys.exit(main())
