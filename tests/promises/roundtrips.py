"""A value through a column and back."""

from __future__ import annotations

from typing import Any


async def through(session: Any, pg_type: str, value: Any) -> Any:
    """Store and read a value twice; return the value of the second time."""
    await session.execute_script(f"CREATE TEMP TABLE kept (value {pg_type})")
    for _ in (1, 2):
        await session.execute("INSERT INTO kept VALUES ($1)", (value,))
        rows = await session.select("SELECT value FROM kept")
    return rows[-1]["value"]


async def assert_unchanged(session: Any, pg_type: str, value: Any) -> None:
    """A value comes back as it went in, of the same Python type."""
    found = await through(session, pg_type, value)
    assert found == value
    assert type(found) is type(value)
