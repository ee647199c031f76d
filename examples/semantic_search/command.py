"""What `python -m semantic_search` does."""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from local_server import LocalServerError, database_url
from program import STATUSES, failed, interrupts_raise, note, say
from psqlpy_adapter import PsqlpyConfig
from rich.console import Console
from rich.text import Text
from sqlspec.exceptions import (
    DatabaseConnectionError,
    ImproperConfigurationError,
    SQLSpecError,
)

from semantic_search.embedding import Model
from semantic_search.sections import Section, read_sections
from semantic_search.store import search, update

GUIDANCE = Path(__file__).resolve().parents[2] / "skills" / "sqlspec-psqlpy"
EPILOG = f"""\
DATABASE_URL names the database, which keeps the index for the next time; without it, a local
server is started for this run. Exit status: 0 answered, 1 the database refused something,
2 wrong arguments, 3 no server, {STATUSES}.
"""
FAILED, WRONG_ARGUMENTS, NO_SERVER = 1, 2, 3


def main() -> int:
    """Index the guidance and answer the questions; gives the exit status."""
    arguments = _arguments()
    try:
        interrupts_raise()
        sections = _sections(arguments.guidance)
        model = Model()
        with database_url() as url:
            asyncio.run(_run(url, sections, model, arguments))
    except (ImproperConfigurationError, ValueError, OSError) as error:
        return failed(error, WRONG_ARGUMENTS)
    except (LocalServerError, DatabaseConnectionError) as error:
        return failed(error, NO_SERVER)
    except SQLSpecError as error:
        return failed(error, FAILED)
    return 0


async def _run(
    url: str, sections: list[Section], model: Model, arguments: argparse.Namespace
) -> None:
    async def embed(texts: Sequence[str]) -> np.ndarray:
        note(f"embedding {len(texts)} sections")
        return await model.embed(texts)

    config = PsqlpyConfig(connection_config={"dsn": url, "max_db_pool_size": 2})
    try:
        async with config.provide_session() as session:
            started = time.perf_counter()
            change = await update(session, sections, embed)
            note(
                f"{len(sections)} sections of {arguments.guidance}: {change.new} new, "
                f"{change.gone} gone, in {time.perf_counter() - started:.1f} s"
            )
            for question in arguments.questions:
                (vector,) = await model.embed([question])
                _show(question, await search(session, vector, arguments.limit))
    finally:
        await config.close_pool()


def _show(question: str, rows: list[dict]) -> None:
    console = Console(highlight=False, soft_wrap=True)  # colours on a terminal only
    with console.capture() as shown:
        console.print(Text(f"\n{question}", style="bold"))
        for row in rows:
            place = (f"{row['file']}:{row['line']}", "cyan")
            console.print(
                Text.assemble(f"  {row['similarity']:.2f}  ", place, f"  {row['heading']}")
            )
    say(shown.get(), end="")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="semantic_search",
        description="Finds the sections of the guidance that answer a question, by meaning.",
        epilog=EPILOG,
    )
    add = parser.add_argument
    add("questions", nargs="*", metavar="QUESTION", help="none: only index")
    folder_help = "Markdown files to search (default: the skill of this project)"
    add("--guidance", type=Path, default=GUIDANCE, metavar="FOLDER", help=folder_help)
    add("--limit", type=int, default=3, metavar="N", help="answers (default: 3)")
    arguments = parser.parse_args()
    if arguments.limit < 1:
        parser.error(f"--limit {arguments.limit}: must be 1 or more")
    return arguments


def _sections(folder: Path) -> list[Section]:
    if not folder.is_dir():
        raise ValueError(f"--guidance {folder}: there is no such folder")
    sections = read_sections(folder)
    if not sections:
        raise ValueError(f"--guidance {folder}: no Markdown file in it has a ## heading")
    return sections
