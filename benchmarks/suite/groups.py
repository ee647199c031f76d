"""Everything that is measured."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from suite import data
from suite.regimes import Group, Regime, Sizes

PEOPLE = "SELECT id, name, email, score, active, at, about FROM people LIMIT $1 -- {}"
"""A text for each number of rows: what a driver learns of one statement is not for another."""
NEAREST = "SELECT id, embedding <=> $1 AS distance FROM {} ORDER BY distance LIMIT 10"
READINGS = "SELECT id, name, value, at FROM readings"


def _sql(*texts: str) -> Callable[[Any, Sizes], Awaitable[None]]:
    async def prepare(admin: Any, sizes: Sizes) -> None:
        for text in texts:
            await admin.execute(text.format(rows=sizes.rows))
        await admin.execute("VACUUM ANALYZE")

    return prepare


async def _vectors(admin: Any, sizes: Sizes) -> None:
    await data.make_vectors(admin, sizes.searched)
    await admin.execute("VACUUM ANALYZE")


# TRUNCATE would be a change of the table, after which plans are made anew.
EMPTY = "DELETE FROM {0};VACUUM {0}"
# Each row of a batch is a round trip for it.
SLOW_BATCH = "ADBC, executemany"
# Over a link these take seconds; a quick run has asyncpg's to compare with.
SLOW_POOLS = (
    *("psqlpy", "stock adapter", "bundled adapter", "SQLSpec on asyncpg", "psycopg async"),
)


def _insert(size: int) -> Regime:
    return Regime(
        f"insert-{size}",
        f"{size:,} rows",
        "insert",
        size,
        before=EMPTY.format("many"),
        table="many",
        skipped=frozenset({SLOW_BATCH} if size > 100 else ()),
    )


def _load(key: str, size: int, columns: dict[str, str], source: Callable[[int], Any]) -> Regime:
    table = f"loaded_{key.rpartition('-')[2]}"
    empty = f"TRUNCATE {table}" if size > 10_000 else EMPTY.format(table)
    return Regime(
        f"load-{key}",
        f"{size:,} rows",
        "load",
        size,
        # The checkpoint keeps what a load leaves for the disk to write from slowing the next one.
        before=f"{empty};CHECKPOINT",
        table=table,
        columns=columns,
        source=source,
    )


def _loads(name: str, large: int, columns: dict[str, str], source: Callable[[int], Any]) -> Group:
    return Group(
        f"Arrow load, {name}",
        (
            _load(f"{name}-small", min(10_000, large // 2), columns, source),
            _load(f"{name}-large", large, columns, source),
        ),
        _sql(),
        effort=0.2,
    )


def _link(milliseconds: int, *, is_quick: bool) -> Group:
    pools = {f"{name}, pool and gather" for name in SLOW_POOLS} if is_quick else set()
    regimes = (
        Regime(f"link{milliseconds}-point", "one point", "point", loops=5 if is_quick else 20),
        Regime(
            f"link{milliseconds}-gather",
            "1,000 gathered",
            "gather",
            1_000,
            skipped=frozenset(pools),
        ),
        Regime(
            f"link{milliseconds}-insert",
            "insert 1,000 rows",
            "insert",
            1_000,
            before=EMPTY.format("many"),
            table="many",
            skipped=frozenset({SLOW_BATCH}),
        ),
    )
    return Group(
        f"Link with {milliseconds} ms",
        regimes,
        _sql(data.POINTS_SQL, data.MANY_SQL),
        effort=0.35,
        round_trip=milliseconds / 1000,
    )


def groups(sizes: Sizes) -> tuple[Group, ...]:
    """Everything, in the order of the report."""
    return (
        Group(
            "One row by key, one after another",
            (
                Regime("point", "warm", "point", loops=100),
                Regime("cold", "a new text each time", "cold", loops=20),
            ),
            _sql(data.POINTS_SQL),
            effort=2,
            on_other_loop=True,
        ),
        Group(
            "SELECT to dicts",
            tuple(
                Regime(
                    f"select-{size}",
                    f"{size:,} row{'s' * (size > 1)}",
                    "select",
                    size,
                    loops,
                    PEOPLE.format(size),
                )
                for size, loops in ((1, 50), (10, 50), (100, 20), (1_000, 5), (10_000, 1))
            ),
            _sql(data.ROWS_SQL),
        ),
        Group(
            "Point queries at once",
            tuple(
                Regime(f"gather-{size}", f"{size:,} gathered", "gather", size, loops)
                for size, loops in ((16, 10), (100, 3), (1_000, 1))
            ),
            _sql(data.POINTS_SQL),
            on_other_loop=True,
        ),
        Group("Batch insert", (_insert(100), _insert(10_000)), _sql(data.MANY_SQL), 0.7),
        _loads("narrow", sizes.rows, data.NARROW, data.narrow),
        _loads("wide", sizes.rows_wide, data.WIDE, data.wide),
        _loads(f"vector({data.DIMENSIONS})", sizes.rows_vector, data.VECTOR, data.embeddings),
        Group(
            "Arrow read",
            (Regime("read", f"{sizes.rows:,} rows", "read", sizes.rows, sql=READINGS),),
            _sql(data.READ_SQL),
            effort=0.3,
        ),
        Group(
            f"Vector search, {sizes.searched:,} of {data.SEARCHED}",
            tuple(
                Regime(f"search-{key}", title, "search", loops=10, sql=NEAREST.format(key))
                for key, title in (("exact", "exact"), ("indexed", "HNSW"))
            ),
            _vectors,
            effort=0.7,
        ),
        Group(
            "Connections",
            (
                Regime("connect", "open and close", "connect", loops=5),
                Regime("acquire", "borrow from the pool", "acquire", loops=50),
            ),
            _sql(),
        ),
        _link(1, is_quick=sizes.is_quick),
        _link(20, is_quick=sizes.is_quick),
        Group(
            "Memory of the client",
            (Regime("memory", "per connection", "memory", unit="byte"),),
            _sql(),
            effort=0.3,
        ),
    )
