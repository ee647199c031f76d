"""Proofs of references/troubleshooting.md: what the drop-in cures."""

from __future__ import annotations

import pyarrow as pa
import pytest
from proveskill import proves
from psqlpy_adapter import PsqlpyConfig as DropIn
from psqlpy_adapter.pool import PoolTimeoutError
from sqlspec.exceptions import DatabaseConnectionError
from watching_tools import until


@proves(
    "The drop-in cures most of them: waits without limit, frozen loads, panics, second runs that "
    "fail, stale plans, lost rows."
)
async def test_the_drop_in_cures_most_faults(dropin, dsn, silent):
    keys = {"max_db_pool_size": 1, "pool_timeout_sec": 0.02}
    full = DropIn(connection_config={"dsn": dsn, **keys})
    async with full.provide_session():
        with pytest.raises(PoolTimeoutError):
            async with full.provide_session():
                pass
    await full.close_pool()
    mute = DropIn(connection_config={"dsn": silent.dsn, "connect_timeout_sec": 0.2})
    with pytest.raises(DatabaseConnectionError):
        async with mute.provide_session():
            pass
    await mute.close_pool()
    await until(lambda: silent.accepted == 1)

    await dropin.execute("CREATE TABLE cured (name text)")
    for _ in range(3):
        await dropin.load_from_arrow("cured", pa.table({"name": ["x" * 1_000] * 2_000}))
    assert await dropin.select_value("SELECT count(*) FROM cured") == 6_000
    nearest = "SELECT id FROM embeddings ORDER BY vector <-> $1 LIMIT 1"
    rated = "SELECT id FROM products WHERE rating > $1"
    for _ in range(3):
        assert await dropin.select(nearest, [9.0, 0, 0]) == [{"id": 5}]
        assert await dropin.select(rated, 4.2) == [{"id": 1}]
    everything = "SELECT * FROM cured LIMIT 1"
    assert list(await dropin.select_one(everything)) == ["name"]
    await dropin.execute("ALTER TABLE cured ADD COLUMN note text")
    assert list(await dropin.select_one(everything)) == ["name", "note"]
    await dropin.execute("DROP TABLE cured")
    assert len(await dropin.select("SELECT id FROM users WHERE id IN ($1,$2)", 1, 2)) == 2
