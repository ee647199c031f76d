"""The bundled adapter, and how its batches of INSERTs were sent."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import psqlpy_adapter
import pytest
from harness import Adapter
from psqlpy_adapter import array_insert, copy_insert


@pytest.fixture
def adapter() -> Adapter:
    return Adapter("bundled", psqlpy_adapter)


@pytest.fixture
def copy_outcomes(monkeypatch):
    """What came of each `copy_at_once`: the rows stored, or None."""
    outcomes = []
    real = array_insert.copy_at_once

    async def spy(*arguments, **options):
        outcomes.append(await real(*arguments, **options))
        return outcomes[-1]

    monkeypatch.setattr(array_insert, "copy_at_once", spy)
    return outcomes


def copy_from(monkeypatch, sets: int) -> None:
    """Make so many parameter sets enough for a COPY."""
    monkeypatch.setattr(copy_insert, "SETS", sets)
    monkeypatch.setattr(copy_insert, "SETS_ONE_BY_ONE", sets)


@pytest.fixture
def copied(copy_outcomes, monkeypatch):
    """What came of each `copy_at_once`; few sets are enough for it."""
    copy_from(monkeypatch, 1)
    return copy_outcomes


@pytest.fixture(params=["arrays", "copy"])
def way(request, copy_outcomes, monkeypatch):
    """How an INSERT of parameters is sent; checks that a COPY was tried, and what came of it."""
    copy_from(monkeypatch, 1 if request.param == "copy" else sys.maxsize)
    return Way(request.param, copy_outcomes)


@dataclass
class Way:
    """`copied` has the outcome of each `copy_at_once`: the rows stored, or None."""

    name: str
    copied: list[int | None]

    def was_taken(self) -> bool:
        """Whether each batch so far went the way that the test is about."""
        taken = [(outcome is not None) == (self.name == "copy") for outcome in self.copied]
        return bool(taken) and all(taken)


@pytest.fixture
def seen(monkeypatch):
    """Whether `insert_at_once` did the work, for each call."""
    outcomes = []
    real = psqlpy_adapter.batches.insert_at_once

    async def spy(*arguments, **options):
        outcome = await real(*arguments, **options)
        outcomes.append(outcome is not None)
        return outcome

    monkeypatch.setattr(psqlpy_adapter.batches, "insert_at_once", spy)
    return outcomes
