"""Proofs of SKILL.md."""

from __future__ import annotations

import ast
import inspect
import os
import shutil
import subprocess
import sys
import tomllib
import uuid
from pathlib import Path
from typing import Any

import pytest
from proveskill import proves
from proveskill.instrument import CHECKS, find_expectations, instrument
from proveskill.markdown import read_document
from proveskill.worker.checks import Checks, ExpectationFailed
from psqlpy.extra_types import PgVector
from sqlspec.adapters.psqlpy import PsqlpyConfig, PsqlpyDriver
from sqlspec.exceptions import SQLSpecError

ROOT = Path(__file__).parents[2]
SKILL = ROOT / "skills" / "sqlspec-psqlpy"
KEY = "7d444840-9dc0-11d1-b245-5ffdce74fad2"


@proves("Async only.")
async def test_there_is_no_synchronous_session(config: Any) -> None:
    with pytest.raises(TypeError, match="context manager protocol"), config.provide_session():
        pass
    for name in ("execute", "select", "select_value", "begin", "commit", "load_from_arrow"):
        assert not inspect.isgeneratorfunction(getattr(PsqlpyDriver, name))
    async with config.provide_session() as session:
        waiting = session.select_value("SELECT 42")
        assert inspect.isawaitable(waiting)
        assert await waiting == 42


def run_fence(source: str) -> None:
    """Run a fence of Python as the engine does."""
    expectations = find_expectations(source)
    tree = ast.parse(source)
    instrument(tree, expectations, keep_result=False)
    checks = Checks(expectations.values())
    exec(compile(tree, "fence", "exec"), {CHECKS: checks})
    checks.require_all_reached()


@proves("Every fence runs on a real server; `# ->` shows its value.")
def test_every_fence_runs_and_shows_its_value(dsn: str) -> None:
    """No fence is excused from running; and the engine refuses what is not the value."""
    files = [SKILL / "SKILL.md", *sorted((SKILL / "references").glob("*.md"))]
    fences = [
        fence
        for file in files
        for section in read_document(file, file.stem).sections
        for fence in section.snippets
    ]
    assert sum("# ->" in fence.source for fence in fences) > 100
    assert [fence.id for fence in fences if fence.not_run] == []
    ask = f"import psycopg\nwith psycopg.connect({dsn!r}) as connection:\n"
    ask += "    connection.execute('SELECT 40 + 2').fetchone()[0]  # -> {}\n"
    run_fence(ask.format(42))
    with pytest.raises(ExpectationFailed):
        run_fence(ask.format(43))


@proves(
    "One step brings it in (or `pip install` its wheel, `{wheel}`); then change the import:",
)
def test_the_drop_in_is_a_folder_to_copy(tmp_path: Path, wheel: str) -> None:
    """The copy is imported by a process that sees nothing else of the pack."""
    shutil.copytree(SKILL / "assets" / "psqlpy_adapter", tmp_path / "psqlpy_adapter")
    program = """
import asyncio, os, psqlpy_adapter
async def main():
    config = psqlpy_adapter.PsqlpyConfig(connection_config={"dsn": os.environ["DATABASE_URL"]})
    async with config.provide_session() as session:
        print(psqlpy_adapter.__file__, await session.select_value("SELECT 42"))
    await config.close_pool()
asyncio.run(main())
"""
    environment = {**os.environ, "PYTHONPATH": ""}
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stdout.split() == [str(tmp_path / "psqlpy_adapter" / "__init__.py"), "42"]
    package = tomllib.loads((ROOT / "examples" / "pyproject.toml").read_text())["project"]
    assert package["name"] == wheel


@proves(
    "From a statement's {run} run on, SQLSpec drops its casts and turns floats into `Decimal`: "
    "make the type final in Python.",
    adapter="stock",
)
async def test_the_second_run_of_a_statement_is_another(dsn: str, run: str) -> None:
    """What psqlpy is given is seen in what it takes: floats for float8, Decimals for numeric."""
    cases = {
        "SELECT owner FROM accounts WHERE id = $1::uuid": (KEY, [True, False, False]),
        "SELECT $1::float8 + 1": (1.5, [True, False, False]),
        "SELECT count(*) FROM products WHERE price = $1": (19.99, [False, True, True]),
        "SELECT owner FROM accounts WHERE id = $1": (uuid.UUID(KEY), [True, True, True]),
        "SELECT $1::vector::text": (PgVector([1, 2]), [True, True, True]),
    }
    for query, (value, wanted) in cases.items():
        config = PsqlpyConfig(connection_config={"dsn": dsn, "max_db_pool_size": 2})
        worked = []
        async with config.provide_session() as session:
            for _ in wanted:
                try:
                    await session.select(query, value)
                except SQLSpecError:
                    worked.append(False)
                else:
                    worked.append(True)
        await config.close_pool()
        assert worked == wanted
        changes = [number for number in (1, 2) if worked[number] != worked[number - 1]]
        assert {("first", "second", "third")[number] for number in changes} <= {run}


LOADS = """
import asyncio, faulthandler, os, sys, threading, time
import psqlpy, pyarrow as pa
from sqlspec.adapters.psqlpy import PsqlpyConfig

def watch():  # ends the process when no Python has run for a second
    while True:
        faulthandler.dump_traceback_later(1, exit=True, file=sys.stdout)
        time.sleep(0.05)

async def load(how, size, loads):
    config = PsqlpyConfig(connection_config={"dsn": os.environ["DATABASE_URL"]})
    texts = ["x" * 994] * (size // 1000)  # and 6 bytes of format a row
    async with config.provide_session() as session:
        await session.execute_script("CREATE TEMP TABLE loaded (name text)")
        threading.Thread(target=watch, daemon=True).start()
        for _ in range(loads):
            if how == "load_from_arrow":
                await session.load_from_arrow("loaded", pa.table({"name": texts}))
            elif how == "load_from_records":
                await session.load_from_records("loaded", [{"name": text} for text in texts])
            elif how == "copy_records_to_table":
                rows = [(text,) for text in texts]
                await session.connection.copy_records_to_table("loaded", rows, columns=["name"])
    os._exit(0)

children = {}
for how, size, loads in eval(sys.argv[1]):
    if not (child := os.fork()):
        asyncio.run(load(how, size, loads))
    children[child] = how, size
froze = []
for _ in list(children):
    child, status = os.wait()
    if status:
        froze.append(children[child])
print(sorted(froze), file=sys.stderr)
"""


@proves(
    "`{first}`, `{second}` and `{third}` can freeze the process from 512 KiB a call on: stay below "
    "400 kB.",
    adapter="stock",
)
def test_a_large_load_freezes_the_process(first: str, second: str, third: str) -> None:
    """A watchdog of C's ends the children that are frozen: no Python runs in them any more."""
    methods = [first, second, third]
    large = [(how, 20_000_000, 5) for how in methods]
    small = [(how, 400_000, 20) for how in methods]
    run = subprocess.run(
        [sys.executable, "-c", LOADS, repr(large + small)], capture_output=True, text=True
    )
    assert eval(run.stderr.splitlines()[-1]) == sorted((how, size) for how, size, _ in large)
    assert len(set(methods)) == 3
