"""``proveskill sections --write`` and ``--check``: sections.json beside SKILL.md."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from bpe_openai import get_encoding
from engine_runs import Bench, fence, passes, write_pack, write_skill
from jsonschema import Draft202012Validator

FIXTURES = '''\
import os

import pytest


@pytest.fixture
def dsn():
    """The address of the database.

    More of it.
    """
    return os.environ["DATABASE_URL"]


@pytest.fixture
def session(dsn):
    """An open session."""
    return dsn


@pytest.fixture
def unused():
    """Nobody wants this."""
'''
REFERENCE = f"""\
# All about rows

Load this to write rows. More is said here.

## Write a row

First sentence, with `code`. A second one.

{fence("import os, numpy, helper" + chr(10) + "session = 1" + chr(10) + "session")}
{fence("print(session, dsn)")}
## Read a row

| Key | Value |
|---|---|
| a | b |

{fence("session")}{fence("broken(")}{fence("cat > helper.py", "bash")}
"""


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A pack with fixtures, a pinned package of all sections, and one of some."""
    root = write_pack(
        tmp_path / "pack",
        {
            "fixtures": "fixtures.py",
            "versions": {"pytest": "8", "rows": "2"},
            "needs": {"rows": "Key"},
            "path": ["own"],
        },
    )
    write_skill(root / "skills" / "pack", "## Start\n\n" + passes(), rows=REFERENCE)
    (root / "fixtures.py").write_text(FIXTURES)
    (root / "own").mkdir()
    return root


def written(bench: Bench, root: Path) -> dict[str, Any]:
    run = bench.run(["sections", ".", "--write"], root)
    assert (run.status, run.err) == (0, "")
    return dict(json.loads((root / "skills" / "pack" / "sections.json").read_text()))


def section(data: dict[str, Any], identifier: str) -> dict[str, Any]:
    (entry,) = [entry for entry in data["sections"] if entry["id"] == identifier]
    return dict(entry)


def test_what_is_written_follows_the_schema(bench: Bench, pack: Path) -> None:
    schema = json.loads(files("proveskill").joinpath("sections.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    assert list(Draft202012Validator(schema).iter_errors(written(bench, pack))) == []


def test_a_file_is_described_by_its_title_its_first_sentence_and_its_tokens(
    bench: Bench, pack: Path
) -> None:
    data = written(bench, pack)
    count = len(get_encoding(data["encoding"]).encode(REFERENCE))
    for key in ("front_matter", "body"):
        del data["files"][0][key]
    assert data["files"] == [
        {"file": "SKILL.md", "title": "SKILL", "load": "A skill of the tests.",
         "tokens": data["files"][0]["tokens"]},
        {"file": "references/rows.md", "title": "All about rows",
         "load": "Load this to write rows.", "tokens": count},
    ]  # fmt: skip


def test_the_skill_has_its_fields_and_the_digest_of_the_text_below_them(
    bench: Bench, pack: Path
) -> None:
    (file,) = pack.rglob("SKILL.md")
    text = file.read_text(encoding="utf-8")
    main = written(bench, pack)["files"][0]
    front, body = text.split("---\n", 2)[1:]
    assert main["front_matter"] == yaml.safe_load(front)
    assert main["body"] == hashlib.sha256(body.lstrip("\n").encode()).hexdigest()


def test_a_section_has_its_lines_and_the_digest_of_their_text(bench: Bench, pack: Path) -> None:
    entry = section(written(bench, pack), "rows#write-a-row")
    lines = REFERENCE.splitlines(keepends=True)[entry["line"] - 1 : entry["end_line"]]
    assert lines[0] == "## Write a row\n"
    assert entry["digest"] == hashlib.sha256("".join(lines).encode()).hexdigest()
    assert entry["file"] == "references/rows.md"


def test_a_section_has_its_first_sentence_and_its_statements(bench: Bench, pack: Path) -> None:
    entry = section(written(bench, pack), "rows#write-a-row")
    assert entry["summary"] == "First sentence, with `code`."
    assert [(s["id"], s["line"]) for s in entry["statements"]] == [
        ("rows#write-a-row/s1", 7),
        ("rows#write-a-row/s2", 7),
    ]
    second = hashlib.sha256(b"A second one.").hexdigest()
    assert entry["statements"][1]["digest"] == second[:16]


def test_the_text_above_the_first_heading_is_a_section_with_the_title_of_the_file(
    bench: Bench, pack: Path
) -> None:
    assert section(written(bench, pack), "rows#top")["title"] == "All about rows"


def test_a_section_names_the_fixtures_that_stand_in_for_the_readers_names(
    bench: Bench, pack: Path
) -> None:
    data = written(bench, pack)
    assert section(data, "rows#write-a-row")["brings"] == ["dsn"]
    assert section(data, "rows#read-a-row")["brings"] == ["session"]
    assert section(data, "rows#read-a-row")["environment"] == ["DATABASE_URL"]
    assert section(data, "SKILL#start")["brings"] == []
    assert data["names"] == {"dsn": "The address of the database.", "session": "An open session."}


def test_a_section_needs_what_is_pinned_and_what_it_imports(bench: Bench, pack: Path) -> None:
    data = written(bench, pack)
    assert section(data, "rows#write-a-row")["needs"] == ["helper", "numpy", "pytest"]
    assert section(data, "SKILL#start")["needs"] == ["pytest"]


def test_a_pinned_package_is_needed_only_where_its_pattern_is_found(
    bench: Bench, pack: Path
) -> None:
    assert section(written(bench, pack), "rows#read-a-row")["needs"] == ["pytest", "rows"]


def test_modules_of_the_pack_are_nothing_to_install(bench: Bench, pack: Path) -> None:
    (pack / "own" / "helper.py").write_text("")
    assert section(written(bench, pack), "rows#write-a-row")["needs"] == ["numpy", "pytest"]


def test_the_same_pack_gives_the_same_bytes(bench: Bench, pack: Path) -> None:
    written(bench, pack)
    file = pack / "skills" / "pack" / "sections.json"
    before = file.read_bytes()
    file.unlink()
    written(bench, pack)
    assert file.read_bytes() == before
    assert bench.run(["sections", ".", "--check"], pack).status == 0


def test_a_check_names_what_differs_and_the_command_that_writes_it(
    bench: Bench, pack: Path
) -> None:
    written(bench, pack)
    file = pack / "skills" / "pack" / "references" / "rows.md"
    file.write_text(REFERENCE.replace("A second one.", "A third one.").replace("Read a", "See a"))
    run = bench.run(["sections", ".", "--check"], pack)
    assert (run.status, run.out) == (1, "")
    shown = run.err.splitlines()
    assert shown[0] == "error: skills/pack/sections.json is not what the text says:"
    assert "  section rows#see-a-row is missing" in shown
    assert "  section rows#read-a-row is no longer there" in shown
    assert "  section rows#write-a-row: digest, statements changed" in shown
    assert shown[-1] == "write it anew: proveskill sections . --write"


@pytest.mark.parametrize("content", ["", "[]", '{"sections": 3}'])
def test_a_check_of_another_file_says_that_it_is_not_one(
    bench: Bench, pack: Path, content: str
) -> None:
    (pack / "skills" / "pack" / "sections.json").write_text(content)
    run = bench.run(["sections", ".", "--check"], pack)
    assert run.status == 1
    assert "  it is not the JSON of sections\n" in run.err


def test_a_check_without_the_file_says_that_it_is_missing(bench: Bench, pack: Path) -> None:
    run = bench.run(["sections", ".", "--check"], pack)
    assert run.status == 1
    assert "  it is missing\n" in run.err
    assert not (pack / "skills" / "pack" / "sections.json").exists()


def test_without_the_tokenizer_writing_says_what_to_install(bench: Bench, pack: Path) -> None:
    (pack / "hide").mkdir()
    (pack / "hide" / "bpe_openai.py").write_text("raise ImportError('hidden by the test')")
    hidden = str(pack / "hide")
    run = bench.run(["sections", ".", "--write"], pack, PYTHONPATH=hidden)
    assert (run.status, run.out) == (2, "")
    assert "pip install 'proveskill[sections]'" in run.err
    assert not (pack / "skills" / "pack" / "sections.json").exists()
    run = bench.run(["sections", "."], pack, PYTHONPATH=hidden)
    assert run.status == 0
    assert "tokens" not in run.out


@pytest.mark.parametrize(
    ("needs", "says"),
    [
        ({"colums": "x"}, "needs.colums: no such package in 'versions'"),
        ({"rows": "("}, "needs.rows: not a regular expression"),
        ({"rows": 3}, "needs.rows: 3 is not of type 'string'"),
    ],
)
def test_a_wrong_pattern_in_the_manifest_is_an_error_at_its_line(
    bench: Bench, pack: Path, needs: dict[str, Any], says: str
) -> None:
    write_pack(pack, {"versions": {"rows": "2"}, "needs": needs})
    run = bench.run(["sections", "."], pack)
    assert run.status == 2
    assert f"skill.yaml:9: {says}" in run.err, run.err
