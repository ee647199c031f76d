"""Queries of many rows: their rows packed by the server, where nobody can tell the difference.

What SQLSpec 0.69 on psqlpy 0.13 does: psqlpy makes each row's dictionary in Rust, the strings of
its keys anew for each row, and each value by the type of its column.

What this does instead when a statement's last answer had more than `MANY` rows: the server packs
the rows by column (`packed_select`) and numpy reads them (`packed_rows`); the rows are the same.
Only outside of transactions, for one SELECT that neither writes, locks nor calls a volatile
function, and of columns whose types psqlpy reads by itself. Where that fails, the statement is run
as it is, and is not packed again.

May be unnecessary when psqlpy (0.13.1) keeps the keys of a result's rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlspec.exceptions import (
    DatabaseConnectionError,
    OperationCancelledError,
    QueryTimeoutError,
    SQLSpecError,
)

from psqlpy_adapter import packed_rows
from psqlpy_adapter.mending import MendingMixin
from psqlpy_adapter.packing import packing_of

if TYPE_CHECKING:
    from psqlpy_adapter.plans import Plan

MANY = 1_000
"""Up to so many rows, psqlpy is about as fast."""
MOST_BYTES = 32 * 1024 * 1024
"""What the server may have to hold, as estimated from the last answer: each session may do this."""
_SAMPLE = 20
_VALUE_BYTES = 8

Rows = list[dict[str, Any]]


class LargeResultsMixin(MendingMixin):
    """`fetch_packed` of the driver."""

    __slots__ = ()

    def _is_large(self, plan: Plan, rows: Rows) -> None:
        """Learn from an answer whether the next one of a statement is to be packed."""
        packing = packing_of(plan)
        if (
            packing.select is None
            or packing.is_refused
            or plan.decoders is not None
            or plan.is_renamed
        ):
            return
        if any(pg_type.receive not in packed_rows.READ for pg_type in packing.select.types):
            return
        sample = rows[:: max(1, len(rows) // _SAMPLE)]
        values = [value for row in sample for value in row.values()]
        size = sum(len(v) if isinstance(v, str) else _VALUE_BYTES for v in values)
        packing.is_wanted = size / len(sample) * len(rows) < MOST_BYTES

    async def fetch_packed(self, plan: Plan, values: Any) -> Rows | None:
        """Have the rows of a statement packed; None, with nothing done, where that cannot be.

        Raises SQLSpecError when the statement was stopped or the connection is lost.
        """
        packing = packing_of(plan)
        if not packing.is_wanted or self._pools_transactions():
            return None
        if self._transaction_active or self.lane.in_block:
            return None  # a failure there would end the transaction
        async with self.lane.alone():
            await self.tidy()
            rows = None
            try:
                if await packing.is_pure(self):
                    rows = await packing.answer(self, plan, values, packed_rows.rows)
            except (QueryTimeoutError, OperationCancelledError, DatabaseConnectionError):
                raise
            except SQLSpecError:  # what it is shows when the statement itself is run
                rows = None
        packing.is_refused = rows is None
        packing.is_wanted = False
        if rows is not None and len(rows) > MANY:
            self._is_large(plan, rows)
        return rows
