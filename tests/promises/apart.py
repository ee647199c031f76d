"""Run the stock half of a test in a process of its own.

A cancellation, or a Rust panic, that passes through SQLSpec's compiled frames leaves
`sys.exc_info()` set in the interpreter (and sometimes ends it): whatever is run there afterwards
goes wrong, on both adapters.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import importlib.util
import inspect
import json
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

LIMIT = 60.0
"""Seconds until a child that does not end is killed."""

Test = Callable[..., Awaitable[None]]


def apart(test: Test) -> Test:
    """Mark an async test that takes `adapter` and `dsn`; to be placed below `@promise`.

    On the stock adapter its body runs in a child, and what it raises there is raised here again.
    The child knows the fixtures `adapter`, `dsn`, `config`, `session` and `observer`.
    """
    assert {"adapter", "dsn"} <= set(inspect.signature(test).parameters)

    @functools.wraps(test)
    async def run(**fixtures: Any) -> None:
        if fixtures["adapter"].name != "stock":
            await test(**fixtures)
            return
        outcome = await _in_child(inspect.getfile(test), test.__name__, fixtures["dsn"])
        if outcome is not None:
            raise _again(*outcome)

    run.body = test  # type: ignore[attr-defined]
    return run


def _again(module: str, name: str, text: str) -> BaseException:
    try:
        kind = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        # pytest's "did not raise", a Rust panic: classes that cannot be imported.
        return AssertionError(f"{name}: {text}")
    return kind(text)


async def _in_child(path: str, name: str, dsn: str) -> list[str] | None:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        __file__,
        path,
        name,
        dsn,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    try:
        output, _ = await asyncio.wait_for(child.communicate(), LIMIT)
    finally:
        if child.returncode is None:
            child.kill()
    # A child that died of the fault itself said nothing.
    return json.loads(output) if output else ["builtins", "SystemError", "the interpreter ended"]


async def _play(path: str, name: str, dsn: str) -> None:
    import sqlspec.adapters.psqlpy
    from harness import Adapter

    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    test = getattr(module, name).body
    adapter = Adapter("stock", sqlspec.adapters.psqlpy)
    config = adapter.config(connection_config={"dsn": dsn, "max_db_pool_size": 4})
    async with AsyncExitStack() as stack:
        fixtures: dict[str, Any] = {"adapter": adapter, "dsn": dsn, "config": config}
        wanted = inspect.signature(test).parameters
        for fixture in {"session", "observer"} & set(wanted):
            fixtures[fixture] = await stack.enter_async_context(config.provide_session())
        await test(**{fixture: fixtures[fixture] for fixture in wanted})


if __name__ == "__main__":
    answer = None
    try:
        asyncio.run(_play(*sys.argv[1:]))
    except BaseException as error:  # noqa: BLE001 - to be raised again in the parent
        answer = [type(error).__module__, type(error).__name__, str(error)]
    print(json.dumps(answer), flush=True)
    os._exit(0)  # psqlpy's threads can abort an interpreter that ends
