"""Proofs of references/errors.md: Rust panics and cancellations, seen in a child process."""

from __future__ import annotations

import importlib.metadata
import os

import pytest
from panic_tools import in_children
from proveskill import proves
from psqlpy.extra_types import PgVector
from watching_tools import seen


@pytest.fixture(scope="module")
def child():
    return in_children(os.environ["DATABASE_URL"])


@proves(
    "psqlpy is a {stage}, and some values make its Rust code panic.",
    "A plain list for a `{kind}` is one.",
)
def test_a_list_for_a_vector_panics(child, stage: str, kind: str):
    classifiers = importlib.metadata.metadata("psqlpy").get_all("Classifier")
    (status,) = [line for line in classifiers if line.startswith("Development Status")]
    assert status.lower().endswith(f" {stage}")
    assert child["panic"][:2] == ["pyo3_runtime", "PanicException"]
    query = "SELECT udt_name FROM information_schema.columns WHERE table_name = 'embeddings'"
    found = seen(os.environ["DATABASE_URL"], f"{query} AND column_name = 'vector'")
    assert found == [kind]


@proves(
    "The exception derives from `{base}`, so `except {missed}` misses it, and the session is dead "
    "afterwards:",
    adapter="stock",
)
def test_a_panic_is_no_exception_and_ends_the_session(child, base: str, missed: str):
    assert child["panic"][2:] == [base, "object"]
    assert child[f"except {missed}"] == child["panic"]
    name, text = child["afterwards"]
    assert name == "DatabaseConnectionError"
    assert "connection closed" in text


@proves("`{name}` cannot be imported.")
def test_the_class_of_a_panic_cannot_be_imported(child, name: str):
    assert child["panic"][1] == name
    assert child["importable"] is False


@proves(
    "Where a worker must go on, name it by its class name at the outermost level, and let every "
    "other `BaseException` pass:",
    adapter="stock",
)
def test_a_panic_is_told_by_its_name_and_other_errors_pass(child):
    assert child["guarded panic"][1] == "DriverPanic"
    assert child["guarded interrupt"][1] == "KeyboardInterrupt"


@proves(
    "It also catches the `{kind}` that stands for a cancellation.",
    "A Rust panic escapes both clauses.",
    adapter="stock",
)
def test_a_cancellation_is_caught_as_a_value_error_and_a_panic_is_not(child, kind: str):
    assert child["cancelled"] == ["value error", kind]
    assert child["clause"] == child["panic"]


@proves(
    "With `{fast}` recycling the pool can hand out the dead connection once more; `{verified}` "
    "and `{clean}` replace it.",
    adapter="stock",
)
def test_the_dead_connection_is_lent_again(child, fast: str, verified: str, clean: str):
    lent_again = child["lent again"]
    assert (lent_again[fast], lent_again[verified], lent_again[clean]) == (True, False, False)


@proves(
    "Let `job` be a coroutine of its own: where one coroutine catches the panic of its own call "
    "and goes on, a later call can raise it again.",
    adapter="stock",
)
def test_a_panic_caught_in_the_coroutine_of_its_call_is_raised_again(child):
    assert "PanicException" in child["raised again"]


@proves("Pass `PgVector`, and use a new session:")
async def test_pgvector_goes_in_again_and_again(config):
    async with config.provide_session() as session:
        move = "UPDATE embeddings SET vector = $1 WHERE id = $2"
        for _ in range(2):
            assert (await session.execute(move, PgVector([1.0, 0.0, 0.0]), 1)).rows_affected == 1
