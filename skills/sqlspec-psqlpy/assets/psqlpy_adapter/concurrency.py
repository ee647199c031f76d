"""Many statements awaited at once on one session: few round trips, and each its own fate.

What SQLSpec 0.69 on psqlpy 0.13 does: each is sent as soon as it is prepared, so an order is kept
by chance only, and what runs beside `execute_many` takes part in its transaction: a neighbour that
fails undoes it. Each costs a round trip of its own through the event loop.

What this does instead, for statements awaited at the same time (`asyncio.gather`, a `TaskGroup`,
tasks of your own) on one session:

- They take effect in the order in which they were awaited, and are sent without waiting for each
  other's answers.
- Runs of one and the same SELECT that differ in their parameters only are answered by one
  statement (`read_group`) when nobody can tell: not inside a transaction, and only statements
  without side effects, locks, views, ORDER BY or LIMIT, which the catalogue is asked once a
  session. Such a group stands where its first member was awaited; members pass other such SELECTs,
  but nothing that could write, and what else is awaited after a group is sent when the group has
  been answered. Members share one snapshot (and one `now()`). A statement that takes
  longer than `grouping.SLOW_SECONDS` by itself is not grouped.
- A statement that fails, in a group too, fails for the one who awaits it: the group is then run
  member by member. One that is cancelled is cancelled alone; a group goes on for the others.
- Everything else runs by itself, with the meaning it has alone: outside a transaction each
  INSERT, UPDATE or DELETE is committed by itself. Nothing is retried that could have written.
- `begin()`, `commit()`, `rollback()`, savepoints, `execute_many`, scripts, COPY and the first run
  of a statement on a connection have it to themselves: what was awaited before has ended then, and
  what is awaited after waits.
- Inside a transaction a failing statement makes the rest of it fail, for every task: a session is
  one transaction. Tasks that must not share one need a session each.

One connection does one thing at a time: this hides round trips, it does not make the server run
statements side by side. A single statement is sent at once; nothing is delayed to find company.

May be unnecessary when psqlpy has a pipeline with an error for each statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from psqlpy_adapter.cancellation import DONE, guarded
from psqlpy_adapter.execution import ExecutionMixin
from psqlpy_adapter.grouping import can_be_grouped
from psqlpy_adapter.groups import Rows, grouped
from psqlpy_adapter.mending import OutdatedPlanError

if TYPE_CHECKING:
    from psqlpy_adapter.plans import Plan


class ConcurrencyMixin(ExecutionMixin):
    """The order of a session's statements, and groups of reads; see the module."""

    __slots__ = ()

    async def fetch_rows(self, plan: Plan, values: Sequence[object]) -> Rows:
        """Run a prepared statement in its turn.

        Args:
            plan: what the server said of the statement.
            values: one Python value for each parameter.

        Returns:
            The rows, as dictionaries.

        Raises:
            SQLSpecError: a value does not fit its parameter, or the server refused the statement.
            OutdatedPlanError: a command of the session came first; nothing was sent.
        """
        lane = self.lane
        if lane.enter():
            started, asked = perf_counter(), lane.asked
            try:
                plan, statement = self.to_send(plan, values)
                return self.answered(plan, await guarded(self, statement, note=DONE))
            finally:
                lane.leave()
                if asked == lane.asked:  # else the event loop had more to do than this
                    seconds = perf_counter() - started
                    if seconds < plan.fastest:
                        plan.fastest = seconds
        if not lane.owns() and can_be_grouped(self, plan):
            return await grouped(self, plan.source, values)
        async with lane.shared():
            if self.describer.freshness.is_doubted:
                raise OutdatedPlanError
            return await self.send(plan, values)

    async def fetch_unplanned(self, sql: str, values: Sequence[object]) -> Rows | None:
        """Run a statement in its turn that this connection has not prepared yet, in a group.

        Returns:
            The rows; or None, with nothing done, when the statement is to run by itself: it is the
            only one that is awaited, or what it says may not be grouped.
        """
        lane = self.lane
        if lane.idle or lane.owns() or not can_be_grouped(self, sql):
            return None
        return await grouped(self, sql, values)
