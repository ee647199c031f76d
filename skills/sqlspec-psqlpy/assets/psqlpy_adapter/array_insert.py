"""The parameter sets of an INSERT as arrays, one for each parameter, in few statements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from psqlpy.extra_types import CustomType
from sqlspec.exceptions import DataError, SQLSpecError

from psqlpy_adapter.arrays import column, unnestable
from psqlpy_adapter.batch_insert import UNTOUCHED, BatchInsert, batch_insert
from psqlpy_adapter.cancellation import guarded
from psqlpy_adapter.sql_text import cast_placeholders
from psqlpy_adapter.types import PgType, TextNeeded
from psqlpy_adapter.types.pgtype import Unfit
from psqlpy_adapter.types.texts import text

if TYPE_CHECKING:
    from psqlpy_adapter.execution import ExecutionMixin
    from psqlpy_adapter.plans import Plan

ROWS = 20_000
"""How many parameter sets go into one statement at most."""
BYTES = 16 * 1024 * 1024
"""How long the parameters of one statement may get, unless one set alone is longer."""

_TEXT = PgType(25, "pg_catalog", "text", "b", "textrecv", 1009)
_UNDO = "ROLLBACK TO psqlpy_adapter; RELEASE psqlpy_adapter"


class _Columns:
    """The values of all sets by parameter, and how each parameter is sent.

    `texts` are the parameters whose values only the server can read (`"2024-01-01"` for a date):
    they are sent as text and cast in the statement.
    """

    def __init__(self, driver: ExecutionMixin, plan: Plan, sets: Sequence[Sequence[Any]]) -> None:
        # Not zip(*sets): that makes an iterator a set, which sets off the garbage collector.
        self.values = [list(map(itemgetter(n), sets)) for n in range(len(plan.parameters))]
        self._binary = [driver.catalogue.binary(t) for t in plan.parameters]
        self.texts = {
            number: pg_type.quoted
            for number, pg_type in enumerate(plan.parameters, 1)
            if self._needs_text(number)
        }
        self.types = tuple(
            _TEXT if number in self.texts else pg_type
            for number, pg_type in enumerate(plan.parameters, 1)
        )

    def _needs_text(self, number: int) -> bool:
        for value in self.values[number - 1]:
            if value is not None:
                try:
                    self._binary[number - 1](value)
                except TextNeeded:
                    return True
                except DataError:
                    return False  # for a statement a set to say which set is wrong
                return False
        return False

    def _text(self, number: int, value: Any) -> bytes:
        try:
            self._binary[number - 1](value)
        except TextNeeded as needed:
            try:
                return text(needed.text)
            except Unfit as error:
                raise DataError(str(error)) from error
        raise DataError("only some of the values are text for the server to read")

    def array(self, number: int, start: int, end: int) -> bytes:
        """Return the array of parameter `number` for the sets from `start` up to `end`."""
        values = self.values[number - 1][start:end]
        if number in self.texts:
            return column(_TEXT, values, lambda value: self._text(number, value))
        return column(self.types[number - 1], values, self._binary[number - 1])

    def chunks(self, start: int, end: int) -> Iterator[tuple[int, list[CustomType]]]:
        """Yield (number of sets, their arrays) in messages of a bounded length."""
        for first in range(start, end, ROWS):
            last = min(first + ROWS, end)
            arrays = [self.array(number, first, last) for number in range(1, len(self.types) + 1)]
            if last - first > 1 and sum(map(len, arrays)) > BYTES:
                middle = (first + last) // 2
                yield from self.chunks(first, middle)
                yield from self.chunks(middle, last)
            else:
                yield last - first, [CustomType(array) for array in arrays]


async def insert_at_once(
    driver: ExecutionMixin, plan: Plan, sets: Sequence[Sequence[Any]]
) -> tuple[int, list[dict[str, Any]]] | None:
    """Insert all sets by few statements, inside a transaction.

    Args:
        plan: of the INSERT of one set.
        sets: the values of each row, in the order of the parameters.

    Returns:
        How many rows were inserted or updated, and the rows that came back; or None, with nothing
        done, where a statement a set is the only right way.

    Raises:
        SQLSpecError: the server refused a row.
    """
    columns = _Columns(driver, plan, sets)
    insert = batch_insert(cast_placeholders(plan.source, columns.texts))
    if insert is None or insert.parameters != len(columns.types) or not unnestable(columns.types):
        return None
    answer = await guarded(driver, driver.connection.fetch(UNTOUCHED, [insert.table]))
    if not answer.result()[0]["untouched"]:
        return None
    try:
        chunks = list(columns.chunks(0, len(sets)))
    except DataError:
        return None  # a statement a set says which set is wrong
    if not insert.updates:
        return await _send(driver, insert, columns.types, chunks)
    batch = driver.connection.execute_batch
    await guarded(driver, batch("SAVEPOINT psqlpy_adapter"))
    try:
        outcome = await _send(driver, insert, columns.types, chunks)
    except SQLSpecError:  # one row twice, perhaps; a statement a set has the last word
        await guarded(driver, batch(_UNDO))
        return None
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
            await guarded(driver, driver.connection.fetch(plan.sql, arrays))
            count += length
        return count, []
    for _, arrays in chunks:
        found += plan.rows(await guarded(driver, driver.connection.fetch(plan.sql, arrays)))
    if counts:
        return sum(row["count"] for row in found), []
    return len(found), found
