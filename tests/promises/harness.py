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


PANIC = "PanicException"
"""A Rust panic of psqlpy, by name: its class cannot be imported, and is no Exception."""


@dataclass(frozen=True)
class Breaks:
    """How the stock adapter fails the test: the error it must raise, and a part of its message."""

    error: type[BaseException] | str = AssertionError
    match: str | None = None

    def explains(self, error: BaseException) -> bool:
        """Whether that is the error."""
        if isinstance(self.error, str):
            is_kind = type(error).__name__ == self.error
        else:
            is_kind = isinstance(error, self.error)
        return is_kind and (self.match is None or self.match in str(error))


def promise(
    identifier: str, *, stock: Breaks | tuple[Breaks, ...] | None
) -> Callable[[Callable[..., Awaitable[None]]], Callable[..., Awaitable[None]]]:
    """Mark an async test that takes `adapter` as (a part of) the proof of a promise.

    It runs once on each adapter. `stock=None` says that the stock adapter keeps this part too;
    `Breaks(...)` says how it fails, which is asserted, so that an upstream fix turns the test red;
    several of them are for a test whose parameters fail in several ways.
    """
    ways = stock if isinstance(stock, tuple) else (stock,)

    def decorate(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        assert "adapter" in inspect.signature(test).parameters, "a promise test takes `adapter`"

        @functools.wraps(test)
        async def run(**fixtures: Any) -> None:
            if ways == (None,) or fixtures["adapter"].name != "stock":
                await test(**fixtures)
                return
            try:
                await test(**fixtures)
            except BaseException as error:
                if not any(way is not None and way.explains(error) for way in ways):
                    raise
            else:
                pytest.fail(
                    f"the stock adapter keeps this part of {identifier} now: SQLSpec or psqlpy "
                    "was fixed. Say so in the guidance, and pass stock=None here."
                )

        return pytest.mark.promise(identifier, stock)(run)

    return decorate
