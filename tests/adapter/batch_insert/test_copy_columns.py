"""When an INSERT of parameters is a COPY, it fills the columns that the INSERT fills."""

from __future__ import annotations

import pytest
from sqlspec.exceptions import SQLSpecError


async def test_columns_are_found_by_the_names_that_the_statement_means(session, copied):
    table = '"S p"."T ""x"" t"'
    await session.execute_script(f"""
        CREATE SCHEMA "S p"; CREATE TABLE {table} (gone int, "A b" int, ß text, c text);
        ALTER TABLE {table} DROP gone;
    """)
    sets = [(n, "ß", "c") for n in range(20)]
    await session.execute_many(f'INSERT INTO {table} ("A b", ß, C) VALUES ($1, $2, $3)', sets)
    await session.execute_many(f"INSERT INTO {table} VALUES ($1, $2, $3)", sets)
    turned = [(c, n) for n, _, c in sets]
    await session.execute_many(f'INSERT INTO {table} (c, "A b") VALUES ($1, $2)', turned)
    assert copied == [20, 20, 20]
    counts = f'SELECT count("A b") AS n, count(ß) AS s, count(c) AS c FROM {table}'
    assert await session.select_one(counts) == {"n": 60, "s": 40, "c": 60}


async def test_defaults_and_sequences_number_the_rows_in_their_order(session, copied):
    await session.execute("""
        CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, n int, twice int GENERATED ALWAYS
            AS (n * 2) STORED, at timestamptz DEFAULT now(), note text DEFAULT 'none')
    """)
    await session.execute_many("INSERT INTO t (n) VALUES ($1)", [(n,) for n in range(20)])
    assert copied == [20]
    wrong = "SELECT count(*) FROM t WHERE (id, twice, note) <> (n + 1, n * 2, 'none') OR at IS NULL"
    assert await session.select_value(wrong) == 0


@pytest.mark.parametrize("column", ["id", "twice"])
async def test_a_column_that_the_server_fills_in_is_refused_as_by_an_insert(
    session, copied, column
):
    await session.execute("CREATE TABLE t (id int, twice int, n int)")
    insert = f"INSERT INTO t ({column}, n) VALUES ($1, $2)"
    sets = [(n, n) for n in range(20)]
    await session.execute_many(insert, sets)
    # The statement is known: the server is not asked again before it is sent.
    await session.execute_script("""
        DELETE FROM t; ALTER TABLE t ALTER id SET NOT NULL;
        ALTER TABLE t ALTER id ADD GENERATED ALWAYS AS IDENTITY;
        ALTER TABLE t DROP twice; ALTER TABLE t ADD twice int GENERATED ALWAYS AS (n * 2) STORED;
    """)
    with pytest.raises(SQLSpecError) as caught:
        await session.execute_many(insert, sets)
    assert caught.value.sqlstate == "428C9"
    assert await session.select_value("SELECT count(*) FROM t") == 0
    assert copied[0] == 20
    assert set(copied[1:]) <= {None}


async def test_a_column_of_another_type_since_the_last_batch_is_filled(session, copied):
    await session.execute("CREATE TABLE t (n int)")
    insert = "INSERT INTO t (n) VALUES ($1)"
    await session.execute_many(insert, [(n,) for n in range(20)])
    for type_ in ("bigint", "numeric", "text"):
        await session.execute(f"ALTER TABLE t ALTER n TYPE {type_}")
        number = "7" if type_ == "text" else 7
        await session.execute_many(insert, [(number,)] * 20)
    await session.execute("DROP TABLE t")
    await session.execute("CREATE TABLE t (other int, n int)")
    await session.execute_many(insert, [(n,) for n in range(20)])
    assert await session.select_value("SELECT count(n) FROM t") == 20


async def test_the_right_to_some_columns_is_enough(session, copied):
    await session.execute_script("""
        CREATE TABLE t (id int, secret int); CREATE ROLE writer;
        GRANT INSERT (id) ON t TO writer; SET ROLE writer
    """)
    try:
        for ending in (session.commit, session.rollback):
            await session.begin()
            await session.execute_many("INSERT INTO t (id) VALUES ($1)", [(1,)] * 20)
            await ending()
        assert copied == [None, None]
    finally:
        await session.execute_script("RESET ROLE; DROP OWNED BY writer; DROP ROLE writer")
    assert await session.select_value("SELECT count(*) FROM t") == 20
