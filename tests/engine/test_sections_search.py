"""``proveskill sections --search``: the sections that fit some words, the best first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from engine_runs import Bench, Run, fence, write_pack

TEXT = f"""\
## Insert many rows

Text.

{fence("session.load(rows)")}
## Delete rows

Use `execute_many` for many rows at once. {"Rows are rows. " * 20}

{fence("session.delete(rows)")}
## Read a value

Use nothing for many values at once. {"Values, values. " * 20}

{fence("session.execute_many(value)")}
## Close

Vectors are "closed" AND stored.

{fence("1")}"""


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pack(tmp_path_factory.mktemp("search") / "pack", text=TEXT)


def found(bench: Bench, pack: Path, words: str) -> list[str]:
    run = bench.run(["sections", ".", "--search", words, "--json"], pack)
    assert (run.status, run.err) == (0, "")
    return [entry["id"].partition("#")[2] for entry in json.loads(run.out)]


def test_a_word_in_a_title_counts_more_than_many_in_the_text(bench: Bench, pack: Path) -> None:
    assert found(bench, pack, "insert rows") == ["insert-many-rows", "delete-rows"]


def test_a_word_in_a_statement_counts_more_than_one_in_code(bench: Bench, pack: Path) -> None:
    assert found(bench, pack, "execute_many") == ["delete-rows", "read-a-value"]


def test_a_word_is_found_in_another_form(bench: Bench, pack: Path) -> None:
    assert found(bench, pack, "vector") == ["close"]


@pytest.mark.parametrize("words", ['"closed"', 'closed"', "sort* NEAR closed", "AND NOT (closed"])
def test_words_are_no_operators(bench: Bench, pack: Path, words: str) -> None:
    assert "close" in found(bench, pack, words)


@pytest.mark.parametrize("words", ["zebra", "?!", ""])
def test_a_search_that_finds_nothing_says_so_and_exits_1(
    bench: Bench, pack: Path, words: str
) -> None:
    run: Run = bench.run(["sections", ".", "--search", words], pack)
    assert (run.status, run.out) == (1, "")
    assert run.err == f"no section has any of these words: {words}\n"


def test_a_found_section_is_shown_with_its_title(bench: Bench, pack: Path) -> None:
    run = bench.run(["sections", ".", "--search", "insert"], pack)
    assert run.status == 0
    assert run.out.splitlines()[0].startswith("SKILL#insert-many-rows")
    assert run.out.splitlines()[0].endswith("Insert many rows")
