"""Turns in the lane of a session: who shares, who waits, and who gives up."""

from __future__ import annotations

import asyncio

from psqlpy_adapter.freshness import Freshness
from psqlpy_adapter.lane import Lane


class Course:
    """Tasks that take turns in a lane, and the order in which they had them."""

    def __init__(self) -> None:
        self.lane = Lane()
        self.events: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}

    async def run(self, name: str, *, alone: bool = False) -> None:
        gate = self.gates.setdefault(name, asyncio.Event())
        async with self.lane.alone() if alone else self.lane.shared():
            self.events.append(f"+{name}")
            await gate.wait()
            self.events.append(f"-{name}")


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_shared_turns_overlap_and_a_lone_turn_does_not():
    course = Course()
    async with asyncio.TaskGroup() as group:
        for name in "ab":
            group.create_task(course.run(name))
        group.create_task(course.run("C", alone=True))
        for name in "de":
            group.create_task(course.run(name))
        await settle()
        assert course.events == ["+a", "+b"]
        for name in "baCde":
            course.gates[name].set() if name in course.gates else None
            await settle()
    assert course.events[:6] == ["+a", "+b", "-b", "-a", "+C", "-C"]
    assert course.events[6:8] == ["+d", "+e"]
    assert course.lane.idle


async def test_a_cancelled_place_in_the_queue_is_given_up():
    course = Course()
    first = asyncio.ensure_future(course.run("a"))
    await settle()
    lone = asyncio.ensure_future(course.run("B", alone=True))
    behind = asyncio.ensure_future(course.run("c"))
    await settle()
    assert course.events == ["+a"]
    lone.cancel()
    await settle()
    assert course.events == ["+a", "+c"]
    course.gates["a"].set()
    course.gates["c"].set()
    await asyncio.gather(first, behind)
    assert course.lane.idle


async def test_a_turn_that_is_given_and_cancelled_at_once_is_passed_on():
    course = Course()
    async with course.lane.alone():
        second = asyncio.ensure_future(course.run("B", alone=True))
        third = asyncio.ensure_future(course.run("c"))
        await settle()
    second.cancel()  # it has the turn now, and has not run since
    course.gates["c"].set()
    await asyncio.gather(second, third, return_exceptions=True)
    assert course.events == ["+c", "-c"]
    assert course.lane.idle


async def test_what_is_left_to_an_heir_is_done_though_all_tasks_are_cancelled():
    lane = Lane()
    done: list[str] = []

    async def undo() -> None:
        done.append("undone")

    async def commit() -> None:
        async with lane.alone(heir=undo):
            done.append("committed")

    async with lane.alone():
        waiting = asyncio.ensure_future(commit())
        await settle()
        waiting.cancel()
        await settle()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await settle()
    assert done == ["undone"]
    assert lane.idle


async def test_a_task_that_has_the_lane_alone_may_take_turns_inside():
    lane = Lane()
    async with lane.alone(), lane.alone(), lane.shared():
        assert lane.under_way == 2
    assert lane.idle


async def test_whoever_asks_right_after_a_lone_turn_does_not_pass_those_who_waited_for_it():
    lane = Lane()
    course: list[str] = []

    async def take(name: str) -> None:
        async with lane.shared():
            course.append(name)

    async with lane.alone():
        waiting = asyncio.ensure_future(take("awaited before"))
        await settle()
    await take("awaited after")
    await waiting
    assert course == ["awaited before", "awaited after"]


async def test_what_follows_a_script_sees_what_was_awaited_during_the_script(session):
    insert, count = "INSERT INTO points AS q VALUES ($1, $2)", "SELECT count(*) FROM points"
    await session.execute(insert, 2_000, "planned")
    before = await session.select_value(count)

    # It begins when the script has its turn.
    inserting = asyncio.ensure_future(session.execute(insert, 2_001, "awaited"))
    await session.execute_script("SELECT pg_sleep(0.05); SELECT 1")
    assert await session.select_value(count) == before + 1
    await inserting


async def test_a_look_at_the_catalogue_that_falls_due_in_a_shared_turn_lets_nobody_pass(
    session, monkeypatch
):
    """The second in which a plan needs no look may end between a turn and its first step."""
    insert, count = "INSERT INTO points AS p VALUES ($1, $2)", "SELECT count(*) FROM points"
    due = False
    advance, check = Lane.advance, Freshness.check

    def granted(lane: Lane) -> None:
        nonlocal due
        advance(lane)
        due = session.describer.plans.get(insert) is not None

    async def checked(self, names, rows):
        nonlocal due
        answer = await check(self, names, rows)
        due = False
        return answer

    before = await session.select_value(count)
    monkeypatch.setattr(Lane, "advance", granted)
    monkeypatch.setattr(Freshness, "is_due", lambda _: due)
    monkeypatch.setattr(Freshness, "check", checked)
    answers = await asyncio.gather(
        *(
            session.execute(insert, 1_000 + number, "new")
            if number % 2
            else session.select_value(count)
            for number in range(100)
        )
    )
    assert answers[::2] == list(range(before, before + 50))
