"""What the proofs of references/transactions.md share: a table of ids."""

from __future__ import annotations

from typing import Any

ADD = "INSERT INTO notes VALUES ($1)"


async def clear(session: Any) -> None:
    """Make the table ``notes (id int PRIMARY KEY)``, empty."""
    await session.execute("CREATE TABLE IF NOT EXISTS notes (id int PRIMARY KEY)")
    await session.execute("DELETE FROM notes")


async def add_in_block(session: Any, *ids: int, then: Exception | None = None) -> None:
    """Add ids in a ``transaction()`` block, and raise at its end."""
    async with session.transaction():
        for number in ids:
            await session.execute(ADD, number)
        if then is not None:
            raise then
