"""What a promise test is written with: the promise's id, and how the stock adapter breaks it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest


@dataclass(frozen=True)
class Adapter:
    """One of the two adapters: its `name` ("stock" or "bundled") and its public classes."""

    name: str
    module: ModuleType

    @property
    def config(self) -> type[Any]:
        return self.module.PsqlpyConfig

    @property
    def driver(self) -> type[Any]:
        return self.module.PsqlpyDriver


@dataclass(frozen=True)
class Breaks:
    """How the stock adapter fails the test: the error it must raise, and a part of its message."""

    error: type[BaseException] = AssertionError
    match: str | None = None


def promise(
    identifier: str, *, stock: Breaks | None
) -> Callable[[Callable[..., Awaitable[None]]], Callable[..., Awaitable[None]]]:
    """Mark an async test that takes `adapter` as (a part of) the proof of a promise.

    It runs once on each adapter. `stock=None` says that the stock adapter keeps this part too;
    `Breaks(...)` says how it fails, which is asserted, so that an upstream fix turns the test red.
    """

    def decorate(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        assert "adapter" in inspect.signature(test).parameters, "a promise test takes `adapter`"

        @functools.wraps(test)
        async def run(**fixtures: Any) -> None:
            if stock is None or fixtures["adapter"].name != "stock":
                await test(**fixtures)
                return
            try:
                await test(**fixtures)
            except stock.error as error:
                if stock.match is not None and stock.match not in str(error):
                    raise
            else:
                pytest.fail(
                    f"the stock adapter keeps this part of {identifier} now: SQLSpec or psqlpy "
                    "was fixed. Say so in the guidance, and pass stock=None here."
                )

        return pytest.mark.promise(identifier, stock)(run)

    return decorate
