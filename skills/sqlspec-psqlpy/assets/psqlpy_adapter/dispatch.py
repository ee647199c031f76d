"""The way through SQLSpec: what it compiles is executed as `ExecutionMixin` executes plain text.

SQLSpec comes here for builders, filters, SQL objects, scripts, observed sessions and
configurations of one's own, on first and on cached executions alike. Its compiler is given texts
that it can read and values that it leaves alone; the server's description decides the rest.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from sqlspec.core import SQL
from sqlspec.driver import AsyncDriverAdapterBase

from psqlpy_adapter import results
from psqlpy_adapter.blocks import run_text
from psqlpy_adapter.execution import ExecutionMixin
from psqlpy_adapter.lone import Lone, Mixed
from psqlpy_adapter.numbering import as_written, chosen, for_sqlspec
from psqlpy_adapter.refusals import refuse_harmful
from psqlpy_adapter.scripts import split_script
from psqlpy_adapter.statements import (
    execution_config,
    has_values,
    opaque,
    readable,
    readable_object,
)

if TYPE_CHECKING:
    from sqlspec.core import SQLResult, StatementConfig
    from sqlspec.driver import ExecutionResult


class DispatchMixin(ExecutionMixin):
    """SQLSpec's hooks for a statement that it has compiled."""

    __slots__ = ()

    async def dispatch_execute(self, cursor: Any, statement: SQL) -> ExecutionResult:
        """Execute what SQLSpec compiled: the same way as `execute` does a plain text."""
        sql, compiled = self._compiled_sql(statement, self.statement_config)
        values: Any = compiled or ()
        if len(values) > 1 and any(type(value) is Lone for value in values):
            values = Mixed(values)  # beside the parameters of filters
        plan, rows = await self._perform(sql, values)
        if plan is None:
            return self.create_execution_result(cursor, rowcount_override=0)
        if plan.columns is None or plan.counts:
            affected = rows[0]["count"] if plan.counts else -1 if plan.uncounted else 0
            return self.create_execution_result(
                cursor, rowcount_override=affected, special_data=results.Metadata()
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

    def build_statement_result(
        self, statement: SQL, execution_result: ExecutionResult
    ) -> SQLResult:
        """Return the result; one whose count is unknown is a success all the same."""
        if execution_result.rowcount_override == -1:
            return results.count("COMMAND", -1)
        return super().build_statement_result(statement, execution_result)

    async def dispatch_execute_script(self, cursor: Any, statement: SQL) -> ExecutionResult:
        """Run the statements of a script one after another, each by itself, as SQLSpec does."""
        parts = split_script(self._script(statement))
        async with self.lane.alone():
            for done, part in enumerate(parts):
                refuse_harmful(part)
                try:
                    await run_text(self, part, self.connection.execute_batch(part))
                except asyncio.CancelledError as error:
                    if done:
                        error.add_note(f"{done} of the script's {len(parts)} statements were done.")
                    raise
        return self.create_execution_result(
            cursor,
            statement_count=len(parts),
            successful_statements=len(parts),
            is_script_result=True,
            special_data=results.Metadata(),
        )

    def _script(self, statement: SQL) -> str:
        """Return a script as it is to be sent: as it was written, where it has no parameters."""
        has_own = statement.positional_parameters or statement.named_parameters
        raw = statement.raw_sql
        given = as_written(raw) if raw and not has_own and self._is_plain(None) else None
        if given is not None and not given.count:
            return given.sql
        sql, _ = self._compiled_sql(statement, self.statement_config)
        return sql

    def _count_query(self, original_sql: SQL) -> SQL:
        """Return the statement that counts the rows, with the parameters that are left in it.

        SQLSpec drops ORDER BY, LIMIT and what is selected, but keeps the values for them.
        """
        sql, compiled = self._compiled_sql(original_sql, self.statement_config)
        values: Any = compiled
        if not values:
            return super()._count_query(original_sql)
        config = original_sql.statement_config
        counting = super()._count_query(SQL(for_sqlspec(sql), statement_config=config))
        assert counting.expression is not None  # it was made from one
        text, numbers = chosen(counting.expression.sql(dialect=config.dialect or "postgres"))
        return SQL(text, [values[number - 1] for number in numbers], statement_config=config)

    def prepare_statement(
        self,
        statement: Any,
        parameters: tuple[Any, ...] = (),
        *,
        statement_config: StatementConfig | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> SQL:
        """Build an SQL object whose text SQLSpec's compiler can read; nothing else is changed."""
        config = execution_config(statement_config or self.statement_config)
        given = has_values(parameters, kwargs)
        if not kwargs:
            parameters = opaque(statement, parameters)
        if isinstance(statement, str):
            statement, config = readable(statement, config, has_values=given)
        elif hasattr(statement, "raw_sql"):
            statement = readable_object(statement, has_values=given)
        return super().prepare_statement(
            statement, parameters, statement_config=config, kwargs=kwargs
        )

    def prepare_driver_parameters(
        self,
        parameters: Any,
        statement_config: StatementConfig,
        is_many: bool = False,
        prepared_statement: Any | None = None,
    ) -> Any:
        """Give the values back as they are; SQLSpec's psqlpy driver changes them here."""
        del prepared_statement
        return AsyncDriverAdapterBase.prepare_driver_parameters(
            self,
            parameters,
            execution_config(statement_config),
            is_many,
        )

    def _is_transaction_pooler_mode(self) -> bool:
        return False  # psqlpy's unprepared form fails behind poolers: see poolers.py
