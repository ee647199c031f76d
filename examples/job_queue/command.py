"""What `python -m job_queue` does."""

from __future__ import annotations

import argparse
import asyncio
import json
import os

from local_server import LocalServerError, database_url
from program import STATUSES, ending_signals, failed, interrupts_raise, say
from sqlspec.exceptions import (
    DatabaseConnectionError,
    ImproperConfigurationError,
    SQLSpecError,
)

from job_queue.demo import demonstrate
from job_queue.handlers import CREATE_DIGESTS, HANDLERS
from job_queue.queue import counts, create_tables, enqueue
from job_queue.worker import make_config, work

EPILOG = f"""\
DATABASE_URL names the database; without it, `demo` starts a local server and throws it away at the
end. `demo` empties the tables jobs, job_attempts and digests. Exit status: 0 all is well,
1 something is not, 2 wrong arguments, 3 no server, {STATUSES}.
"""
FAILED, WRONG_ARGUMENTS, NO_SERVER = 1, 2, 3


def main() -> int:
    """Run the command; gives the exit status."""
    arguments = _arguments()
    try:
        interrupts_raise()
        with database_url() as url:
            return asyncio.run(_run(url, arguments))
    except ImproperConfigurationError as error:
        return failed(error, WRONG_ARGUMENTS)
    except (LocalServerError, DatabaseConnectionError) as error:
        return failed(error, NO_SERVER)
    except (SQLSpecError, RuntimeError) as error:
        return failed(error, FAILED)


async def _run(url: str, arguments: argparse.Namespace) -> int:
    config = make_config(url, getattr(arguments, "name", arguments.command))
    stop = asyncio.Event()
    if arguments.command == "work":
        for number in ending_signals():
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        if arguments.command == "demo":
            is_well = await demonstrate(config, url, arguments.jobs, arguments.workers)
            return 0 if is_well else FAILED
        async with config.provide_session() as session:
            await create_tables(session)
            await session.execute(CREATE_DIGESTS)
            if arguments.command == "enqueue":
                await enqueue(session, arguments.kind, [arguments.payload] * arguments.count)
            if arguments.command == "status":
                for status, jobs in sorted((await counts(session)).items()):
                    say(f"{jobs:8} {status}")
        if arguments.command == "work":
            await work(config, arguments.name, stop)
    finally:
        await config.close_pool()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="job_queue", description="A job queue in PostgreSQL.", epilog=EPILOG
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo = commands.add_parser("demo", help="kill workers in the middle; nothing is lost")
    demo.add_argument("--jobs", type=_positive, default=300, metavar="N", help="default: 300")
    demo.add_argument("--workers", type=_at_least_two, default=3, metavar="N", help="default: 3")
    add = commands.add_parser("enqueue", help="add jobs")
    add.add_argument("kind", choices=HANDLERS)
    add.add_argument("payload", type=_payload, metavar="JSON", help='e.g. \'{"text": "abc"}\'')
    add.add_argument("--count", type=_positive, default=1, metavar="N", help="default: 1")
    worker = commands.add_parser("work", help="do jobs until Ctrl-C or SIGTERM")
    worker.add_argument("--name", default=f"worker-{os.getpid()}", help="default: worker-PID")
    commands.add_parser("status", help="count the jobs by status")
    arguments = parser.parse_args()
    if arguments.command != "demo" and not os.environ.get("DATABASE_URL"):
        parser.error(f"{arguments.command} needs DATABASE_URL; try `demo` without")
    return arguments


def _positive(text: str) -> int:
    return _number(text, 1)


def _at_least_two(text: str) -> int:
    return _number(text, 2)


def _number(text: str, least: int) -> int:
    if not text.isdigit() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of {least} or more")
    return int(text)


def _payload(text: str) -> dict:
    try:
        payload = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not JSON: {error}") from error
    if not isinstance(payload, dict) or not isinstance(payload.get("text"), str):
        raise argparse.ArgumentTypeError(f'{text!r} is not an object with a string "text"')
    return payload
