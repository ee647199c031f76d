"""Executes Python fences of one section in one namespace and on one event loop."""

from __future__ import annotations

import inspect
import marshal
import sys
from collections.abc import Coroutine
from types import CodeType, FrameType, ModuleType
from typing import TYPE_CHECKING, Any

from proveskill.instrument import CHECKS
from proveskill.worker.checks import Checks, show_text
from proveskill.worker.fixtures import Fixtures
from proveskill.worker.requests import Request

if TYPE_CHECKING:
    import asyncio


class PythonRunner:
    """The ``__main__`` module of a section.

    The event loop lives as long as the section, so that a session opened by one fence can be
    awaited by the next. It runs only while a fence awaits: ``asyncio.run`` works in the others.
    """

    def __init__(self, fixture_module: ModuleType | None) -> None:
        self.module = ModuleType("__main__")
        sys.modules["__main__"] = self.module
        self.loop_runner: asyncio.Runner | None = None
        self.running: Any = None
        self.fixtures = Fixtures(fixture_module, self.run_coroutine)

    def run(self, request: Request, observed: list[tuple[int, str]]) -> str | None:
        """Execute a fence; return the text of its last expression's value, if it kept one.

        What its expectations see is added to ``observed``, by line of the fence.
        Raises whatever the fence raises, and
        :class:`proveskill.worker.checks.ExpectationFailed`.
        """
        namespace = vars(self.module)
        for name in request.fixtures:
            namespace[name] = self.fixtures.value(name)
        checks = Checks(request.expectations, observed)
        namespace[CHECKS] = checks
        code: CodeType = marshal.loads(request.code)
        if code.co_flags & inspect.CO_COROUTINE:
            self.run_coroutine(eval(code, namespace))
        else:
            exec(code, namespace)
        checks.require_all_reached()
        if checks.last_result is None:
            return None
        return show_text(repr(checks.last_result))

    def run_coroutine(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on the section's loop, which is made when first needed."""
        if self.loop_runner is None:
            import asyncio  # the pack's preparation has imported it if any fence awaits

            self.loop_runner = asyncio.Runner()
        self.running = coroutine
        return self.loop_runner.run(coroutine)

    def awaiting(self, filename: str) -> int | None:
        """Return the innermost line at which the running fence awaits something."""
        line, awaited = None, self.running
        while awaited is not None:
            frame = getattr(awaited, "cr_frame", None)
            if frame is not None and frame.f_code.co_filename == filename:
                line = frame.f_lineno
            awaited = getattr(awaited, "cr_await", None)
        return line

    def close(self) -> None:
        """Tear the fixtures down and close the loop. Raises what a fixture's teardown raises."""
        try:
            self.fixtures.close()
        finally:
            if self.loop_runner is not None:
                self.loop_runner.close()


def line_in(frame: FrameType | None, filename: str) -> int | None:
    """Return the line of the innermost frame that belongs to a file."""
    while frame is not None:
        if frame.f_code.co_filename == filename:
            return frame.f_lineno
        frame = frame.f_back
    return None
