"""A session of the bundled adapter whose statements may be grouped."""

from __future__ import annotations

import psqlpy_adapter
import pytest
from harness import Adapter

SCHEMA = """
CREATE TABLE points (id int PRIMARY KEY, name text, kind text, score numeric, at timestamptz);
INSERT INTO points SELECT n, 'point ' || n, 'kind ' || n % 7, n / 8.0,
    'epoch'::timestamptz + n * interval '1 h' FROM generate_series(1, 200) AS n;
CREATE TABLE "Order" ("Key" uuid, "select" jsonb, "Batch" int);
INSERT INTO "Order" SELECT md5(n::text)::uuid, jsonb_build_object('n', n), n
FROM generate_series(1, 50) AS n;
CREATE SEQUENCE numbers;
CREATE FUNCTION next_number(int) RETURNS bigint LANGUAGE sql VOLATILE
AS 'SELECT nextval(''numbers'')';
CREATE VIEW numbered AS SELECT id, nextval('numbers') AS number FROM points;
CREATE VIEW plain AS SELECT id, name FROM points;
CREATE TABLE secret (id int, owner text);
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
ANALYZE;
"""


@pytest.fixture
def adapter() -> Adapter:
    return Adapter("bundled", psqlpy_adapter)


@pytest.fixture
async def session(session, monkeypatch):
    # On a busy machine any statement may be slow, and slow ones are not grouped.
    monkeypatch.setattr("psqlpy_adapter.grouping.SLOW_SECONDS", 60)
    await session.execute_script(SCHEMA)
    return session
