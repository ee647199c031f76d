"""`execute_many` as a batch: all or nothing, inside the caller's transaction, as one statement.

What SQLSpec 0.69 on psqlpy 0.13 does: a statement a row, between a BEGIN and a COMMIT of psqlpy's
own, which commit the caller's transaction; the number of parameter sets as the row count, whatever
the rows did; the rows of RETURNING are dropped; a float becomes a Decimal on the way.

What this does instead:

- Inside a transaction (`begin()`, `transaction()`, `BEGIN` as text or on the raw connection) the
  batch is a part of it: nothing is committed, and a failure leaves it aborted, as any failing
  statement does. Outside, the batch has a transaction of its own: all of it or nothing.
- `rows_affected` is what the server counted. With RETURNING the result has the rows, in the order
  of the parameter sets.
- `INSERT ... VALUES ($1, ...)` of many sets is sent as one INSERT over arrays where that is
  provably the same (`batch_insert`), and of thousands of sets as a COPY where nothing but
  parameters is inserted (`copy_insert`): about eight times as fast as psqlpy's `execute_many`,
  twice to three times as fast as asyncpg's `executemany`. ON CONFLICT DO UPDATE may meet one row
  twice, which one statement may not: then it runs as a statement a set, after going back to a
  savepoint. Which of several wrong rows is reported may differ from a statement a set.
- Everything else runs as a statement a set, pipelined.

Nothing else of the session runs in between: statements of other tasks come before or after it.

May be unnecessary when psqlpy's `Connection.execute_many` honours an open transaction and SQLSpec
counts rows; the single statement stays faster.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlspec.core import SQL
from sqlspec.exceptions import DataError, SQLSpecError

from psqlpy_adapter import results
from psqlpy_adapter.array_insert import insert_at_once
from psqlpy_adapter.batch_insert import batch_insert
from psqlpy_adapter.batch_sets import Sets, as_sets, opaque_sets, sets_of
from psqlpy_adapter.blocks import block, in_block
from psqlpy_adapter.cancellation import guarded
from psqlpy_adapter.execution import ExecutionMixin
from psqlpy_adapter.lone import settled
from psqlpy_adapter.mending import is_stale
from psqlpy_adapter.numbering import for_sqlspec, placeholders
from psqlpy_adapter.refusals import refuse_harmful
from psqlpy_adapter.statements import readable_object
from psqlpy_adapter.types import TextNeeded

if TYPE_CHECKING:
    from sqlspec.core import SQLResult, StatementConfig
    from sqlspec.driver import ExecutionResult

    from psqlpy_adapter.plans import Plan

FEW = 10
"""Up to so many parameter sets a statement a set is as fast as looking for a better way."""
PIPELINED = 1_000
"""How many statements are sent without waiting for their answers."""


class BatchesMixin(ExecutionMixin):
    """`execute_many`; see the module."""

    __slots__ = ()

    async def execute_many(
        self,
        statement: Any,
        /,
        parameters: Sequence[Any],
        *filters: Any,
        statement_config: StatementConfig | None = None,
        **kwargs: Any,
    ) -> SQLResult:
        """Execute a statement with each of its parameter sets, as one batch.

        Args:
            statement: text, a builder or an SQL object, with one statement.
            parameters: one sequence, mapping or (for one parameter) value for each execution.
            filters, statement_config, kwargs: as in SQLSpec.

        Returns:
            The number of rows that were inserted, updated or deleted; or the rows that came back.

        Raises:
            SQLSpecError: a set does not fit, which is found before anything is sent, or the server
                refused one; outside a transaction nothing of the batch has happened then.
        """
        if not isinstance(parameters, (list, tuple)):
            parameters = as_sets(parameters)
        if type(statement) is str:
            if not filters and not kwargs and self._is_plain(statement_config):
                given = placeholders(statement)
                sets = sets_of(given, parameters) if given is not None else None
                if given is not None and sets is not None:
                    async with self.lane.alone():  # one turn for both, so that the order is kept
                        if given.apart is not None:
                            given = await self.numbered(given)
                            sets = sets_of(given, parameters) or sets
                        plan, count, rows = await _run(self, given.sql, sets)
                    if plan is None or plan.counts or plan.columns is None:
                        return results.count("INSERT" if plan is None else plan.command, count)
                    return results.rows(statement, plan, self.statement_config, parameters, rows)
            statement = for_sqlspec(statement)
        elif isinstance(statement, SQL):
            statement = readable_object(statement, has_values=True)
        parameters = opaque_sets(statement, parameters)
        return await super().execute_many(
            statement, parameters, *filters, statement_config=statement_config, **kwargs
        )

    async def dispatch_execute_many(self, cursor: Any, statement: SQL) -> ExecutionResult:
        """Execute what SQLSpec compiled: the same way as `execute_many` does a plain text."""
        sql, compiled = statement.compile()
        sets = [row if isinstance(row, (list, tuple)) else (row,) for row in compiled or ()]
        plan, count, rows = await _run(self, sql, sets)
        if plan is None or plan.counts or plan.columns is None:
            return self.create_execution_result(
                cursor,
                rowcount_override=count,
                is_many_result=True,
                special_data=results.Metadata(),
            )
        return self.create_execution_result(
            cursor,
            selected_data=rows,
            column_names=plan.names,
            data_row_count=len(rows),
            is_select_result=True,
            row_format="dict",
            special_data=results.Metadata(plan.columns),
        )


Outcome = tuple["Plan | None", int, list[dict[str, Any]]]
"""The plan that tells what came back (None: nothing ran), how many rows were changed, the rows."""


async def _run(driver: ExecutionMixin, sql: str, sets: Sets) -> Outcome:
    """Run the batch in the best way that is right."""
    if not sets:
        return None, 0, []
    refuse_harmful(sql)
    async with driver.lane.alone():
        await driver.tidy()
        is_open = await in_block(driver)
        plan = await driver.plan(sql)
        if len(plan.parameters) == 1:
            sets = [settled(plan.parameters, values) for values in sets]
        try:
            async with block(driver, is_open=is_open):
                return await _batch(driver, plan, sets, is_last=not is_open)
        except SQLSpecError as error:
            failure = error
        fresh = None
        if isinstance(failure, DataError) and any(plan.refuses(values) for values in sets):
            fresh = await driver.refit(plan)
        elif is_stale(failure) and not is_open:
            driver.describer.forget(sql)  # the table was altered: ask the server again, once
            driver.catalogue.forget()
            fresh = await driver.plan(sql)
        if fresh is None:
            raise failure
        async with block(driver, is_open=is_open):
            return await _one_by_one(driver, fresh, sets)


async def _batch(driver: ExecutionMixin, plan: Plan, sets: Sets, *, is_last: bool) -> Outcome:
    if len(sets) > FEW and batch_insert(plan.source) is not None:
        outcome = await insert_at_once(driver, plan, sets, is_last=is_last)
        if outcome is not None:
            return plan, *outcome
    return await _one_by_one(driver, plan, sets)


async def _one_by_one(driver: ExecutionMixin, plan: Plan, sets: Sets) -> Outcome:
    """Run a statement for each set, many on their way at a time."""
    runs = [await _bound(driver, plan, number, values) for number, values in enumerate(sets)]
    count, rows = 0, []
    pipeline = driver.wire.transaction().pipeline  # sends no BEGIN by itself
    for start in range(0, len(runs), PIPELINED):
        part = runs[start : start + PIPELINED]
        answers = await guarded(driver, pipeline([(own.sql, values) for own, values in part]))
        for (own, _), answer in zip(part, answers, strict=True):
            rows += own.rows(answer)
    if plan.counts:
        count, rows = sum(row["count"] for row in rows), []
    elif plan.columns is None:
        count = -1 if plan.uncounted else 0
    return plan, count, rows


async def _bound(
    driver: ExecutionMixin, plan: Plan, number: int, values: Sequence[Any]
) -> tuple[Plan, list[Any]]:
    """Return what to send for one set; an error says which set it is, counted from 0."""
    try:
        try:
            return plan, plan.encode(values)
        except TextNeeded:
            plan, values = await driver._as_text(plan, values)
            return plan, plan.encode(values)
    except DataError as error:
        raise DataError(f"parameter set {number}: {error}") from error
