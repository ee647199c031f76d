"""Random statements awaited at the same time against a model that runs them one after another."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable
from typing import Any

import psqlpy_adapter
import pytest
from harness import Adapter

ROUNDS = 60
FAILS = object()


@pytest.fixture
def adapter() -> Adapter:
    return Adapter("bundled", psqlpy_adapter)


class Model:
    """What the table holds after each statement, and what the statement answers."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.rows: dict[int, str] = {}
        self.aborted = False

    def any_statement(self, session: Any, *, in_transaction: bool) -> tuple[Awaitable[Any], Any]:
        """Return a random statement, not yet awaited, and its answer (`FAILS`: an error)."""
        kind = self.random.choice(
            [self.read] * 5 + [self.count, self.insert, self.insert_many, self.delete, self.fail]
        )
        before = dict(self.rows)
        statement, answer = kind(session)
        if self.aborted:
            answer = FAILS
        if answer is FAILS:
            self.rows = before
            self.aborted = in_transaction
        return statement, answer

    def read(self, session: Any) -> tuple[Awaitable[Any], Any]:
        key = self.random.randint(1, 50)
        found = [{"key": key, "value": self.rows[key]}] if key in self.rows else []
        return session.select("SELECT key, value FROM fuzz WHERE key = $1", key), found

    def count(self, session: Any) -> tuple[Awaitable[Any], Any]:
        return session.select_value("SELECT count(*) FROM fuzz"), len(self.rows)

    def insert(self, session: Any) -> tuple[Awaitable[Any], Any]:
        key = self.random.randint(1, 50)
        answer = FAILS if key in self.rows else 1
        self.rows[key] = "one"
        return session.execute("INSERT INTO fuzz VALUES ($1, $2)", key, "one"), answer

    def insert_many(self, session: Any) -> tuple[Awaitable[Any], Any]:
        keys = [self.random.randint(1, 80) for _ in range(self.random.choice([2, 15]))]
        fits = len({*keys}) == len(keys) and not self.rows.keys() & {*keys}
        self.rows |= dict.fromkeys(keys, "many")
        statement = session.execute_many(
            "INSERT INTO fuzz VALUES ($1, $2)", [(key, "many") for key in keys]
        )
        return statement, len(keys) if fits else FAILS

    def delete(self, session: Any) -> tuple[Awaitable[Any], Any]:
        least = self.random.randint(1, 60)
        gone = [key for key in self.rows if key > least]
        self.rows = {key: value for key, value in self.rows.items() if key <= least}
        return session.execute("DELETE FROM fuzz WHERE key > $1", least), len(gone)

    def fail(self, session: Any) -> tuple[Awaitable[Any], Any]:
        return session.select("SELECT 1 / $1::int AS ratio", 0), FAILS


def outcome(answer: Any) -> Any:
    """Return what the model predicts of an answer."""
    if isinstance(answer, Exception):
        return FAILS
    return getattr(answer, "rows_affected", answer)


@pytest.mark.parametrize("seed", range(3))
async def test_gathered_statements_do_what_they_would_do_one_after_another(config, seed):
    model = Model(seed)
    async with config.provide_session() as session:
        await session.execute("CREATE TABLE fuzz (key int PRIMARY KEY, value text)")
    for number in range(ROUNDS):
        in_transaction = number % 5 == 4
        kept = dict(model.rows)
        async with config.provide_session() as session:
            if in_transaction:
                await session.begin()
            tasks, expected = [], []
            for _ in range(model.random.randint(1, 60)):
                statement, answer = model.any_statement(session, in_transaction=in_transaction)
                tasks.append(asyncio.ensure_future(statement))
                expected.append(answer)
                if model.random.random() < 0.05:
                    await asyncio.sleep(model.random.choice([0, 0.002]))
            answers = await asyncio.gather(*tasks, return_exceptions=True)
            assert [outcome(answer) for answer in answers] == expected
            assert session.lane.idle
            if in_transaction:
                if model.aborted or number % 2:
                    await session.rollback()
                    model.rows, model.aborted = kept, False
                else:
                    await session.commit()
