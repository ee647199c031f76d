"""Proofs of references/types.md: values that make Rust panic."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from proveskill import proves

TOOL = Path(__file__).with_name("type_panic_tools.py")
WRAPPED = ["Point $1::point", "PgVector $1::vector", "str $1::text::real[]"]
ARRAYS_AND_JSON = ["list $1::int[]", "tuple $1::text[]", "list $1::jsonb", "tuple $1::json"]


@pytest.fixture(scope="module")
def seen() -> tuple[dict[str, list[str]], dict[str, Any]]:
    command = [sys.executable, str(TOOL), os.environ["DATABASE_URL"]]
    # Without traces of Rust's stack, which take most of the time.
    environment = os.environ | {"RUST_BACKTRACE": "0"}
    run = subprocess.run(command, capture_output=True, check=True, timeout=14, env=environment)
    panics, after = json.loads(run.stdout)
    return dict(panics), after


@proves(
    "Wrap a point and a vector; send a `float4[]` as text.",
    "A `{kind}` makes psqlpy panic instead of raising an error, and so does a tuple or list for "
    "what is neither an array nor JSON: a `{a}`, a `{b}`, `IN ($1)`.",
    adapter="stock",
)
def test_values_that_make_psqlpy_panic(seen, kind: str, a: str, b: str) -> None:
    panics, _ = seen
    panicking = [name for name, error in panics.items() if error[:1] == ["PanicException"]]
    assert [name for name in panics if name not in panicking] == [*ARRAYS_AND_JSON, *WRAPPED]
    assert all(panics[name] == [] for name in WRAPPED + ARRAYS_AND_JSON)
    of_lists = {name for name in panicking if name.startswith(("list ", "tuple "))}
    assert [name.split()[0] for name in panicking if name not in of_lists] == [kind]
    assert {f"tuple $1::{a}", f"list $1::{a}"} < of_lists
    assert {f"tuple '[1,2]'::{b} <-> $1", f"list '[1,2]'::{b} <-> $1"} < of_lists
    assert {"list 5 IN ($1)", "tuple 5 IN ($1)"} < of_lists


@proves(
    "`{kind}` derives from `{base}`: `except Exception` does not catch it.",
    "The session is of no use after it.",
    adapter="stock",
)
def test_what_a_panic_is_and_leaves(seen, kind: str, base: str) -> None:
    panics, after = seen
    classes = panics["tuple $1::point"]
    assert classes[:2] == [kind, base]
    assert "Exception" not in classes
    assert after["caught"] == "BaseException"
    assert len(after["errors"]) == 3
    assert all("connection closed" in error for error in after["errors"])
