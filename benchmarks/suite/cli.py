"""The command line of the suite."""

from __future__ import annotations

import argparse
import asyncio
import datetime
import re
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import uvloop
from proveskill.servers import ServerError, Servers, ServerSpec

from suite import machine, store
from suite.contenders import CONTENDERS
from suite.groups import groups
from suite.regimes import Sizes
from suite.runner import Plan, Runner

RESULTS = Path(__file__).parents[1] / "results" / "latest.json"
LOOPS: dict[str, Callable[[], Any] | None] = {"asyncio": None, "uvloop": uvloop.new_event_loop}


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="benchmarks/run.py",
        description="Measure psqlpy, adapters and other drivers side by side, in one run.",
        epilog="Without --loop all is measured on asyncio, and what matters on uvloop as well. "
        "Read the results with benchmarks/report.py, or with: python -m pyperf stats FILE.",
    )
    defaults = Sizes()
    add = parser.add_argument
    add("--quick", action="store_true", help="smaller loads and fewer rounds: two minutes")
    add("--rounds", type=int, help=f"samples of most regimes ({defaults.rounds}); loads have less")
    add("--rows", type=int, help=f"of large loads and reads ({defaults.rows:,})")
    add("--rows-wide", type=int, help=f"of loads with 20 columns ({defaults.rows_wide:,})")
    add("--rows-vector", type=int, help=f"of loads of vectors ({defaults.rows_vector:,})")
    add("--only", type=re.compile, default=re.compile(""), metavar="REGEX", help="regimes")
    add("--contender", type=re.compile, default=re.compile(""), metavar="REGEX", help="contenders")
    add("--loop", choices=LOOPS, help="measure all of it on this event loop alone")
    add("--no-pin", action="store_true", help="do not give the server a core of its own")
    add("--server", default="embedded", help="as `proveskill --server`; default: a throw-away one")
    add("--json", type=Path, default=RESULTS, metavar="FILE", help="results (%(default)s)")
    add("--list", action="store_true", help="list regimes and contenders")
    return parser.parse_args(arguments)


def sizes_of(options: argparse.Namespace) -> Sizes:
    """The defaults, with what was given."""
    named = ("rounds", "rows", "rows_wide", "rows_vector")
    given = {name: getattr(options, name) for name in named if getattr(options, name) is not None}
    return replace(Sizes.quick() if options.quick else Sizes(), **given)


def show_all(sizes: Sizes) -> None:
    """Print what can be asked for."""
    for group in groups(sizes):
        print(group.name)
        for regime in group.regimes:
            print(f"  {regime.key:<24}{regime.title}")
    print("Contenders: " + ", ".join(kind.name for kind in CONTENDERS))


async def about_server(url: str, core: int | None) -> dict[str, str]:
    """The server's versions; its processes are put on a core when one is given."""
    connection = await asyncpg.connect(url)
    try:
        if core is not None:
            machine.pin_server(connection.get_server_pid(), core)
        installed = "SELECT extversion FROM pg_extension WHERE extname = 'vector'"
        return {
            "postgresql": await connection.fetchval("SHOW server_version"),
            "pgvector_server": str(await connection.fetchval(installed)),
        }
    finally:
        await connection.close()


def start(servers: Servers, options: argparse.Namespace) -> tuple[dict[str, str], int | None]:
    """Start the server, put it and this process on their cores.

    Gives what is known of both, and the core of the server.
    """
    url = servers.create_database().url
    cores = None
    if not options.no_pin and options.server == "embedded":
        cores = machine.split_cores()
    try:
        server = asyncio.run(about_server(url, cores[0] if cores else None))
    except (psutil.Error, OSError) as error:
        print(f"not pinned: {error!r}", file=sys.stderr)
        cores = None
        server = asyncio.run(about_server(url, None))
    if cores:
        machine.pin_client(cores[1])
        server["pinned"] = f"server on core {cores[0]}, client on {sorted(cores[1])}"
    else:
        server["pinned"] = "no"
    return server, cores[0] if cores else None


def teller() -> Callable[[str], None]:
    """Progress on stderr: one line that changes on a terminal, else a line for each group."""
    is_terminal = sys.stderr.isatty()

    def tell(text: str) -> None:
        if is_terminal:
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
        elif text.endswith("preparing"):
            print(text.removesuffix(": preparing"), file=sys.stderr, flush=True)

    return tell


def measure(servers: Servers, options: argparse.Namespace) -> int:
    """Measure, and write the results; return the exit status."""
    began = datetime.datetime.now(datetime.UTC)
    sizes = sizes_of(options)
    known, core = start(servers, options)
    about: dict[str, Any] = {
        "date": began.isoformat(timespec="seconds"),
        "mode": "quick" if options.quick else "full",
        "rows": sizes.rows,
        "rows_wide": sizes.rows_wide,
        "rows_vector": sizes.rows_vector,
        "rounds": sizes.rounds,
        "server": servers.describe()["server"],
        **known,
        **{f"version_{name}": found for name, found in machine.versions().items()},
    }
    every = groups(sizes)
    plan = Plan(sizes, options.only, options.contender, relay_core=core)
    tell = teller()
    runner = Runner(plan, servers, tell)
    for loop, factory in LOOPS.items():
        if options.loop is None:
            chosen = [g for g in every if loop == "asyncio" or g.on_other_loop]
        else:
            chosen = list(every) if loop == options.loop else []
        with asyncio.Runner(loop_factory=factory) as event_loop:
            event_loop.run(runner.run(loop, chosen))
    tell("")
    if not any(line.samples for line in runner.lines):
        print("error: nothing was measured; --list shows what there is", file=sys.stderr)
        return 2
    store.write(options.json, runner.lines, about)
    seconds = (datetime.datetime.now(datetime.UTC) - began).total_seconds()
    print(f"{len(runner.lines)} lines in {seconds:.0f} s: {options.json}", file=sys.stderr)
    for problem in runner.problems:
        print(f"failed: {problem}", file=sys.stderr)
    return 1 if runner.problems else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suite; return the exit status."""
    options = parse(arguments)
    if options.list:
        show_all(sizes_of(options))
        return 0
    # SIGTERM ends as Ctrl-C does: through the server's end.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with Servers(ServerSpec(options.server, extensions=("vector",))) as servers:
            return measure(servers, options)
    except ServerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        return 130
