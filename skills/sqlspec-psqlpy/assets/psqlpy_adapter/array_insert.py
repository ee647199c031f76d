"""The parameter sets of an INSERT in few messages: as a COPY, or as an array for each parameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from psqlpy.extra_types import CustomType
from sqlspec.exceptions import DataError, SQLSpecError

from psqlpy_adapter.arrays import unnestable
from psqlpy_adapter.batch_columns import Columns, messages
from psqlpy_adapter.batch_insert import UNTOUCHED, BatchInsert, batch_insert
from psqlpy_adapter.cancellation import guarded
from psqlpy_adapter.copy_insert import copy_at_once
from psqlpy_adapter.sql_text import cast_placeholders
from psqlpy_adapter.types import PgType

if TYPE_CHECKING:
    from psqlpy_adapter.execution import ExecutionMixin
    from psqlpy_adapter.plans import Plan

_UNDO = "ROLLBACK TO psqlpy_adapter; RELEASE psqlpy_adapter"


async def insert_at_once(
    driver: ExecutionMixin, plan: Plan, sets: Sequence[Sequence[Any]], *, is_last: bool
) -> tuple[int, list[dict[str, Any]]] | None:
    """Insert all sets by few statements, inside a transaction.

    Args:
        plan: of the INSERT of one set.
        sets: the values of each row, in the order of the parameters.
        is_last: the transaction is committed next, which ends savepoints as well.

    Returns:
        How many rows were inserted or updated, and the rows that came back; or None, with nothing
        done, where a statement a set is the only right way.

    Raises:
        SQLSpecError: the server refused a row.
    """
    columns = Columns(driver, plan, sets)
    insert = batch_insert(cast_placeholders(plan.source, columns.texts))
    if insert is None or insert.parameters != len(columns.types):
        return None
    copied = await copy_at_once(driver, insert, columns, is_last=is_last)
    if copied is not None:
        return copied, []
    if not unnestable(columns.types):
        return None
    answer = await guarded(driver, driver.wire.fetch(UNTOUCHED, [insert.table]))
    if not answer.result()[0]["untouched"]:
        return None

    def arrays(first: int, last: int) -> tuple[int, list[CustomType]]:
        found = [columns.array(number, first, last) for number in range(1, len(columns.types) + 1)]
        return sum(map(len, found)), [CustomType(array) for array in found]

    try:
        chunks = list(messages(0, len(sets), arrays))
    except DataError:
        return None  # a statement a set says which set is wrong
    if not insert.updates:
        return await _send(driver, insert, columns.types, chunks)
    batch = driver.block_wire.execute_batch
    await guarded(driver, batch("SAVEPOINT psqlpy_adapter"))
    try:
        outcome = await _send(driver, insert, columns.types, chunks)
    except SQLSpecError:  # one row twice, perhaps; a statement a set has the last word
        await guarded(driver, batch(_UNDO))
        return None
    if not is_last:
        await guarded(driver, batch("RELEASE psqlpy_adapter"))
    return outcome


async def _send(
    driver: ExecutionMixin,
    insert: BatchInsert,
    types: Sequence[PgType],
    chunks: list[tuple[int, list[CustomType]]],
) -> tuple[int, list[dict[str, Any]]]:
    """Run the statement for each chunk."""
    count, found = 0, []
    counts = insert.conflict and not insert.returning
    sql = insert.counted(types) if counts else insert.sql(types)
    # A plan, so that it is prepared anew where a type that it names was made anew.
    plan = await driver.plan(sql, counts=False)
    if not (counts or insert.returning):
        for length, arrays in chunks:
            await guarded(driver, driver.wire.fetch(plan.sql, arrays))
            count += length
        return count, []
    for _, arrays in chunks:
        found += plan.rows(await guarded(driver, driver.wire.fetch(plan.sql, arrays)))
    if counts:
        return sum(row["count"] for row in found), []
    return len(found), found
