"""`select_to_arrow`: a result as an Arrow table.

What SQLSpec 0.69 does: it makes a Python object of each value, and an Arrow array of those.

What this does instead where nobody can tell the difference: the server packs many rows by column
(`packed_select`), which is about ten times as fast. So it is done for a plain text with one SELECT
that neither writes, locks nor calls a volatile function, as the catalogue says, and whose columns
have types of one wire form. The server holds the packed rows in memory until they are sent: no
more than `MOST_BYTES`, by its own estimate. Everything else is read row by row.

May be unnecessary when psqlpy (0.13.1) has COPY TO, or gives its results as Arrow.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlspec.core import ArrowResult, create_arrow_result
from sqlspec.exceptions import (
    DataError,
    ImproperConfigurationError,
    OperationCancelledError,
    QueryTimeoutError,
    SQLSpecError,
)

from psqlpy_adapter.arrow_results import table
from psqlpy_adapter.arrow_unpacked import table as table_of_packed
from psqlpy_adapter.cancellation import guarded
from psqlpy_adapter.lone import settled
from psqlpy_adapter.packing import packing_of
from psqlpy_adapter.read_group import Reading, reading
from psqlpy_adapter.results import Metadata
from psqlpy_adapter.selecting import SelectingMixin

if TYPE_CHECKING:
    from psqlpy_adapter.plans import Plan

FEW = 500
"""Up to so many rows, as the server estimates, rows are as fast."""
MOST_BYTES = 256 * 1024 * 1024
"""How much the server may have to hold."""


class ArrowMixin(SelectingMixin):
    """`select_to_arrow` and `fetch_to_arrow` of the driver."""

    __slots__ = ()

    async def select_to_arrow(
        self,
        statement: Any,
        /,
        *parameters: Any,
        statement_config: Any = None,
        return_format: str = "table",
        native_only: bool = False,
        batch_size: int | None = None,
        arrow_schema: Any = None,
        **kwargs: Any,
    ) -> ArrowResult:
        """Execute a query and return its rows as Arrow.

        return_format: "table", "reader", "batches" or "batch" (one), of `batch_size` rows each;
        arrow_schema: a pyarrow.Schema that the table is cast to. Raises what `execute` raises,
        DataError for a value without an Arrow form and for rows that do not fit arrow_schema,
        ImproperConfigurationError for native_only.
        """
        if native_only:
            msg = "psqlpy gives rows, not Arrow data: native_only=True cannot be had"
            raise ImproperConfigurationError(msg)
        source = statement, parameters, statement_config, kwargs
        async with self.lane.alone():  # one turn for both: the order is kept
            found = await self._packed(*source)
            if found is None:
                found = await self._by_rows(*source)
        result, data = found
        if arrow_schema is not None:
            if not isinstance(arrow_schema, pa.Schema):
                msg = f"arrow_schema must be a pyarrow.Schema, not {type(arrow_schema).__name__}"
                raise TypeError(msg)
            try:
                data = data.cast(arrow_schema)
            except (pa.ArrowException, ValueError) as error:
                raise DataError(f"the result does not fit arrow_schema: {error}") from error
        return create_arrow_result(
            statement=result.statement,
            data=_formatted(data, return_format, batch_size),
            rows_affected=result.rows_affected or data.num_rows,
            metadata=result.metadata,
        )

    async def _by_rows(
        self, statement: Any, parameters: Any, config: Any, named: Any
    ) -> tuple[Any, pa.Table]:
        result = await self.execute(statement, *parameters, statement_config=config, **named)
        known = result.metadata.columns if isinstance(result.metadata, Metadata) else None
        # The metadata has the names that the statement was sent with (see `renaming`).
        names = result.column_names or [column.name for column in known or ()]
        types = [column.type for column in known or ()]
        columns = zip(names, types, strict=True) if known else ()
        return result, table(result.get_data(), columns)

    async def _packed(
        self, statement: Any, parameters: Any, config: Any, named: Any
    ) -> tuple[Any, pa.Table] | None:
        """Have the server pack the rows; None, with nothing done, where they are to be read."""
        given = self._reading(statement, parameters, config, named)
        if given is None or given[0].apart is not None or self._pools_transactions():
            return None
        text, values = given
        read = reading(text.sql)
        if read is None:
            return None
        stopped: list[SQLSpecError] = []

        async def attempt() -> tuple[Plan, pa.Table] | None:
            try:
                return await self._from_server(read, text.sql, values)
            except (QueryTimeoutError, OperationCancelledError) as error:
                stopped.append(error)  # to read the rows would take as long again
                raise

        async with self.lane.alone():
            await self.tidy()
            data = await self._attempt(attempt)
        if stopped:
            raise stopped.pop()
        if data is None:
            return None
        plan, arrow = data
        return self._result(statement, text, plan, values, []), arrow

    async def _from_server(
        self, read: Reading, sql: str, values: Any
    ) -> tuple[Plan, pa.Table] | None:
        plan = await self.plan(sql)
        packing = packing_of(plan)
        if not await packing.is_pure(self) or not await self._are_many(read, plan, values):
            return None
        given = settled(plan.parameters, values)
        data = await packing.answer(self, plan, given, table_of_packed)
        return None if data is None else (plan, data)

    async def _are_many(self, read: Reading, plan: Plan, values: Any) -> bool:
        """Whether there are many rows, as the server estimates, and not too many to hold."""
        explained = await self.plan(f"EXPLAIN (FORMAT JSON) {read.sql}")
        encoded = explained.encode(settled(plan.parameters, values))
        answer = await guarded(self, self.wire.fetch(explained.sql, encoded))
        [(estimate,)] = (row.values() for row in explained.rows(answer))
        root = (json.loads(estimate) if isinstance(estimate, str) else estimate)[0]["Plan"]
        rows, width = root["Plan Rows"], root["Plan Width"]
        return bool(rows > FEW and rows * width < MOST_BYTES)


def _formatted(data: pa.Table, return_format: str, batch_size: int | None) -> Any:
    if return_format == "table":
        return data
    batches = data.to_batches(max_chunksize=batch_size)
    if return_format == "reader":
        return pa.RecordBatchReader.from_batches(data.schema, batches)
    if return_format == "batches":
        return batches
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=data.schema)
