"""A table whose types change, and statements on it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

ADD = "INSERT INTO visits (day, n) VALUES ($1, $2)"
NOON = datetime(2026, 1, 2, 12, 30)
TABLE = "CREATE TABLE visits (day date, n int)"
RETYPED = "ALTER TABLE visits ALTER day TYPE timestamp, ALTER n TYPE bigint"


async def days(session: Any) -> list[Any]:
    return [row["day"] for row in await session.select("SELECT day FROM visits ORDER BY day")]
