"""Proofs of references/troubleshooting.md: programs that abort at their end."""

from __future__ import annotations

import psqlpy_adapter.leaving
from best_practices_tools import run_apart
from proveskill import proves

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
for number in range(runs):
    seen[:2] = b"00"
    if not (child := os.fork()):
        atexit.register(look)
        if cure != "chance":
            sys.setswitchinterval(10)
            if number % 2:  # on one core: more often seen on a machine that has nothing else to do
                os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
        asyncio.new_event_loop().run_until_complete(main())
        break
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    ended = "done" if seen[:1] == b"1" else "failed"
    print(ended, seen[1:] == b"1", status, flush=True)  # or the next child prints it, too
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
