"""Proofs of references/troubleshooting.md: processes that freeze, and that abort at their end."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys

import psqlpy_adapter.leaving
from best_practices_tools import run_apart
from proveskill import proves

LOADS = """
import asyncio, faulthandler, os, sys
import psqlpy, pyarrow as pa
from sqlspec.adapters.psqlpy import PsqlpyConfig

async def load(how, rows, width, times):
    config = PsqlpyConfig(connection_config={"dsn": sys.argv[1]})
    texts = ["x" * width] * rows  # and 6 bytes of format a row
    async with config.provide_session() as session:
        await session.execute_script("CREATE TEMP TABLE loaded (name text)")
        for _ in range(times):
            faulthandler.dump_traceback_later(1, exit=True)
            if how == "load_from_arrow":
                await session.load_from_arrow("loaded", pa.table({"name": texts}))
            elif how == "load_from_records":
                await session.load_from_records("loaded", [{"name": text} for text in texts])
            elif how == "copy_records_to_table":
                records = [(text,) for text in texts]
                await session.connection.copy_records_to_table("loaded", records, columns=["name"])
    os._exit(0)

children = {}
for job in eval(sys.argv[2]):
    if not (child := os.fork()):
        asyncio.run(load(*job))
    children[child] = job[:3]
froze = []
for _ in list(children):
    child, status = os.wait()
    if status:
        froze.append(children[child])
print(sorted(froze))
"""


@proves(
    "`{first}`, `{second}` and `{third}` can deadlock on the GIL when one call encodes to 512 KiB "
    "or more.",
    "Cure: keep each call below 400 kB.",
    "The bytes count, not the rows: 2,600 rows of 200 characters can freeze, 2,600 of 100 cannot.",
    adapter="stock",
)
def test_which_loads_freeze(dsn, first: str, second: str, third: str):
    """A watchdog of C's ends the children that are frozen: no Python runs in them any more."""
    methods = [first, second, third]
    large = [(how, 20_000, 994, 20) for how in methods]
    small = [(how, 400, 994, 20) for how in methods]
    wide = ("copy_records_to_table", 2_600, 200, 1_500)  # 535,600 bytes: 512 KiB are 524,288
    narrow = ("copy_records_to_table", 2_600, 100, 50)
    run = run_apart(LOADS, dsn, [*large, *small, wide, narrow])
    assert run.stdout.strip() == str(sorted(job[:3] for job in [*large, wide]))
    assert len(set(methods)) == 3


FROZEN = """
import asyncio, faulthandler, os, signal, sys, threading, time
import psqlpy

signal.signal(signal.SIGUSR1, lambda *_: os.write(1, b"handled"))

def beat():
    while True:
        faulthandler.dump_traceback_later(2, exit=True)
        os.write(1, b".")
        time.sleep(0.02)

async def main():
    connection = await psqlpy.connect(sys.argv[1])
    await connection.execute("CREATE TEMP TABLE copied (t text)")
    rows = [("x" * 994,)] * 20_000
    threading.Thread(target=beat, daemon=True).start()
    while True:
        async with asyncio.timeout(0.5):
            await connection.copy_records_to_table("copied", rows, columns=["t"])

asyncio.run(main())
"""


def heard(child, seconds):
    """What a child writes within some time."""
    return (
        os.read(child.stdout.fileno(), 9_999)
        if select.select([child.stdout], [], [], seconds)[0]
        else b""
    )


@proves(
    "No Python timeout, signal handler or thread runs then, and Ctrl-C is dead; the C watchdog of "
    "`faulthandler` still shows where the process stands, and ends it.",
    "the process is frozen, Ctrl-C is dead | End a frozen process",
    table="You see | Section",
)
def test_what_still_runs_in_a_frozen_process(dsn):
    child = subprocess.Popen(
        [sys.executable, "-c", FROZEN, dsn], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    while heard(child, 0.7):
        assert child.poll() is None
    child.send_signal(signal.SIGUSR1)
    child.send_signal(signal.SIGINT)
    assert heard(child, 0.4) == b""
    assert child.poll() is None
    _, error = child.communicate(timeout=10)
    assert child.returncode == 1
    assert error.startswith(b"Timeout (0:00:02)!")
    assert b"in main" in error


ENDS = """
import asyncio, atexit, mmap, os, resource, runpy, sys, threading

resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
dsn, cure, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])
if cure.endswith(".py"):
    runpy.run_path(cure)
import psqlpy

async def main():
    connection = await psqlpy.connect(dsn)
    await connection.fetch("SELECT 1")
    if cure == "sleep":
        await asyncio.sleep(0.1)

def look():  # without a call that lets other threads run
    seen[:2] = b"1" + (b"1" if len(sys._current_frames()) > threading.active_count() else b"0")

seen, enough = mmap.mmap(-1, 2), 2 if cure.endswith(".py") else runs
last = {"none": (-6,), "chance": (0,)}.get(cure, range(-64, 0))
for _ in range(runs):
    seen[:2] = b"00"
    if not (child := os.fork()):
        atexit.register(look)
        if cure != "chance":
            sys.setswitchinterval(10)
        asyncio.new_event_loop().run_until_complete(main())
        break
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print("done" if seen[:1] == b"1" else "failed", seen[1:] == b"1", status)
    enough -= seen[1:] == b"1"
    if status in last or not enough:
        break
"""


def ends(dsn, cure, runs):
    """How programs end that run one after another, up to one that ends as it is looked for.

    For each: whether its work was done, whether a thread was inside of Python at its end that
    Python did not start, and its exit status. With a cure, two such threads are enough.
    """
    run = run_apart(ENDS, dsn, cure, runs)
    return [tuple(line.split()) for line in run.stdout.splitlines()], run.stderr


@proves(
    "A program whose last await was a query can abort after its work: `{message}`, exit status "
    "{status}.",
    "A thread of psqlpy that hands over a result is still inside Python when the interpreter ends.",
    "It is a race: the same program can end well, and `sys.setswitchinterval(10)` before it makes "
    "the fault visible.",
    "Give the threads a moment at the end of the program:",
    "`{word}`, exit status {shell} or {python} after the work was done | End a program that aborts "
    "at its end",
    adapter="stock",
    table="You see | Section",
)
def test_programs_that_abort_at_their_end(
    dsn, message: str, status: int, word: str, shell: int, python: int
):
    found, errors = ends(dsn, "none", 300)
    assert found[-1] == ("done", "True", str(128 - status))
    assert (found[-1][2], shell) == (str(python), status)
    assert errors.startswith(f"{message}: thread state")
    assert errors.startswith(f"Fatal Python error: {word}: ")
    found, _ = ends(dsn, "chance", 40)
    assert found[-1] in {("done", "True", "0"), ("done", "False", "0")}
    found, errors = ends(dsn, "sleep", 5)
    assert found == [("done", "False", "0")] * 5
    assert errors == ""


@proves("The drop-in waits for them by itself.")
def test_programs_of_the_drop_in_end_well(dsn):
    found, errors = ends(dsn, psqlpy_adapter.leaving.__file__, 300)
    assert [inside for _, inside, _ in found].count("True") == 2
    assert {(done, status) for done, _, status in found} == {("done", "0")}
    assert errors == ""
