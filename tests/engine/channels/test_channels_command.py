"""``proveskill channels``: what it writes and what it refuses, and ``--check``."""

from __future__ import annotations

from pathlib import Path

import pytest
from channel_packs import PAGE, make_pack, written
from engine_runs import Bench, write_pack, write_skill

WRITTEN = [
    ".agents/plugins/marketplace.json",
    ".claude-plugin/marketplace.json",
    ".claude-plugin/plugin.json",
    ".codex-plugin/plugin.json",
    ".cursor-plugin/plugin.json",
    "AGENTS.md",
    "gemini-extension.json",
    "llms-full.txt",
    "llms.txt",
]


def test_every_channel_gets_its_files(bench: Bench, pack: Path) -> None:
    run = bench.run(["channels"], pack)
    assert run.status == 0, run.text
    assert sorted(written(pack)) == WRITTEN
    assert run.out == f"{pack}: 9 of 9 files written, the others are up to date\n"


def test_a_second_run_writes_nothing(bench: Bench, pack: Path) -> None:
    bench.run(["channels"], pack)
    before = {file: (pack / file).stat().st_mtime_ns for file in WRITTEN}
    run = bench.run(["channels"], pack)
    assert "0 of 9 files written" in run.out
    assert {file: (pack / file).stat().st_mtime_ns for file in WRITTEN} == before


def test_others_may_read_what_is_written(bench: Bench, pack: Path) -> None:
    bench.run(["channels"], pack)
    assert {(pack / file).stat().st_mode & 0o777 for file in WRITTEN} == {0o644}


def test_check_is_green_after_a_run_and_writes_nothing(bench: Bench, pack: Path) -> None:
    bench.run(["channels"], pack)
    before = written(pack)
    run = bench.run(["channels", "--check"], pack)
    assert (run.status, run.out) == (0, "9 files are what skill.yaml and the skills say\n")
    assert written(pack) == before


def test_check_names_each_file_that_drifted_and_the_command(bench: Bench, pack: Path) -> None:
    bench.run(["channels"], pack)
    (pack / "gemini-extension.json").unlink()
    page = pack / "skills/hello/references/bulk.md"
    page.write_text(PAGE.replace("many rows", "thousands of rows"))
    before = written(pack)
    run = bench.run(["channels", "--check"], pack)
    assert run.status == 1
    assert "gemini-extension.json: missing\n" in run.out
    assert "AGENTS.md:14: has '" in run.out
    assert "many rows [Choose" in run.out
    assert "thousands of rows [Choose" in run.out
    assert "4 of 9 files are not what skill.yaml and the skills say\n" in run.out
    assert "again: proveskill channels .\n" in run.out
    assert written(pack) == before


def test_a_text_that_somebody_wrote_is_not_overwritten(bench: Bench, pack: Path) -> None:
    (pack / "AGENTS.md").write_text("# Our rules\n")
    run = bench.run(["channels"], pack)
    assert run.status == 2
    assert f"{pack / 'AGENTS.md'}: not made by this command" in run.err
    assert sorted(written(pack)) == ["AGENTS.md"]
    assert (pack / "AGENTS.md").read_text() == "# Our rules\n"


def test_a_pack_without_channels_is_a_usage_error(bench: Bench, tmp_path: Path) -> None:
    pack = write_pack(tmp_path / "hello", text="# Hello\n")
    run = bench.run(["channels"], pack)
    assert run.status == 2
    assert f"{pack / 'skill.yaml'}: no key 'channels'" in run.err
    assert "channels: {owner: {name: ...}}" in run.err


def test_a_skill_without_a_manifest_is_a_usage_error(bench: Bench, tmp_path: Path) -> None:
    run = bench.run(["channels"], write_skill(tmp_path / "hello", "# Hello\n"))
    assert run.status == 2
    assert "no key 'channels'" in run.err


def test_wrong_front_matter_is_a_failure_at_its_line(bench: Bench, pack: Path) -> None:
    (pack / "skills/hello/SKILL.md").write_text("---\nname: hello\n---\n# Hello\n")
    run = bench.run(["channels"], pack)
    assert run.status == 1
    assert run.out.startswith("skills/hello/SKILL.md:2: front matter: 'description' is missing")


def test_a_skill_outside_the_pack_is_a_usage_error(bench: Bench, tmp_path: Path) -> None:
    write_skill(tmp_path / "elsewhere", "# Elsewhere\n")
    pack = make_pack(tmp_path / "hello", skills=["../elsewhere"])
    run = bench.run(["channels"], pack)
    assert run.status == 2
    assert f"{tmp_path / 'elsewhere'} is not below {pack}" in run.err


def test_a_folder_that_is_named_like_a_page_is_told(bench: Bench, pack: Path) -> None:
    (pack / "skills/hello/references/odd.md").mkdir()
    run = bench.run(["channels"], pack)
    assert (run.status, run.out) == (2, "")
    assert run.err == f"error: cannot read {pack}/skills/hello/references/odd.md: Is a directory\n"


SETTINGS = {
    "no owner": ({"title": "Hello"}, "channels: 'owner' is a required property"),
    "an owner without a name": ({"owner": {}}, "channels.owner: 'name' is a required property"),
    "a misspelt key": (
        {"owner": {"name": "Ada"}, "keyword": ["a"]},
        "channels.keyword: unknown key; did you mean 'keywords'?",
    ),
    "an address without a scheme": (
        {"owner": {"name": "Ada"}, "homepage": "example.org"},
        "channels.homepage: 'example.org' does not match",
    ),
    "a prompt that is too long": (
        {"owner": {"name": "Ada"}, "prompts": ["x" * 129]},
        "channels.prompts.0: ",
    ),
}


@pytest.mark.parametrize("what", SETTINGS)
def test_wrong_settings_are_usage_errors(bench: Bench, tmp_path: Path, what: str) -> None:
    settings, says = SETTINGS[what]
    run = bench.run(["channels"], make_pack(tmp_path / "hello", channels=settings))
    assert run.status == 2
    assert says in run.err
