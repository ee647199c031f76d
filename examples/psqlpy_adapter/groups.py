"""Groups of runs of one SELECT: who is in them, when they are sent, and whose answer is whose."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from psqlpy.extra_types import CustomType
from sqlspec.exceptions import SQLSpecError

from psqlpy_adapter.arrays import array
from psqlpy_adapter.cancellation import guarded
from psqlpy_adapter.grouping import Grouping, can_be_grouped, grouping_of
from psqlpy_adapter.turns import Turn

if TYPE_CHECKING:
    from psqlpy_adapter.execution import ExecutionMixin
    from psqlpy_adapter.plans import Plan

MEMBERS = 1_000
"""How many runs one group has at most."""

Rows = list[dict[str, Any]]

_STALE = "cached plan must not change result type"


class Member:
    """One awaited run: its values, and where its rows go."""

    __slots__ = ("answer", "fields", "task", "values")

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = values
        self.fields: list[bytes | None] | None = None
        self.answer: asyncio.Future[Rows] = asyncio.get_running_loop().create_future()
        self.task: asyncio.Task[None] | None = None

    def give(self, rows: Rows) -> None:
        """Hand over the rows, if they are still wanted."""
        if not self.answer.done():
            self.answer.set_result(rows)

    def fail(self, error: Exception) -> None:
        """Hand over an error, if anybody still waits."""
        if not self.answer.done():
            self.answer.set_exception(error)


class Group:
    """Runs of one statement that wait for their turn; `waits` is the lane's at its beginning."""

    __slots__ = ("members", "sql", "task", "turn", "waits")

    def __init__(self, sql: str, waits: int) -> None:
        self.sql = sql
        self.waits = waits
        self.members: list[Member] = []
        self.task: asyncio.Task[None] | None = None
        self.turn: Turn | None = None


async def grouped(driver: ExecutionMixin, sql: str, values: Sequence[Any]) -> Rows:
    """Run a statement as a member of a group; see `ConcurrencyMixin.fetch_rows`."""
    member = Member(values)
    lane = driver.lane
    group = lane.groups.get(sql)
    if group is None or group.waits != lane.waits or len(group.members) >= MEMBERS:
        group = _ask(driver, sql)
    group.members.append(member)
    try:
        return await member.answer
    except asyncio.CancelledError:
        await _drop(group, member)
        raise


def _ask(driver: ExecutionMixin, sql: str) -> Group:
    """Make a group and ask a turn for it: a turn alone when something must be prepared first."""
    lane = driver.lane
    group = Group(sql, lane.waits)

    def is_new() -> bool:
        plan = driver.describer.known(sql)
        return plan is None or not grouping_of(driver, plan).is_checked(driver)

    def granted() -> None:
        if lane.groups.get(sql) is group:
            del lane.groups[sql]
        group.task = asyncio.get_running_loop().create_task(_run(driver, group))
        group.task.add_done_callback(lambda _: _never_run(driver, group))

    group.turn = lane.ask(granted, alone=is_new, reads=True)
    lane.groups[sql] = group
    asyncio.get_running_loop().call_soon(lane.advance)  # when all who are ready have asked
    return group


async def _drop(group: Group, member: Member) -> None:
    """Let go of a cancelled member; when nobody else waits for its statement, stop that."""
    task = member.task
    if task is None and all(one.answer.done() for one in group.members):
        task = group.task
    if task is not None and not task.done():
        task.cancel()
        await asyncio.wait({task})


async def _run(driver: ExecutionMixin, group: Group) -> None:
    """Answer all members of a group whose turn has come."""
    assert group.turn is not None
    group.turn.has_begun = True
    driver.lane.begin()
    try:
        await driver.lane.dismiss()
        await _answer(driver, group)
    except asyncio.CancelledError:
        for member in group.members:
            member.answer.cancel()
        raise
    except Exception as error:  # noqa: BLE001 (those who wait hear of it)
        for member in group.members:
            member.fail(error)
    finally:
        driver.lane.leave(alone=bool(group.turn.alone), reads=True)


def _never_run(driver: ExecutionMixin, group: Group) -> None:
    """End the turn of a group whose task was cancelled before its first step."""
    if group.turn is None or group.turn.has_begun:
        return
    for member in group.members:
        member.answer.cancel()
    driver.lane.begin()
    driver.lane.leave(alone=bool(group.turn.alone), reads=True)


async def _answer(driver: ExecutionMixin, group: Group) -> None:
    plan = await driver.plan(group.sql)
    grouping = grouping_of(driver, plan)
    members = [member for member in group.members if not member.answer.done()]
    if can_be_grouped(driver, plan) and len(members) > 1:
        if not grouping.is_checked(driver):
            await grouping.check(driver, plan)
        if grouping.usable(driver):
            members = await _answer_together(driver, plan, grouping, members)
    loop = asyncio.get_running_loop()
    for member in members:
        if not member.answer.done():
            member.task = loop.create_task(_answer_alone(driver, plan, member))
    await asyncio.gather(*(m.task for m in members if m.task), return_exceptions=True)


async def _answer_together(
    driver: ExecutionMixin, plan: Plan, grouping: Grouping, members: list[Member]
) -> list[Member]:
    """Run one statement for all members; return those who must run by themselves."""
    assert grouping.plan is not None
    for member in members:
        member.fields = grouping.fields(member.values)
    fit = [member for member in members if member.fields is not None]
    columns = zip(*(member.fields or () for member in fit), strict=True)
    arrays = [
        CustomType(array(pg_type, fields))
        for pg_type, fields in zip(plan.parameters, columns, strict=True)
    ]
    statement = driver.wire.fetch(grouping.plan.sql, arrays)
    try:
        found = grouping.plan.rows(await guarded(driver, statement))
    except SQLSpecError as error:  # whose fault it was shows when each runs by itself
        if _STALE in str(error):
            grouping.forget(driver)
        return members
    rows: list[Rows] = [[] for _ in fit]
    for row in found:
        rows[row.pop(grouping.run) - 1].append(row)
    for member, own in zip(fit, rows, strict=True):
        member.give(own)
    return [member for member in members if member.fields is None]


async def _answer_alone(driver: ExecutionMixin, plan: Plan, member: Member) -> None:
    try:
        member.give(await driver.send(plan, member.values))
    except asyncio.CancelledError:
        member.answer.cancel()
        raise
    except Exception as error:  # noqa: BLE001 (it is raised by the one who waits)
        member.fail(error)
