"""Proofs of references/psqlpy-direct.md: what psqlpy is, and what it says on the wire."""

from __future__ import annotations

from importlib.metadata import files, metadata
from pathlib import Path

import psqlpy
import pytest
from proveskill import proves
from wire_tools import Recorder, formats_of_parameters, messages_of


@proves("psqlpy is a PostgreSQL driver written in {language}, for {framework} only, and a {stage}:")
async def test_what_psqlpys_wheel_says_of_itself(
    config, language: str, framework: str, stage: str
) -> None:
    classifiers = [line.split(" :: ") for line in metadata("psqlpy").get_all("Classifier")]
    languages = {line[1] for line in classifiers if line[0] == "Programming Language"}
    assert languages - {"Python"} == {language}
    stages = [line[1] for line in classifiers if line[0] == "Development Status"]
    assert [name.rpartition(" - ")[2].lower() for name in stages] == [stage]
    frameworks = {line[1] for line in classifiers if line[0] == "Framework"}
    assert {name.lower() for name in frameworks} <= {framework}
    assert framework == "asyncio"
    compiled = [file.name for file in files("psqlpy") if file.suffix in (".so", ".pyd")]
    assert len(compiled) == 1
    with pytest.raises(TypeError, match="context manager protocol"), config.provide_session():
        pass


def names_of_threads() -> list[str]:
    return [path.read_text() for path in Path("/proc/self/task").glob("*/comm")]


@proves(
    "It runs on {runtime} and speaks PostgreSQL's {protocol} query protocol with {form} parameters."
)
async def test_threads_and_messages_of_a_query(dsn, runtime: str, protocol: str, form: str) -> None:
    async with Recorder.before(dsn) as recorder:
        connection = await psqlpy.connect(recorder.dsn(dsn))
        query = connection.fetch("SELECT $1::int + $2::int AS n", [1, 2])
        messages = await messages_of(recorder, query)
        connection.close()
    kinds = [kind for kind, _ in messages]
    is_extended = "Q" not in kinds and kinds.index("P") < kinds.index("B") < kinds.index("E")
    assert protocol == ("extended" if is_extended else "simple")
    formats = [formats_of_parameters(body) for kind, body in messages if kind == "B"][-1]
    assert {("text", "binary")[code] for code in formats} == {form}
    assert any(name.startswith(f"{runtime}-") for name in names_of_threads())


@proves(
    "A statement with a parameter list is prepared on the server and kept as long as the "
    "connection lives; `{keyword}={value}` keeps a one-off out of that list:"
)
async def test_prepared_statements_of_a_connection(dsn, keyword: str, value: bool) -> None:
    async def kept() -> list[str]:
        sql = "SELECT statement FROM pg_prepared_statements WHERE statement LIKE '% AS n'"
        listed = await connection.fetch(f"{sql} ORDER BY prepare_time")
        return [row["statement"].strip() for row in listed.result()]

    connection = await psqlpy.connect(dsn)
    for _ in range(2):
        await connection.fetch("SELECT $1::int AS n", [1])
        await connection.execute("SELECT $1::int + 1 AS n", [1])
        await connection.fetch("SELECT $1::int + 2 AS n", [1], **{keyword: value})
        await connection.fetch("SELECT 3 AS n")
    assert await kept() == ["SELECT $1::int AS n", "SELECT $1::int + 1 AS n"]
    for number in range(200):
        await connection.fetch(f"SELECT $1::int + {number} AS m", [1])
    assert len(await kept()) == 2
    connection.close()
    connection = await psqlpy.connect(dsn)
    assert await kept() == []
    connection.close()


@proves(
    "Other drivers, for comparison: asyncpg is {a} and {b}, not pure C; psycopg 3 is {c} with an "
    "optional {d} part."
)
def test_what_other_drivers_are_made_of(a: str, b: str, c: str, d: str) -> None:
    languages = {".pyx": "Cython", ".py": "Python", ".c": "C"}
    of_asyncpg = {languages.get(file.suffix) for file in files("asyncpg")} - {None}
    assert of_asyncpg == {a, b}
    assert {languages.get(file.suffix) for file in files("psycopg")} - {None} == {c}
    assert metadata("psycopg")["Version"].startswith("3.")
    assert d.lower() in metadata("psycopg").get_all("Provides-Extra")
    assert d == "C"
