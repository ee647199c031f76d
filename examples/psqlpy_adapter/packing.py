"""Whether the rows of a prepared SELECT are to be packed by the server, and its packed answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from psqlpy_adapter.cancellation import guarded
from psqlpy_adapter.packed_select import MOST_ROWS, packed
from psqlpy_adapter.read_group import PURE, reading
from psqlpy_adapter.types import PgType

if TYPE_CHECKING:
    from psqlpy_adapter.planning import PlanningMixin
    from psqlpy_adapter.plans import Plan

T = TypeVar("T")


class Packing:
    """What is known of packing the rows of one statement, on one connection.

    Nobody can tell the difference if the statement is one SELECT that neither writes, locks nor
    calls a volatile function. What the catalogue says of that holds for one session, up to its
    next command (SET and CREATE could change it). `is_wanted`: the last answer had many rows;
    `is_refused`: its rows could not be had packed, and are not asked for again.
    """

    __slots__ = (
        "_epoch", "_has_nulls", "_is_pure", "_reading", "is_refused", "is_wanted", "select",
    )  # fmt: skip

    def __init__(self, plan: Plan) -> None:
        self._reading = reading(plan.source)
        types = [column.type for column in plan.columns or ()]
        self.select = packed(self._reading.sql, types) if self._reading is not None else None
        self._epoch: object = None
        self._is_pure = False
        self._has_nulls = False
        self.is_wanted = False
        self.is_refused = False

    async def is_pure(self, driver: PlanningMixin) -> bool:
        """Whether nobody can tell; asks the catalogue once in each session."""
        if self._reading is None or self.select is None:
            return False
        if self._epoch is not driver.lane.epoch:
            names = [list(self._reading.names), list(self._reading.operators)]
            answer = await guarded(driver, driver.wire.fetch(PURE, names))
            self._epoch, self._is_pure = driver.lane.epoch, bool(answer.result()[0]["pure"])
        return self._is_pure

    async def answer(
        self,
        driver: PlanningMixin,
        plan: Plan,
        values: Sequence[Any],
        unpack: Callable[[Mapping[str, Any], tuple[PgType, ...], Sequence[str]], T | None],
    ) -> T | None:
        """Return what `unpack` makes of the packed row; None when that cannot be had.

        To be called with the lane alone. Raises SQLSpecError.
        """
        if self.select is None or self.is_refused:
            return None
        for text in (self.select.plain, self.select.flagged)[self._has_nulls :]:
            own = await driver.plan(text)
            if own.parameters != plan.parameters or plan.is_outdated:
                return None
            statement = driver.wire.fetch(own.sql, own.encode(values))
            [row] = own.rows(await guarded(driver, statement))
            if row["n"] > MOST_ROWS:
                return None
            found = unpack(row, self.select.types, plan.names)
            if found is not None:
                self._has_nulls = text is self.select.flagged
                return found
        self.is_refused = True
        return None


def packing_of(plan: Plan) -> Packing:
    """Return what is known of packing the rows of a prepared statement."""
    if plan.packing is None:
        plan.packing = Packing(plan)
    packing: Packing = plan.packing
    return packing
