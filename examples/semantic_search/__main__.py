"""The command `python -m semantic_search`."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from local_server import LocalServerError, database_url
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
EPILOG = """\
DATABASE_URL names the database, which keeps the index for the next time; without it, a local
server is started for this run. Exit status: 0 answered, 1 the database refused something,
2 wrong arguments, 3 no server.
"""
FAILED, WRONG_ARGUMENTS, NO_SERVER, INTERRUPTED = 1, 2, 3, 130


def main() -> int:
    """Index the guidance and answer the questions; gives the exit status."""
    arguments = _arguments()
    try:
        sections = _sections(arguments.guidance)
        model = Model()
        with database_url() as url:
            asyncio.run(_run(url, sections, model, arguments))
    except (ImproperConfigurationError, ValueError, OSError) as error:
        return _failed(error, WRONG_ARGUMENTS)
    except (LocalServerError, DatabaseConnectionError) as error:
        return _failed(error, NO_SERVER)
    except SQLSpecError as error:
        return _failed(error, FAILED)
    except KeyboardInterrupt:
        return _failed("interrupted", INTERRUPTED)
    return 0


async def _run(
    url: str, sections: list[Section], model: Model, arguments: argparse.Namespace
) -> None:
    def embed(texts: Sequence[str]) -> np.ndarray:
        print(f"embedding {len(texts)} sections", file=sys.stderr)
        return model.embed(texts)

    config = PsqlpyConfig(connection_config={"dsn": url, "max_db_pool_size": 2})
    try:
        async with config.provide_session() as session:
            started = time.perf_counter()
            change = await update(session, sections, embed)
            print(
                f"{len(sections)} sections of {arguments.guidance}: {change.new} new, "
                f"{change.gone} gone, in {time.perf_counter() - started:.1f} s",
                file=sys.stderr,
            )
            for question in arguments.questions:
                vector = model.embed([question])[0]
                _show(question, await search(session, vector, arguments.limit))
    finally:
        await config.close_pool()


def _show(question: str, rows: list[dict]) -> None:
    console = Console(highlight=False, soft_wrap=True)  # colours on a terminal only
    console.print(Text(f"\n{question}", style="bold"))
    for row in rows:
        place = f"{row['file']}:{row['line']}"
        console.print(
            Text.assemble(f"  {row['similarity']:.2f}  ", (place, "cyan"), f"  {row['heading']}")
        )


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


def _failed(error: object, status: int) -> int:
    print(f"error: {error}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
