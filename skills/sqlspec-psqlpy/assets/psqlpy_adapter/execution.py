"""Execution: one statement, its values by the server's types, its rows with all their digits.

What SQLSpec 0.69 and psqlpy 0.13 do: values are changed by Python type and by casts that sqlglot
finds in the text, on the first execution only; whether there are rows is sqlglot's opinion; a
value of a wrong type is a TypeError, an OverflowError, a Rust panic, or garbage in the table.

What this does instead: the server's description of the statement (`describe`) decides both, on
every execution alike; each value is encoded to the type's own binary format (`types`) before
anything is sent, or refused with a DataError that names the parameter and both types. A plain
text with plain parameters does not pass through SQLSpec's compiler at all.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, TypeVar

from sqlspec.exceptions import SQLSpecError

from psqlpy_adapter.blocks import run_text
from psqlpy_adapter.cancellation import DONE, guarded
from psqlpy_adapter.large_results import MANY, LargeResultsMixin
from psqlpy_adapter.lone import Lone, Mixed, settled
from psqlpy_adapter.mending import OutdatedPlanError
from psqlpy_adapter.plans import Plan
from psqlpy_adapter.refusals import refuse_harmful
from psqlpy_adapter.sql_text import command, tokens
from psqlpy_adapter.types import TextNeeded

if TYPE_CHECKING:
    from sqlspec.core import StatementConfig

_Rows = list[dict[str, Any]]
_DESCRIBED = frozenset(
    [
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
        "MERGE",
        "WITH",
        "VALUES",
        "TABLE",
        "SHOW",
        "EXPLAIN",
        "FETCH",
        "EXECUTE",
        "CALL",
    ]
)
T = TypeVar("T")
_TRIES = 3
"""How often a statement that was not run is tried once more: as text, or by types of today."""


async def _outcome(run: Awaitable[T]) -> T | SQLSpecError:
    try:
        return await run
    except SQLSpecError as error:
        return error


class ExecutionMixin(LargeResultsMixin):
    """`_perform`: a `$1` text with its values, in its turn."""

    __slots__ = ()

    if TYPE_CHECKING:

        def _transaction_is_open(self, is_open: bool) -> None:
            """See `TransactionsMixin`."""

    def _is_plain(self, config: StatementConfig | None) -> bool:
        if config is not None and config is not self.statement_config:
            return False
        watcher = self._observability
        if watcher is not None and not watcher.is_idle:
            return False
        own = self.statement_config
        if self.__dict__.get("_plain_config") is own:
            return True
        parameters = own.parameter_config
        if (
            own.enable_sqlcommenter
            or own.output_transformer is not None
            or own.statement_transformers
            or parameters.output_transformer is not None
            or parameters.ast_transformer is not None
        ):
            return False
        self.__dict__["_plain_config"] = own
        return True

    async def _perform(self, sql: str, values: Any) -> tuple[Plan | None, Any]:
        """Run a `$1` text: (plan, its rows), or (None, 0) without a plan."""
        is_lone = type(values[0]) is Lone if len(values) == 1 else type(values) is Mixed
        plan = self.describer.known(sql)
        outcome: _Rows | SQLSpecError | None = None
        if plan is not None:  # nearly always: no frame more than needed
            if is_lone:
                values = settled(plan.parameters, values)
            try:
                if plan.packing is not None and plan.packing.is_wanted:
                    async with self.lane.alone():  # one turn for both: the order is kept
                        packed = await self.fetch_packed(plan, values)
                        if packed is not None:
                            return plan, packed
                        rows = await self.fetch_rows(plan, values)
                else:
                    rows = await self.fetch_rows(plan, values)
            except SQLSpecError as error:
                outcome = error
            else:
                if len(rows) > MANY:
                    self._is_large(plan, rows)
                return plan, rows
        else:
            if command(sql) not in _DESCRIBED and not len(values):
                await self._command(sql)
                return None, 0
            if not is_lone:
                outcome = await _outcome(self.fetch_unplanned(sql, values))
                plan = self.describer.plans.get(sql)
                if isinstance(outcome, SQLSpecError) and plan is None:
                    raise outcome
            if outcome is None or plan is None:
                async with self.lane.alone(lambda: self.describer.known(sql) is None):
                    plan = await self._plan_in_turn(sql)
                    if outcome is None:
                        values = settled(plan.parameters, values)
                        if plan.packing is not None and self.lane.owns():
                            outcome = await self.fetch_packed(plan, values)
                        if outcome is None:
                            outcome = await _outcome(self.send(plan, values))
                        if isinstance(outcome, TextNeeded) and self.lane.owns():
                            plan, values = await self._as_text(plan, values)
                            outcome = await _outcome(self.send(plan, values))
        if not isinstance(outcome, SQLSpecError):
            if len(outcome) > MANY:
                self._is_large(plan, outcome)
            return plan, outcome
        try:
            return await self._mend(plan, values, outcome)
        finally:
            del outcome

    async def _plan_in_turn(self, sql: str) -> Plan:
        if self.lane.owns():
            await self.tidy()
        else:  # what waits behind may be sent now: not even a look may come before this one
            plan = self.describer.plans.used(sql)
            if plan is not None and not self.describer.freshness.is_doubted:
                return plan
        return await self.plan(sql)

    async def _mend(self, plan: Plan, values: Any, failure: SQLSpecError) -> tuple[Plan, _Rows]:
        """Try a statement again that was not run, as long as there is a way to."""
        try:
            for _ in range(_TRIES):
                plan, values = await self.mended(plan, values, failure)
                outcome: Any = await _outcome(self.fetch_rows(plan, values))
                if not isinstance(outcome, SQLSpecError):
                    return plan, outcome
                failure = outcome
            raise failure
        finally:
            del failure  # it holds this frame, and with it the connection
            outcome = None

    async def fetch_rows(self, plan: Plan, values: Any) -> list[dict[str, Any]]:
        """Send a planned statement with its values, in its turn; return its rows."""
        async with self.lane.shared():
            return await self.send(plan, values)

    async def fetch_unplanned(self, sql: str, values: Any) -> list[dict[str, Any]] | None:
        """Run a text that is new on the connection in a group; None: not in a group."""
        del sql, values
        return None

    async def send(self, plan: Plan, values: Any) -> list[dict[str, Any]]:
        """Send a planned statement with its values (as the user gave them) at once.

        Raises OutdatedPlanError, with nothing sent, when the plan turned out to be old meanwhile.
        """
        plan, statement = self.to_send(plan, values)
        return self.answered(plan, await guarded(self, statement, note=DONE))

    def to_send(self, plan: Plan, values: Any) -> tuple[Plan, Any]:
        """Return what `send` sends, and the plan that reads the answer; raises what it raises."""
        if plan.is_outdated:
            raise OutdatedPlanError
        try:
            parameters = plan.encode(values)
        except TextNeeded:
            # In this turn, where that can be: another one would come after those that wait.
            text, given = plan.as_text(values)
            reading = self.describer.plans.used(text)
            if reading is None:
                raise
            plan, parameters = reading, reading.encode(given)
        return plan, self.wire.fetch(plan.sql, parameters)

    def answered(self, plan: Plan, answer: Any) -> list[dict[str, Any]]:
        """Return the rows of what was sent, and learn from its success."""
        if plan.unsettles:
            self.describer.note(plan.source, in_block=self.lane.in_block)
        return plan.rows(answer)

    async def _command(self, sql: str) -> None:
        """Run a statement without parameters and rows."""
        refuse_harmful(sql)
        code = tokens(sql)
        several = any(token.text == ";" and token.kind == "symbol" for token in code[:-1])
        async with self.lane.alone():
            send = self.connection.fetch(sql, []) if several else self.connection.execute_batch(sql)
            await run_text(self, sql, send)

    def _note(self, sql: str) -> None:
        """Learn from a command that succeeded."""
        self.lane.epoch = object()
        self.describer.note(sql, in_block=self.lane.in_block)
