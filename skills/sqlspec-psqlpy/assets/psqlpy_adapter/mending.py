"""What is done when a plan turns out to be older than its table, or than a type."""

from __future__ import annotations

import contextlib
from typing import Any

from sqlspec.exceptions import DataError, SQLSpecError, TransactionError

from psqlpy_adapter.blocks import in_block
from psqlpy_adapter.cancellation import guarded
from psqlpy_adapter.freshness import composites
from psqlpy_adapter.planning import PlanningMixin
from psqlpy_adapter.plans import Plan
from psqlpy_adapter.types import TextNeeded

_STALE = (
    "cached plan must not change result type",
    "cache lookup failed for type",
    "wrong number of columns",
    "binary data has array element type",
)
"""What the server says when a type or a table is no longer what it was; it did nothing then."""


class OutdatedPlanError(SQLSpecError):
    """The session changed the schema or its path while a statement waited for its turn."""

    def __init__(self) -> None:
        super().__init__("the schema was changed again and again; nothing was sent")


def is_stale(error: SQLSpecError) -> bool:
    """Whether the server refused a statement because of what was altered since it was prepared."""
    return any(reason in str(error) for reason in _STALE)


class MendingMixin(PlanningMixin):
    """`mended`, `refit` and `tidy` of the driver."""

    __slots__ = ()

    async def mended(self, plan: Plan, values: Any, failure: SQLSpecError) -> tuple[Plan, Any]:
        """Return the plan and the values with which a statement is to be tried again.

        Raises `failure` when that would not help, or may not be done: where the statement was run,
        or its failure has ended the transaction.
        """
        is_refused = isinstance(failure, DataError) and plan.refuses(values)
        is_early = isinstance(failure, (OutdatedPlanError, TextNeeded))
        if not (is_refused or is_early or is_stale(failure)):
            raise failure
        fresh: Plan | None = None
        async with self.lane.alone():
            if isinstance(failure, TextNeeded):
                return await self._as_text(plan, values)
            if isinstance(failure, OutdatedPlanError):
                fresh = await self.plan(plan.source)
            elif is_refused:
                fresh = await self.refit(plan)
            else:
                self.describer.forget(plan.source)
                self.catalogue.forget()
                if not await in_block(self):
                    fresh = await self.plan(plan.source)
        if fresh is None:
            raise failure
        return fresh, values

    async def tidy(self) -> None:
        """Deallocate the server's statements of plans that were forgotten, when there are many.

        To be called with the lane alone, by nobody who holds a plan.
        """
        if self._pools_transactions() or self.lane.is_held():
            return
        spent = self.describer.plans.take_spent()
        if spent:
            text = "; ".join(f"DEALLOCATE {name}" for name in spent)
            await self._attempt(lambda: guarded(self, self.connection.execute_batch(text)))

    async def refit(self, plan: Plan) -> Plan | None:
        """Return the plan of a text whose types are not those of its plan any more; else None.

        The server is asked by a statement of its own (PREPARE), so that nothing is prepared again
        where a value is simply wrong. To be called with the lane alone.
        """
        describer = self.describer
        if any(kind.is_alterable for kind in plan.parameters):
            describer.plans.drop(plan.source)
            try:
                fresh = await self.plan(plan.source)
            except TransactionError:  # it has failed before: nothing can be asked
                return None
            is_other = composites(fresh.parameters) != composites(plan.parameters)
            return fresh if is_other else None
        if self._pools_transactions():
            return None  # the answer would be another server's
        oids = None
        with contextlib.suppress(TransactionError):  # one that has failed: nothing can be asked
            oids = await self._attempt(lambda: describer.parse(self, self.connection, plan.sql))
        if oids is None or oids == [kind.oid for kind in plan.parameters]:
            return None
        describer.forget(plan.source)
        return await self.plan(plan.source)
