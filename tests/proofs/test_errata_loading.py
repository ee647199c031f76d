"""Proofs of references/errata.md: bulk loading."""

from __future__ import annotations

import pyarrow as pa
import pytest
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyConfig, PsqlpyDriver
from sqlspec.exceptions import UniqueViolationError
from watching_tools import seen
from wire_tools import Recorder, messages_of

KEPT = "SELECT id FROM errata_loaded ORDER BY id"


@pytest.fixture
async def loaded(session: PsqlpyDriver) -> PsqlpyDriver:
    """A session, and a table with the ids 1 and 2."""
    await session.execute_script(
        "DROP TABLE IF EXISTS errata_loaded; CREATE TABLE errata_loaded (id int8 PRIMARY KEY);"
        "INSERT INTO errata_loaded VALUES (1), (2)"
    )
    return session


@proves(
    "E8 | `{many}` sends one statement for all rows | the server executes it once a row, between "
    "a `{begin}` and a `{commit}` of its own",
    adapter="stock",
    table="claim | false | true",
)
async def test_a_batch_on_the_wire(
    dsn: str, loaded: PsqlpyDriver, many: str, begin: str, commit: str
) -> None:
    insert = "INSERT INTO errata_loaded (id) VALUES ($1)"
    async with Recorder.before(dsn) as recorder:
        keys = {"dsn": recorder.dsn(dsn), "max_db_pool_size": 2}
        config = PsqlpyConfig(connection_config=keys)
        async with config.provide_session() as session:
            await session.select_value("SELECT 1")
            rows = [(number,) for number in range(10, 15)]
            messages = await messages_of(recorder, getattr(session, many)(insert, rows))
        await config.close_pool()
    kinds = "".join(kind for kind, _ in messages)
    assert kinds.count("E") == len(rows)
    of_rows = slice(kinds.index("E"), kinds.rindex("E"))
    texts = [body.rstrip(b"\0").decode() for kind, body in messages if kind == "Q"]
    assert texts == [f"{begin}", f"{commit}"] or texts == [f"{begin};", f"{commit};"]
    assert "Q" not in kinds[of_rows]
    assert kinds.index("Q") < kinds.index("E") < kinds.rindex("E") < kinds.rindex("Q")
    assert len(seen(dsn, KEPT)) == 2 + len(rows)


@proves(
    "E13 | `overwrite={value}` is safe | a load that fails leaves {count} rows; inside "
    "`session.{block}()` the old rows stay",
    adapter="stock",
    table="claim | false | true",
)
async def test_a_failed_overwrite(
    dsn: str, loaded: PsqlpyDriver, value: bool, count: int, block: str
) -> None:
    twice = pa.table({"id": [7, 7]})

    async def in_block() -> None:
        async with getattr(loaded, block)():
            await loaded.load_from_arrow("errata_loaded", twice, overwrite=value)

    with pytest.raises(UniqueViolationError):
        await in_block()
    assert seen(dsn, KEPT) == [1, 2]
    with pytest.raises(UniqueViolationError):
        await loaded.load_from_arrow("errata_loaded", twice, overwrite=value)
    assert len(seen(dsn, KEPT)) == count


@proves(
    "G5 | `{many}` suits each bulk insert | inside a transaction it commits that transaction; "
    "`{function}` does not",
    adapter="stock",
    table="claim | false | true",
)
async def test_a_batch_in_a_transaction(
    dsn: str, loaded: PsqlpyDriver, many: str, function: str
) -> None:
    await loaded.begin()
    await loaded.execute(
        f"INSERT INTO errata_loaded SELECT * FROM {function}($1::int8[])", [[3, 4]]
    )
    assert seen(dsn, KEPT) == [1, 2]
    await loaded.rollback()
    assert seen(dsn, KEPT) == [1, 2]
    await loaded.begin()
    await loaded.execute("INSERT INTO errata_loaded VALUES (5)")
    await getattr(loaded, many)("INSERT INTO errata_loaded VALUES ($1)", [(6,), (7,)])
    assert seen(dsn, KEPT) == [1, 2, 5, 6, 7]
    await loaded.rollback()
    assert seen(dsn, KEPT) == [1, 2, 5, 6, 7]
