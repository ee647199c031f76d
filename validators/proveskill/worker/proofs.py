"""Runs the proofs of one module, a case at a time, in a pytest session of their own.

The session is pytest's: fixtures, conftest, asyncio and assertion rewriting are as in any test.
Only its loop is ours: it runs the case that the pytest process asks for, and sends what came of it.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Generator
from json import loads
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import pytest

from proveskill.worker.counting import Counting
from proveskill.worker.requests import ENDED
from proveskill.worker.stated_values import convert_all

if TYPE_CHECKING:
    from proveskill.worker.process import Worker
    from proveskill.worker.requests import Request

# Parts of pytest that have nothing to do here, and cost time in every worker; the last two run
# five full garbage collections, which copy the pages that a worker shares with the fork server.
_UNUSED_PARTS = (
    *("terminal", "cacheprovider", "faulthandler", "doctest", "unittest", "pastebin", "junitxml"),
    *("stepwise", "legacypath", "setuponly", "setupplan"),
    *("threadexception", "unraisableexception"),
)

Describe = Callable[[BaseException, "Request"], dict[str, Any]]


def serve(worker: Worker, start: Request, fixtures: Any, describe: Describe) -> None:
    """Serve the requests that follow ``start``, until None; its source is JSON.

    ``cases``: function name -> key -> values; ``root``, ``folder`` (of the proofs) and ``cache``.
    """
    what = loads(start.source)
    session = ProofSession(worker, what["cases"], describe)
    session.request = start
    session.filename = start.filename
    options = [
        *("-c", os.devnull, f"--rootdir={what['root']}", f"--confcutdir={what['folder']}"),
        *("--disable-plugin-autoload", "-p", "pytest_asyncio.plugin", "-o", "asyncio_mode=auto"),
        *("-o", "asyncio_default_fixture_loop_scope=function", "--capture=no"),
        *(option for name in _UNUSED_PARTS for option in ("-p", f"no:{name}")),
        *("-o", "enable_assertion_pass_hook=true", f"--basetemp={Path.cwd()}/tmp"),
    ]
    # Code with the hook for asserts that pass must not be mixed up with what others compiled.
    # They go into a folder of the engine's own, so that nobody's wish to write none is broken.
    sys.pycache_prefix, sys.dont_write_bytecode = what["cache"], False
    # Collecting makes much that stays: nothing of it is garbage, and looking costs a tenth of it.
    gc.disable()
    pytest.raises = session.counting.watch(pytest.raises)
    plugins = [session, session.counting, *([] if fixtures is None else [fixtures])]
    status = pytest.main([*options, start.filename], plugins=plugins)
    if not session.is_over:
        session.answer(error=_wrong(ENDED, f"pytest ended with {status!r}", start))
        os._exit(1)


def _wrong(kind: str, message: str, request: Request) -> dict[str, Any]:
    return {
        "type": kind, "message": message, "line": request.first_line, "sqlstate": None, "values": {}
    }  # fmt: skip


class ProofSession:
    """A pytest plugin: makes a test item of each case, and runs them as they are asked for."""

    def __init__(
        self, worker: Worker, cases: dict[str, dict[str, dict[str, str]]], describe: Describe
    ) -> None:
        self._worker = worker
        self._cases = cases
        self._describe = describe
        self._items: dict[str, list[pytest.Item]] = {}
        self._unfit: dict[str, str] = {}
        """Cases whose values cannot be converted: key -> why."""
        self._done: dict[pytest.Item, dict[str, Any] | None] = {}
        self._collection_error: dict[str, Any] | None = None
        self._error: dict[str, Any] | None = None
        self._compared: tuple[Any, Any] | None = None
        self.counting = Counting()
        self.request: Request
        self.filename = ""
        self.writes_nothing = sys.dont_write_bytecode
        self.is_over = False

    def answer(self, error: dict[str, Any] | None, seconds: float = 0.0) -> None:
        """Say what became of the request."""
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        self._worker.send({"seconds": seconds, "result": None, "error": error})

    @pytest.hookimpl(tryfirst=True)
    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Pass over the other modules of the folder."""
        if collection_path.suffix == ".py" and str(collection_path) != self.filename:
            return True
        return None

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Give each case the values that its statements state."""
        rows: dict[str, dict[str, Any]] = {}
        for key, values in self._cases.get(metafunc.function.__name__, {}).items():
            try:
                rows[key] = convert_all(metafunc.function, values)
            except ValueError as error:
                self._unfit[key] = str(error)
        names = list(next(iter(rows.values()), {}))
        if names:
            table = [tuple(row[name] for name in names) for row in rows.values()]
            metafunc.parametrize(names, table, ids=list(rows))
        elif self._unfit:
            metafunc.parametrize([], [])

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Find the item of each case; what nobody asks for is dropped."""
        sys.pycache_prefix, sys.dont_write_bytecode = None, self.writes_nothing
        for item in items:
            name = getattr(item, "originalname", item.name)
            keys = self._cases.get(name, {})
            shown = item.name.removeprefix(name)
            for key in [key for key in keys if key in shown] or keys:
                self._items.setdefault(key, []).append(item)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note why the module cannot be collected."""
        if report.failed and self._collection_error is None:
            text = str(report.longrepr)
            message = "\n".join(
                [line[2:].strip() for line in text.splitlines() if line[:2] == "E "] or [text]
            )
            self._collection_error = _wrong("CannotCollect", message, self.request)

    def pytest_runtestloop(self) -> bool:
        """Answer requests until the other side says None."""
        gc.freeze()
        gc.enable()
        self.answer(self._collection_error)
        while (request := self._worker.receive()) is not None:
            self.request = self._worker.request = request
            started = perf_counter()
            error = self._run(*loads(request.source))
            self._worker.request = None
            self.answer(error, perf_counter() - started)
        self.is_over = True
        return True

    def _run(self, key: str, following: str | None) -> dict[str, Any] | None:
        if key in self._unfit:
            return _wrong("WrongValue", self._unfit[key], self.request)
        items = self._items.get(key)
        if not items:
            return self._collection_error or _wrong(
                "CannotCollect", "pytest does not collect this function", self.request
            )
        # A proof may be parametrized by its author besides: every run must hold.
        following_items = self._items.get(following, []) if following is not None else []
        for item, after in zip(items, [*items[1:], *following_items[:1], None], strict=False):
            if (error := self._outcome(item, after)) is not None:
                return error
        return None

    def _outcome(self, item: pytest.Item, following: pytest.Item | None) -> dict[str, Any] | None:
        if item in self._done:  # no values: it proves all its statements at once
            return self._done[item]
        self._error, self._compared, self.counting.asserted = None, None, 0
        # Without a next item, fixtures of wider scopes end too.
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if self._error is None and not self.counting.asserted:
            message = "the proof passed, but compared nothing: no assert and no pytest.raises ran"
            self._error = _wrong("AssertsNothing", message, self.request)
        self._done[item] = self._error
        return self._error

    def pytest_assertrepr_compare(self, left: object, right: object) -> None:
        """Keep what an assert compared that does not hold."""
        self._compared = left, right

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Describe the first thing that went wrong in set-up, call or teardown."""
        report = yield
        if self._error is None and call.excinfo is not None:
            error = self._describe(call.excinfo.value, self.request)
            if report.skipped:
                error["message"] = f"a proof that is skipped proves nothing: {error['message']}"
            elif isinstance(call.excinfo.value, AssertionError):
                error["values"] = self._observed(item) | error["values"]
            self._error = error
        return report

    def _observed(self, item: pytest.Item) -> dict[str, str]:
        """Return what was seen in place of a value that the text states."""
        stated = list(item.callspec.params.values()) if hasattr(item, "callspec") else []
        if self._compared is None:
            return {}
        left, right = self._compared
        is_left = [
            value is left or (type(value) is type(left) and value == left) for value in stated
        ]
        is_right = [
            value is right or (type(value) is type(right) and value == right) for value in stated
        ]
        if any(is_left) == any(is_right):
            return {}
        return {"observed": repr(right if any(is_left) else left)}
