"""What `python -m bulk_loader` does."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local_server import LocalServerError, database_url
from program import INTERRUPTED, STATUSES, failed, interrupts_raise, say
from psqlpy_adapter import PsqlpyConfig, PsqlpyDriver
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from sqlspec.exceptions import (
    DatabaseConnectionError,
    ImproperConfigurationError,
    SQLSpecError,
)
from sqlspec.utils.text import quote_identifier

from bulk_loader.source import SAMPLE_KEY, FileError, ParquetSource, make_sample
from bulk_loader.tables import TableError, check_key, create_table

EPILOG = f"""\
Everything is loaded, or nothing: after an error or Ctrl-C the table holds what it held before.
Of rows of the file that have the same key, the last one wins. DATABASE_URL names the database;
without it, a local server is started, and thrown away at the end. Exit status: 0 loaded,
1 the table does not take the rows, 2 wrong arguments or file, 3 no server, {STATUSES};
with 4 and 141 the rows are loaded.
"""
HINTS = {
    "42P01": "create the table, or give --create --key COLUMNS",
    "42P10": "give with --key the columns of a unique index of the table",
}
"""What to do about an error of the server, by its SQLSTATE."""
LOCK = "SELECT pg_advisory_xact_lock(hashtext($1))"
REFUSED, WRONG_ARGUMENTS, NO_SERVER = 1, 2, 3


@dataclass
class Load:
    """How far a load has come."""

    is_committed: bool = False


def main() -> int:
    """Load the file; gives the exit status."""
    arguments = _arguments()
    load = Load()
    try:
        interrupts_raise()
        with _file(arguments) as path, database_url() as url:
            report = asyncio.run(_run(url, path, arguments, load))
            say(report, after="the rows are loaded, but ")
    except (FileError, TableError, ImproperConfigurationError) as error:
        return failed(error, WRONG_ARGUMENTS)
    except (LocalServerError, DatabaseConnectionError) as error:
        return failed(error, NO_SERVER)
    except SQLSpecError as error:
        hint = HINTS.get(getattr(error, "sqlstate", None))
        return failed(f"{error}; {hint}" if hint else error, REFUSED)
    except KeyboardInterrupt:
        loaded = "the rows are loaded" if load.is_committed else "nothing of the file was loaded"
        return failed(f"interrupted; {loaded}", INTERRUPTED)
    return 0


async def _run(url: str, path: Path, arguments: argparse.Namespace, load: Load) -> str:
    """Load the file; gives what there is to tell of it."""
    source = ParquetSource(path)
    check_key(source.schema, arguments.key)
    create = None
    if arguments.create:
        create = create_table(arguments.table, source.schema, arguments.key)
    config = PsqlpyConfig(connection_config={"dsn": url, "max_db_pool_size": 2})
    try:
        async with config.provide_session() as session:
            started = time.perf_counter()
            async with session.transaction():
                if create:
                    # Two programs that create the same table would get in each other's way.
                    await session.execute(LOCK, arguments.table)
                    await session.execute(create)
                written = await _load(session, source, arguments)
            load.is_committed = True
            seconds = time.perf_counter() - started
    finally:
        await config.close_pool()
        source.close()
    return (
        f"{path.name}: {source.rows:,} rows read, {written:,} written to {arguments.shown_table} "
        f"in {seconds:.1f} s ({source.rows / seconds:,.0f} rows/s)"
    )


async def _load(session: PsqlpyDriver, source: ParquetSource, arguments: argparse.Namespace) -> int:
    """Load and give the rows that were inserted or updated. SQLSpecError."""
    action = arguments.on_conflict
    with _progress_bar() as progress:
        task = progress.add_task("sending", total=source.rows)

        def show(rows: int, _total: int | None) -> None:
            # When all rows are sent, the server moves them from the staging table.
            phase = "writing" if rows == source.rows else "sending"
            progress.update(task, completed=rows, description=phase)

        job = await session.load_from_arrow(
            arguments.table,
            source.reader(),
            on_conflict=(action, arguments.key) if arguments.key else action,
            progress=show,
        )
    return job.telemetry["extra"]["rows_written"]


def _progress_bar() -> Progress:
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, disable=not console.is_terminal)


@contextmanager
def _file(arguments: argparse.Namespace) -> Iterator[Path]:
    """The file to load; a sample without a name is removed at the end."""
    if arguments.make_sample is None:
        yield arguments.file
        return
    with tempfile.TemporaryDirectory(prefix="bulk-loader-") as folder:
        path = arguments.file or Path(folder) / "sample.parquet"
        make_sample(path, arguments.make_sample)
        yield path


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bulk_loader",
        description="Loads a Parquet file into a table by COPY; rows whose key exists are updated.",
        epilog=EPILOG,
    )
    add = parser.add_argument
    add("file", nargs="?", type=Path, metavar="FILE", help="the Parquet file")
    add("--table", help="default: the name of the file, without its ending")
    key_help = "unique columns, with commas (default: the primary key)"
    add("--key", type=_names, default=[], metavar="COLUMNS", help=key_help)
    conflict_help = "what to do with a row whose key exists (default: update)"
    add("--on-conflict", choices=("update", "nothing"), default="update", help=conflict_help)
    create_help = "create the table if it is not there, with --key as its primary key"
    add("--create", action="store_true", help=create_help)
    sample_help = "first write FILE, or a temporary file, with sample rows"
    add("--make-sample", type=int, metavar="ROWS", help=sample_help)
    arguments = parser.parse_args()
    if arguments.make_sample is not None:
        if arguments.make_sample < 1:
            parser.error(f"--make-sample {arguments.make_sample}: must be 1 or more")
        arguments.create = True
        arguments.key = arguments.key or [SAMPLE_KEY]
    elif arguments.file is None:
        parser.error("name a FILE, or try --make-sample 1000000")
    if arguments.create and not arguments.key:
        parser.error("--create needs --key, the columns of the primary key")
    arguments.shown_table = arguments.table
    if arguments.table is None:
        arguments.shown_table = arguments.file.stem if arguments.file else "sample"
        # One name: in my.data.parquet, "my" is no schema.
        arguments.table = quote_identifier(arguments.shown_table)
    return arguments


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]
