"""What a load asks of the server, and the transaction that it runs in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from typing import Any

from sqlspec.adapters.psqlpy.core import format_table_identifier
from sqlspec.exceptions import OperationalError, SQLSpecError

from psqlpy_adapter.cancellation import guarded
from psqlpy_adapter.copying import destination
from psqlpy_adapter.copying.destination import Relation, TargetColumn, columns_of

_UNDO = "ROLLBACK TO SAVEPOINT psqlpy_adapter_load; RELEASE SAVEPOINT psqlpy_adapter_load"
_REFERENCED = "cannot truncate a table referenced in a foreign key constraint"


def turn(driver: Any) -> AbstractAsyncContextManager[Any]:
    """Keep other statements of the session out of the load's transaction."""
    lane = getattr(driver, "lane", None)
    return nullcontext() if lane is None else lane.alone()


async def fetch(driver: Any, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """Send a query of this package, whose columns psqlpy reads right by itself."""
    result = await guarded(driver, driver.connection.fetch(sql, list(parameters)))
    rows: list[dict[str, Any]] = result.result()
    return rows


async def run(driver: Any, sql: str, *, surely: bool = False) -> None:
    """Send a statement without parameters and rows (simple protocol: one round trip).

    surely: it is done even when the caller is cancelled before it could be sent.
    """
    send = driver.connection.execute_batch
    await guarded(driver, send(sql), instead=(lambda: send(sql)) if surely else None)


async def empty(driver: Any, qualified: str) -> None:
    """Truncate the table.

    Raises:
        SQLSpecError: what the server refused; for a table that a foreign key references (0A000),
            it says how to do it, since the server's hint is about another statement.
    """
    try:
        await run(driver, f"TRUNCATE TABLE {qualified}")
    except SQLSpecError as error:
        if _REFERENCED not in str(error):
            raise
        refusal = SQLSpecError(
            f"{error}\noverwrite=True truncates {qualified} alone. In one transaction, truncate it "
            "together with the tables that reference it, or delete its rows, and load without "
            "overwrite; or keep the rows, and load with on_conflict='update'."
        )
        refusal.sqlstate = error.sqlstate  # type: ignore[attr-defined]  # as errors.mapped does
        raise refusal from error


async def describe(driver: Any, table: str) -> tuple[Relation, tuple[TargetColumn, ...]]:
    """Ask the server for `table` and its columns."""
    relation = await find(driver, format_table_identifier(table))
    return relation, await columns(driver, relation)


async def find(driver: Any, qualified: str) -> Relation:
    """Find the table as the server does, and what may be done with it.

    Raises:
        SQLSpecError: there is no such table, or the transaction is read-only.
    """
    await fetch(driver, "SELECT set_config('psqlpy_adapter.probe', '1', true)")
    (row,) = await fetch(driver, destination.RELATION, [qualified])
    if row["oid"] is None:
        # The server's own error, in its own words, mapped as any other.
        await fetch(driver, f"SELECT 1 FROM {qualified} LIMIT 0")
    if row.pop("read_only"):
        raise OperationalError(
            f"cannot load into {qualified}: the transaction is read-only (a standby?)"
        )
    return Relation(**row)


async def columns(driver: Any, relation: Relation) -> tuple[TargetColumn, ...]:
    """Ask for the columns, with all that is needed to encode their types."""
    rows = await fetch(driver, destination.COLUMNS, [relation.oid])
    return columns_of(rows, await fetch(driver, destination.TYPES, [relation.oid]))


async def takes_nulls_for_equal(driver: Any, relation: Relation, key: Sequence[str]) -> bool:
    """Tell whether a unique index on just these columns is NULLS NOT DISTINCT."""
    (row,) = await fetch(driver, destination.NULLS_NOT_DISTINCT, [relation.oid, list(key)])
    return bool(row["found"])


@asynccontextmanager
async def all_or_nothing(driver: Any, in_transaction: bool) -> AsyncIterator[None]:
    """Run the body in a transaction, or in a savepoint where one is open (by a raw BEGIN, too)."""
    nested = in_transaction or driver._transaction_active
    if nested:
        await run(driver, "SAVEPOINT psqlpy_adapter_load")
    else:
        await driver.begin()
    try:
        yield
    except BaseException:
        with suppress(SQLSpecError):  # of a dead connection, which has undone it already
            if nested:
                await run(driver, _UNDO, surely=True)
            else:
                await driver.rollback()
        raise
    if nested:
        await run(driver, "RELEASE SAVEPOINT psqlpy_adapter_load")
    else:
        await driver.commit()
