"""Whether the runs of a prepared SELECT may be answered by one statement, and by which."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING, Any

from sqlspec.exceptions import SQLSpecError

from psqlpy_adapter.arrays import unnestable
from psqlpy_adapter.cancellation import guarded
from psqlpy_adapter.read_group import PURE, read_group

if TYPE_CHECKING:
    from psqlpy_adapter.execution import ExecutionMixin
    from psqlpy_adapter.plans import Plan

SLOW_SECONDS = 0.01
"""A statement on which the server works longer gains nothing by sharing a round trip: it would wait
for others."""


class Grouping:
    """What is known of running one prepared statement in groups, on one connection.

    `plan`: of the group's statement, whose column `run` says which run a row answers. What the
    server says holds for one session, up to its next command (SET and CREATE could change it).
    """

    __slots__ = ("_binaries", "_epoch", "_is_pure", "_suits", "plan", "run")

    def __init__(self, driver: ExecutionMixin, plan: Plan) -> None:
        read = None if plan.counts else read_group(plan.source)
        self._suits = read is not None and unnestable(plan.parameters)
        self._is_pure = False
        self._epoch: object = None
        self.plan: Plan | None = None
        self.run = ""
        binary = driver.catalogue.binary
        self._binaries = [binary(t) for t in plan.parameters] if self._suits else []

    def is_checked(self, driver: ExecutionMixin) -> bool:
        """Whether there is nothing to ask the server in this session, since its last command."""
        if not self._suits:
            return True
        is_there = self.plan is None or not self.plan.is_gone
        return is_there and self._epoch is driver.lane.epoch

    def usable(self, driver: ExecutionMixin) -> bool:
        """Whether the statement may be grouped, as far as is known."""
        return self._is_pure if self.is_checked(driver) else self._suits

    def fields(self, values: Sequence[Any]) -> list[bytes | None] | None:
        """Return the values as bytes; None when one is wrong, or is for the server to read."""
        try:
            return [
                None if value is None else binary(value)
                for value, binary in zip(values, self._binaries, strict=True)
            ]
        except (SQLSpecError, ValueError):
            return None

    async def check(self, driver: ExecutionMixin, plan: Plan) -> None:
        """Ask the server whether the statement may be grouped, and prepare its group."""
        read = read_group(plan.source)
        assert read is not None
        self._epoch = driver.lane.epoch
        self._is_pure = False
        self.run = read.runs
        names = [list(read.names), list(read.operators)]
        answer = await guarded(driver, driver.wire.fetch(PURE, names))
        if not answer.result()[0]["pure"]:
            return
        try:
            self.plan = await driver.plan(read.sql(plan.parameters))
        except SQLSpecError:
            return  # what is allowed in a statement need not be allowed in a subquery
        own, columns = self.plan.columns or (), plan.columns or ()
        is_same = [column.type for column in own[1:]] == [column.type for column in columns]
        self._is_pure = is_same and all(column.name != read.runs for column in columns)

    def forget(self, driver: ExecutionMixin) -> None:
        """Prepare the group anew the next time: a table was altered."""
        if self.plan is not None:
            driver.describer.forget(self.plan.source)
        self._epoch = None


def grouping_of(driver: ExecutionMixin, plan: Plan) -> Grouping:
    """Return what is known of running a prepared statement in groups."""
    if plan.batch is None:
        plan.batch = Grouping(driver, plan)
    grouping: Grouping = plan.batch
    return grouping


def can_be_grouped(driver: ExecutionMixin, statement: Plan | str) -> bool:
    """Whether a statement (its text, before it is prepared) may join or begin a group now."""
    if driver._transaction_active or driver.lane.in_block:
        return False
    if isinstance(statement, str):
        return read_group(statement) is not None
    on_the_way = 0.0 if driver.checkout is None else driver.checkout.round_trip
    is_slow = inf > statement.fastest >= on_the_way + SLOW_SECONDS
    return not is_slow and grouping_of(driver, statement).usable(driver)
