"""`execute`, `select` and `select_one` of a plain text: past SQLSpec's compiler.

SQLSpec parses each text, makes a result of each statement and asks that for its rows. Here a text
with plain values is read by its placeholders alone, and the two that return rows need no result
object: of a query by key that is a third of what this package costs beside psqlpy. What is more
than a plain text (builders, filters, transformers, watchers) goes SQLSpec's way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlspec.exceptions import NotFoundError

from psqlpy_adapter import results
from psqlpy_adapter.execution import ExecutionMixin
from psqlpy_adapter.lone import settled
from psqlpy_adapter.numbering import Placeholders, as_written, placeholders
from psqlpy_adapter.plans import Plan
from psqlpy_adapter.sql_text import command
from psqlpy_adapter.statements import bound, opaque

if TYPE_CHECKING:
    from sqlspec.core import SQLResult, StatementConfig


class SelectingMixin(ExecutionMixin):
    """The three, and everything that SQLSpec builds on `execute`."""

    __slots__ = ()

    async def execute(
        self,
        statement: Any,
        /,
        *parameters: Any,
        statement_config: StatementConfig | None = None,
        **kwargs: Any,
    ) -> SQLResult:
        """Execute one statement; see SQLSpec for the arguments, and the module for what differs.

        Raises DataError before anything is sent when a value does not fit its parameter, else what
        `errors.mapped` makes of the server's error.
        """
        reading = self._reading(statement, parameters, statement_config, kwargs)
        if reading is not None:
            given, values = reading
            if given.apart is not None:
                chosen = await self.numbered(given)
                values = bound(chosen, parameters, kwargs) or values
                given = chosen
            plan, rows = await self._perform(given.sql, values)
            return self._result(statement, given, plan, values, rows)
        if not kwargs:
            parameters = opaque(statement, parameters)
        return await super().execute(
            statement, *parameters, statement_config=statement_config, **kwargs
        )

    async def select(
        self,
        statement: Any,
        /,
        *parameters: Any,
        schema_type: Any = None,
        statement_config: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Return all rows."""
        reading = self._reading(statement, parameters, statement_config, kwargs)
        if reading is None or reading[0].apart is not None:
            result = await self.execute(
                statement, *parameters, statement_config=statement_config, **kwargs
            )
            return result.get_data(schema_type=schema_type)
        given, values = reading
        plan, rows = await self._perform(given.sql, values)
        if schema_type is None and _has_rows(plan):
            return rows
        result = self._result(statement, given, plan, values, rows)
        return result.get_data(schema_type=schema_type)

    async def select_one(
        self,
        statement: Any,
        /,
        *parameters: Any,
        schema_type: Any = None,
        statement_config: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Return the only row. Raises NotFoundError without one, ValueError for several."""
        # The lines of `select` once more: a coroutine for both would be a frame more in each call.
        reading = self._reading(statement, parameters, statement_config, kwargs)
        if reading is None or reading[0].apart is not None:
            result = await self.execute(
                statement, *parameters, statement_config=statement_config, **kwargs
            )
        else:
            given, values = reading
            plan, rows = await self._perform(given.sql, values)
            if schema_type is None and _has_rows(plan) and len(rows) == 1:
                return rows[0]
            result = self._result(statement, given, plan, values, rows)
        try:
            return result.one(schema_type=schema_type)
        except ValueError as error:
            if result.get_count():
                raise
            raise NotFoundError("No rows found") from error

    def _reading(
        self, statement: Any, parameters: tuple[Any, ...], config: Any, named: dict[str, Any]
    ) -> tuple[Placeholders, Any] | None:
        """Read a text and its values; None for what SQLSpec is to read."""
        if type(statement) is not str or not self._is_plain(config):
            return None
        given = placeholders(statement) if parameters or named else as_written(statement)
        values = bound(given, parameters, named) if given is not None else None
        return None if given is None or values is None else (given, values)

    def _result(
        self, source: str, given: Placeholders, plan: Plan | None, values: Any, rows: Any
    ) -> SQLResult:
        if plan is None:
            return results.count(command(given.sql), rows)
        if plan.counts:
            return results.count(plan.command, rows[0]["count"])
        if plan.columns is None:
            return results.count(plan.command, -1 if plan.uncounted else 0)
        bound_values = settled(plan.parameters, values)
        return results.rows(source, plan, self.statement_config, bound_values, rows)


def _has_rows(plan: Plan | None) -> bool:
    return plan is not None and plan.columns is not None and not plan.counts
