"""Proofs of references/best-practices.md: the practices that the drop-in does not need."""

from __future__ import annotations

import numpy as np
from best_practices_tools import OPEN
from proveskill import proves
from psqlpy_adapter import PsqlpyConfig as DropIn
from watching_tools import ask


@proves(
    "Practices 2, 4, 8, 11 and 12 are for SQLSpec's own adapter; the drop-in needs none of them."
)
async def test_practices_that_the_drop_in_does_not_need(dropin, dsn):
    nearest = "SELECT id FROM embeddings ORDER BY vector <-> $1 LIMIT 1"
    assert await dropin.select(nearest, np.array([9.0, 0, 0])) == [{"id": 5}]

    await dropin.execute("CREATE TABLE bulk (id int, name text)")
    await dropin.begin()
    await dropin.execute_many("INSERT INTO bulk VALUES ($1, $2)", [(1, "a"), (2, "b")])
    await dropin.load_from_records("bulk", [{"id": n, "name": "x" * 1_000} for n in range(1_000)])
    assert await dropin.select_value("SELECT count(*) FROM bulk") == 1_002
    await dropin.rollback()
    assert await dropin.select_value("SELECT count(*) FROM bulk") == 0
    await dropin.execute("DROP TABLE bulk")

    keys = {"dsn": dsn, "min_db_pool_size": 3, "application_name": "warm"}
    config = DropIn(connection_config=keys)
    await config.provide_pool()
    assert ask(dsn, OPEN, "warm") == 3
    await config.close_pool()

    since = "SELECT id FROM events WHERE timestamp > $1::timestamptz"
    rated = "SELECT id FROM products WHERE rating > $1"
    for _ in range(3):
        assert await dropin.select(since, "2026-01-01T12:00:00+00:00") == [{"id": 2}]
        assert await dropin.select(rated, 4.2) == [{"id": 1}]
    assert await dropin.select("SELECT 1_000 + int4mul($1,$2) AS n", 2, 3) == [{"n": 1_006}]
