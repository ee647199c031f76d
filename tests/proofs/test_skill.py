"""Proofs of SKILL.md."""

from __future__ import annotations

import ast
import inspect
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
from version_tools import has, versions_needed

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


@proves("Error texts are those of {package} {version}.", adapter="stock")
async def test_whose_error_texts_they_are(session: Any, package: str, version: str) -> None:
    """The guidance quotes none of those that releases before it had."""
    assert version in versions_needed(package)
    with pytest.raises(TypeError) as raised:
        await session.select("SELECT $1::text", (5,))
    here = "is not an instance of" if has(package, version) else "cannot be converted to"
    assert here in str(raised.value)
    texts = [file.read_text(encoding="utf-8") for file in SKILL.rglob("*.md")]
    assert any("is not an instance of" in text for text in texts)
    assert not any("cannot be converted to" in text for text in texts)


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
