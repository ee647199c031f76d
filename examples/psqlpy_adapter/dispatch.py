"""The way through SQLSpec: what it compiles is executed as `ExecutionMixin` executes plain text.

SQLSpec comes here for builders, filters, SQL objects, scripts, observed sessions and
configurations of one's own, on first and on cached executions alike. Its compiler is given texts
that it can read and values that it leaves alone; the server's description decides the rest.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from sqlspec.driver import AsyncDriverAdapterBase

from psqlpy_adapter import results
from psqlpy_adapter.blocks import run_text
from psqlpy_adapter.execution import ExecutionMixin, refuse_copy
from psqlpy_adapter.statements import execution_config, has_values, opaque, readable, readable_object

if TYPE_CHECKING:
    from sqlspec.core import SQL, SQLResult, StatementConfig
    from sqlspec.driver import ExecutionResult


class DispatchMixin(ExecutionMixin):
    """SQLSpec's hooks for a statement that it has compiled."""

    __slots__ = ()

    async def dispatch_execute(self, cursor: Any, statement: SQL) -> ExecutionResult:
        """Execute what SQLSpec compiled: the same way as `execute` does a plain text."""
        sql, values = self._compiled_sql(statement, self.statement_config)
        plan, rows = await self._perform(sql, values or ())
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
        sql, _ = self._compiled_sql(statement, self.statement_config)
        parts = self.split_script_statements(
            sql, statement.statement_config, strip_trailing_semicolon=True
        )
        async with self.lane.alone():
            for done, part in enumerate(parts):
                refuse_copy(part)
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
        if isinstance(statement, str):
            if not kwargs:
                parameters = opaque(statement, parameters)
            statement, config = readable(
                statement, config, has_values=has_values(parameters, kwargs)
            )
        elif hasattr(statement, "raw_sql"):
            statement = readable_object(statement)
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
