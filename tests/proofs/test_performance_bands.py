"""Proofs of references/performance.md: its tables of times, as published and measured again."""

from __future__ import annotations

from performance_bands import ROWS, measures_about, published
from proveskill import proves


async def prove(dsn: str, work: str, *cells: str) -> None:
    """The cells are those of the published results, and measuring again gives about the same."""
    row = ROWS[work]
    assert [*cells] == row.cells(published()[0])
    await measures_about(dsn, row, cells)


@proves(
    "{work} | {raw} | {stock} | {drop_in} | {psycopg}",
    adapter="stock",
    table="Work | psqlpy | SQLSpec's adapter | the drop-in | psycopg",
)
async def test_a_query(dsn, work: str, raw: str, stock: str, drop_in: str, psycopg: str) -> None:
    await prove(dsn, work, raw, stock, drop_in, psycopg)


@proves("{work} | {drop_in} | {adbc}", adapter="stock", table="Arrow | the drop-in | ADBC")
async def test_arrow(dsn, work: str, drop_in: str, adbc: str) -> None:
    await prove(dsn, work, drop_in, adbc)


@proves(
    "Measured on {date} with PostgreSQL {postgresql}, sqlspec {sqlspec}, psqlpy {raw}, asyncpg "
    "{asyncpg}, psycopg {psycopg}, adbc-driver-postgresql {adbc}."
)
def test_where_the_numbers_come_from(
    date: str, postgresql: str, sqlspec: str, raw: str, asyncpg: str, psycopg: str, adbc: str
) -> None:
    about = published()[1]
    names = ("sqlspec", "psqlpy", "asyncpg", "psycopg", "adbc-driver-postgresql")
    versions = [about[f"bench_version_{name}"] for name in names]
    assert [sqlspec, raw, asyncpg, psycopg, adbc] == versions
    assert (date, postgresql) == (about["bench_date"][:10], about["bench_postgresql"])
    assert about["bench_mode"] == "full"


@proves(
    "The tables hold times as multiples of what asyncpg takes for the same work, so less is "
    "faster: the {low}th to the {high}th percentile of the rounds of one run."
)
def test_what_a_cell_is(low: int, high: int) -> None:
    results = published()[0]
    row = ROWS["one row by primary key, one after another"]
    own, base = results.find("point", "psqlpy", ""), results.find("point", "asyncpg", "")
    assert own is not None
    assert base is not None
    ordered = sorted(a / b for a, b in zip(own.samples, base.samples, strict=True))
    bounds = [ordered[round(share / 100 * (len(ordered) - 1))] for share in (low, high)]
    cell = [float(part) for part in row.cells(results)[0].split("-")]
    assert cell[0] <= bounds[0] < cell[0] + 0.1
    assert cell[1] - 0.1 < bounds[1] <= cell[1]
    assert (low, high) == (10, 90)


@proves("`{mark}` is not measured.")
def test_what_is_not_measured(mark: str) -> None:
    row = ROWS["open and close a connection"]
    assert row.ways[1] is None
    assert row.cells(published()[0])[1] == mark


@proves("Server and client had a core each, on one machine.")
def test_where_server_and_client_ran() -> None:
    assert published()[1]["bench_pinned"] == "server on core 1, client on [0]"
