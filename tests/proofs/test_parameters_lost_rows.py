"""Proofs of references/parameters.md: statements that lose their rows."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlglot
import sqlspec.exceptions
from proveskill import proves
from sqlglot.errors import ParseError, TokenError
from sqlspec.adapters.psqlpy import PsqlpyDriver
from sqlspec.exceptions import SQLParsingError, SQLSpecError
from version_tools import server_has, versions_needed

TIGHT = {  # text that loses its rows: the same with white space
    "SELECT id FROM users WHERE id IN ($1,$2)": "SELECT id FROM users WHERE id IN ($1, $2)",
    "SELECT $1::int+$2::int AS n": "SELECT $1::int + $2::int AS n",
    "SELECT int4mul($1,$2) AS n": "SELECT int4mul($1,\n$2) AS n",
    "SELECT ARRAY[$1::int,3,$2] AS n": "SELECT ARRAY[$1::int,3, $2] AS n",
    "SELECT ($1::int),$2::int AS n": "SELECT ($1::int), $2::int AS n",
    "SELECT $1*$2::int AS n": "SELECT $1*\n$2::int AS n",
}
UNREAD = [
    "SELECT 1_000 AS n", "SELECT id FROM users ORDER BY age USING >", "SELECT @ -5 AS n",
]  # fmt: skip
PATTERN = r"\$[0-9]+[^\s]*\$[0-9]"
"""That of the search in the text."""


@proves(
    "Write `{right}`.",
    "`{wrong}` loses rows: sqlglot, which SQLSpec parses with, takes `{tag}` for a dollar-quote"
    " tag.",
    "The statement still runs, its rows are thrown away, and nothing is raised.",
    adapter="stock",
)
async def test_no_space_loses_rows(session: PsqlpyDriver, right: str, wrong: str, tag: str) -> None:
    sql = "INSERT INTO tight (a, b) VALUES ({}) RETURNING a"
    await session.execute("CREATE TEMP TABLE tight (a int, b int)")
    lost = await session.execute(sql.format(wrong), 1, 2)
    assert lost.all() == []
    assert lost.rows_affected == 0
    assert await session.select("SELECT a, b FROM tight") == [{"a": 1, "b": 2}]
    kept = await session.execute(sql.format(right), 3, 4)
    assert kept.all() == [{"a": 3}]
    await session.execute("DROP TABLE tight")
    quoted = sqlglot.tokenize(f"SELECT {tag}it{tag}", read="postgres")[1]
    assert (quoted.token_type.name, quoted.text) == ("HEREDOC_STRING", "it")
    assert wrong.startswith(tag)
    with pytest.raises(TokenError):
        sqlglot.parse_one(f"SELECT f({wrong})", read="postgres")


@proves(
    "It is not only the comma: any two `$n` without white space between them do it.",
    "The cure is a space or a line break.",
    "Search the whole code base, SQL in Python included, for the pattern:",
    adapter="stock",
)
async def test_white_space_is_the_cure(session: PsqlpyDriver) -> None:
    for tight, spaced in TIGHT.items():
        assert await session.select(tight, 1, 2) == []
        assert len(await session.select(spaced, 1, 2)) == (2 if "users" in spaced else 1)
        assert re.search(PATTERN, f'await session.select("{tight}", 1, 2)')
        assert not re.search(PATTERN, spaced)


@proves(
    "In the other styles the missing space is at least an error of the server.", adapter="stock"
)
async def test_other_styles_fail_without_a_space(session: PsqlpyDriver) -> None:
    for pair in ("?,?", "%s,%s", ":1,:2", ":a,:b", "@a,@b", "$a,$b", "%(a)s,%(b)s"):
        values: Any = {"a": 1, "b": 2} if "a" in pair else (1, 2)
        with pytest.raises(SQLSpecError, match="db error: ERROR"):
            await session.select(f"SELECT id FROM users WHERE id IN ({pair})", values)
        spaced = f"SELECT id FROM users WHERE id IN ({pair.replace(',', ', ')})"
        assert len(await session.select(spaced, values)) == 2


@proves(
    "On the drop-in no spelling loses rows.",
    "With `dropin`, a session of the drop-in, the same code is right:",
)
async def test_the_dropin_loses_no_rows(dropin: Any) -> None:
    for tight, spaced in TIGHT.items():
        found = await dropin.select(tight, 1, 2)
        assert found
        assert found == await dropin.select(spaced, 1, 2)
    for sql in (*UNREAD, "SELECT pg_sleep(0), 1 AS n"):
        assert len(await dropin.select(sql)) == (3 if "users" in sql else 1)


@proves(
    "`{pair}` is one case of a rule: when sqlglot cannot parse a statement, SQLSpec sends it all"
    " the same and drops its rows.",
    "Write such a statement in another way, or go to psqlpy itself.",
    "There the parameters are one list, and `.{method}()` gives the dicts.",
    adapter="stock",
)
async def test_what_sqlglot_cannot_parse(session: PsqlpyDriver, pair: str, method: str) -> None:
    fetch = session.connection.fetch
    for sql in (*UNREAD, f"SELECT int4mul({pair}) AS n"):
        values = [3, 4] if pair in sql else []
        with pytest.raises((ParseError, TokenError)):
            sqlglot.parse_one(sql, read="postgres")
        assert await session.select(sql, *values) == []
        rows = getattr(await fetch(sql, values), method)()
        assert rows
        assert all(type(row) is dict for row in rows)
        if "age" in sql:
            assert await session.select("SELECT id FROM users ORDER BY age DESC") == rows
    await session.execute("CREATE SEQUENCE runs")
    assert await session.select("SELECT nextval('runs') + 1_000 AS n") == []
    assert await session.select_value("SELECT last_value FROM runs") == 1
    assert await session.select_value("SELECT is_called FROM runs") is True
    await session.execute("DROP SEQUENCE runs")


@proves(
    "Valid PostgreSQL that this hits (`{newer}` needs {server} {version}):",
    adapter="stock",
)
async def test_valid_statements_that_are_hit(
    session: PsqlpyDriver, newer: str, server: str, version: str
) -> None:
    assert version in versions_needed(server)
    timed = f"SELECT now() {newer} AS n"
    with pytest.raises((ParseError, TokenError)):
        sqlglot.parse_one(timed, read="postgres")
    valid = [*UNREAD, timed] if await server_has(session, version) else UNREAD
    for sql in valid:
        assert (await session.connection.fetch(sql)).result()
        assert await session.select(sql) == []
    if timed not in valid:
        with pytest.raises(SQLSpecError, match="syntax error"):
            await session.select(timed)


@proves(
    "Each method shows it in its own way, none as a parse error:",
    "The mark is `{mark}`: it is `'{bad}'` instead of `'{good}'`.",
    "Check your queries for it in a test:",
    adapter="stock",
)
async def test_the_mark_of_a_statement_that_is_not_read(
    session: PsqlpyDriver, mark: str, bad: str, good: str
) -> None:
    for sql in UNREAD:
        for method in (session.select_value, session.select_one):
            with pytest.raises(SQLSpecError) as raised:
                await method(sql)
            assert raised.type is sqlspec.exceptions.NotFoundError
            assert not issubclass(raised.type, SQLParsingError)
        assert await session.select_one_or_none(sql) is None
        assert (await session.select_to_arrow(sql)).get_data().num_rows == 0
        assert getattr(await session.execute(sql), mark) == bad
    assert getattr(await session.execute("SELECT 1000 AS n"), mark) == good


@proves("A result that has a column of type `{kind}` is dropped too:", adapter="stock")
async def test_a_column_of_no_type_drops_the_result(session: PsqlpyDriver, kind: str) -> None:
    assert await session.select_value("SELECT pg_typeof(pg_sleep(0))::text") == kind
    assert await session.select("SELECT pg_sleep(0), 1 AS n") == []
    assert await session.select("SELECT 1 AS n FROM pg_sleep(0)") == [{"n": 1}]
