"""What the plugin files say."""

from __future__ import annotations

import json
from pathlib import Path

from channel_packs import make_pack
from engine_runs import Bench, write_skill


def test_a_plugin_says_what_skill_yaml_and_the_front_matter_say(bench: Bench, pack: Path) -> None:
    bench.run(["channels"], pack)
    assert json.loads((pack / ".cursor-plugin/plugin.json").read_text()) == {
        "name": "hello",
        "version": "1.0.0",
        "description": "A skill of the tests.",
        "author": {"name": "Ada Example", "email": "ada@example.org"},
        "displayName": "hello",
        "category": "Development",
        "skills": "./skills/",
    }


def test_the_keys_of_channels_reach_the_plugins(bench: Bench, tmp_path: Path) -> None:
    settings = {
        "owner": {"name": "Ada Example", "url": "https://example.org/ada"},
        "title": "Hello, world",
        "category": "Databases",
        "homepage": "https://example.org/hello",
        "repository": "https://example.org/hello.git",
        "keywords": ["greeting", "world"],
        "prompts": ["Say hello."],
    }
    pack = make_pack(tmp_path / "hello", channels=settings)
    bench.run(["channels"], pack)
    codex = json.loads((pack / ".codex-plugin/plugin.json").read_text())
    assert codex["author"] == settings["owner"]
    assert {key: codex[key] for key in ("homepage", "repository", "keywords")} == {
        key: settings[key] for key in ("homepage", "repository", "keywords")
    }
    assert codex["interface"]["displayName"] == "Hello, world"
    assert codex["interface"]["category"] == "Databases"
    assert codex["interface"]["websiteURL"] == "https://example.org/hello"
    assert codex["interface"]["defaultPrompt"] == ["Say hello."]
    assert (pack / "AGENTS.md").read_text().startswith("# Hello, world: ")


def test_a_licence_comes_from_the_front_matter(bench: Bench, pack: Path) -> None:
    skill = pack / "skills" / "hello" / "SKILL.md"
    skill.write_text(skill.read_text().replace("\n---\n", "\nlicense: Apache-2.0\n---\n", 1))
    bench.run(["channels"], pack)
    assert json.loads((pack / ".claude-plugin/plugin.json").read_text())["license"] == "Apache-2.0"


def test_skills_in_several_folders_are_listed_one_by_one(bench: Bench, tmp_path: Path) -> None:
    pack = make_pack(tmp_path / "hello", skills=["skills/hello", "more/other"])
    write_skill(pack / "more" / "other", "# Other\n")
    bench.run(["channels"], pack)
    for plugin in (".claude-plugin", ".codex-plugin", ".cursor-plugin"):
        content = json.loads((pack / plugin / "plugin.json").read_text())
        assert content["skills"] == ["./skills/hello", "./more/other"]


def test_a_skill_that_is_not_of_the_pack_is_not_offered(bench: Bench, pack: Path) -> None:
    write_skill(pack / "skills" / "private", "# Private\n")
    bench.run(["channels"], pack)
    codex = json.loads((pack / ".codex-plugin/plugin.json").read_text())
    assert codex["skills"] == ["./skills/hello"]
