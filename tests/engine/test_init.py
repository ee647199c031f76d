"""The command ``proveskill init``."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from engine_runs import FRONT_MATTER, Bench, fence, passes, write_skill

IMPORTS = fence("import json\nimport psycopg\nfrom jsonschema import validate\nimport no_such_one")
EXTENSIONS = fence(
    "-- CREATE EXTENSION hstore;\nCREATE EXTENSION IF NOT EXISTS vector;\n"
    'create extension "pg_trgm";\nCREATE EXTENSION timescaledb CASCADE;',
    "sql",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "My Pack!"
    write_skill(root / "skills" / "one", "It is so.\n\n" + IMPORTS, more=EXTENSIONS)
    write_skill(root / "skills" / "two", passes())
    return root


def test_a_first_manifest_says_what_the_skills_are_made_of(bench: Bench, folder: Path) -> None:
    run = bench.run(["init", folder], folder.parent)
    assert run.status == 0, run.text
    assert yaml.safe_load((folder / "skill.yaml").read_text()) == {
        "schema": 1,
        "name": "my-pack",
        "version": "0.1.0",
        "skills": ["skills/one", "skills/two"],
        "run": "possible",
        "server": {"extensions": ["pg_trgm", "vector"]},
        "versions": {name: version(name) for name in ("jsonschema", "psycopg")},
    }


def test_init_tells_what_it_found_and_what_to_do_next(bench: Bench, folder: Path) -> None:
    run = bench.run(["init", "My Pack!"], folder.parent)
    wrote, note, then = run.out.splitlines()
    assert wrote == ("wrote My Pack!/skill.yaml: 2 skills, 3 fences (python 2, sql 1), 1 statement")
    assert note.startswith("note: the embedded server does not have timescaledb")
    assert then == "next: proveskill verify 'My Pack!'"


def test_the_next_command_runs(bench: Bench, folder: Path) -> None:
    bench.run(["init"], folder)
    report = folder / "out.json"
    run = bench.run(["verify", ".", "--report", report], folder, report=report)
    assert run.status == 0, run.text
    assert run.verdicts == {
        "one/SKILL#top/1": "parsed",
        "more#top/1": "parsed",
        "two/SKILL#top/1": "passed",
    }


def test_a_manifest_that_is_there_is_never_overwritten(bench: Bench, folder: Path) -> None:
    (folder / "skill.yaml").write_text("mine\n")
    run = bench.run(["init", "."], folder)
    assert (run.status, run.out, (folder / "skill.yaml").read_text()) == (2, "", "mine\n")
    assert "error: skill.yaml is there already: edit it, or remove it first" in run.err


@pytest.mark.parametrize("path", ["nowhere", "empty"])
def test_a_folder_without_a_skill_gets_no_manifest(bench: Bench, tmp_path: Path, path: str) -> None:
    (tmp_path / "empty").mkdir()
    run = bench.run(["init", path], tmp_path)
    assert (run.status, run.out) == (2, "")
    assert f"error: {path}: no " in run.err
    assert list(tmp_path.rglob("skill.yaml")) == []


def test_a_folder_without_a_skill_is_told_what_a_skill_begins_with(
    bench: Bench, tmp_path: Path
) -> None:
    run = bench.run(["init"], tmp_path)
    assert "write one first, which begins with ---, name: MY-SKILL" in run.err


def test_a_skill_itself_can_have_a_manifest(bench: Bench, tmp_path: Path) -> None:
    skill = write_skill(tmp_path / "alone", passes())
    text = FRONT_MATTER.format(name="alone").replace(
        "---\n", '---\nmetadata: {version: "2.3.4"}\n', 1
    )
    (skill / "SKILL.md").write_text(text + passes())
    assert bench.run(["init"], skill).status == 0
    fields = yaml.safe_load((skill / "skill.yaml").read_text())
    assert (fields["name"], fields["version"], fields["skills"]) == ("alone", "2.3.4", ["."])
    assert bench.run(["verify"], skill).status == 0


def test_of_skills_with_one_name_the_nearest_is_taken(bench: Bench, tmp_path: Path) -> None:
    for place in ("a/copies/skills/one", "skills/one", "node_modules/x/two"):
        write_skill(tmp_path / place, passes())
    run = bench.run(["init"], tmp_path)
    assert yaml.safe_load((tmp_path / "skill.yaml").read_text())["skills"] == ["skills/one"]
    assert "1 skill, the first is a/copies/skills/one" in run.out


def test_a_fence_that_does_not_parse_does_not_stop_init(bench: Bench, tmp_path: Path) -> None:
    write_skill(tmp_path / "skill", fence("def") + fence("{", "json"))
    assert bench.run(["init"], tmp_path).status == 0
