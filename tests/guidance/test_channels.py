"""What assistants and installers read is up to date, and as each of them documents it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest
from guidance import ROOT, SKILL, manifest, skill_files
from markdown_it import MarkdownIt

PLUGINS = (
    ".claude-plugin/plugin.json",
    ".codex-plugin/plugin.json",
    ".cursor-plugin/plugin.json",
    "gemini-extension.json",
)
MARKETPLACES = (".claude-plugin/marketplace.json", ".agents/plugins/marketplace.json")
# Every key that schemas/plugin.schema.json of github.com/cursor/plugins allows: it allows no other.
CURSOR = {
    *("name", "displayName", "description", "version", "author", "publisher", "homepage"),
    *("repository", "license", "logo", "keywords", "category", "tags", "commands", "agents"),
    *("skills", "rules", "hooks", "variables", "mcpServers"),
}
# code.claude.com/docs/en/plugins/marketplace-reference: names that Claude Code keeps for others.
RESERVED = re.compile(r"anthropic|claude|official|^agent-skills$|^life-sciences$|^healthcare$")
CODEX_PROMPTS, CODEX_PROMPT = 3, 128
"""Codex leaves out what is more, or longer (codex-rs/core-plugins/src/manifest.rs)."""


def read(name: str) -> dict[str, Any]:
    return dict(json.loads((ROOT / name).read_text(encoding="utf-8")))


def test_every_file_is_what_skill_yaml_and_the_skill_say() -> None:
    process = subprocess.run(
        [sys.executable, "-m", "proveskill", "channels", ".", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == 0, f"{process.stdout}{process.stderr}run: make channels"


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugin_has_the_name_and_version_of_the_pack(plugin: str) -> None:
    content = read(plugin)
    assert (content["name"], content["version"]) == (manifest().name, manifest().version)


@pytest.mark.parametrize("plugin", PLUGINS[1:3])
def test_a_plugin_names_the_folder_of_the_skills(plugin: str) -> None:
    assert (ROOT / read(plugin)["skills"] / SKILL.name / "SKILL.md").is_file()


@pytest.mark.parametrize("marketplace", MARKETPLACES)
def test_a_marketplace_offers_the_plugin_of_this_repository(marketplace: str) -> None:
    content = read(marketplace)
    (plugin,) = content["plugins"]
    source = plugin["source"]
    assert (source if isinstance(source, str) else source["path"]) == "./"
    assert content["name"] == plugin["name"] == read(PLUGINS[0])["name"]
    assert not RESERVED.search(content["name"])


def test_cursor_knows_every_key_of_its_plugin() -> None:
    content = read(".cursor-plugin/plugin.json")
    assert [key for key in content if key not in CURSOR] == []
    assert set(content["author"]) <= {"name", "email"}


def test_codex_shows_every_prompt_of_its_plugin() -> None:
    prompts = read(".codex-plugin/plugin.json")["interface"]["defaultPrompt"]
    assert 0 < len(prompts) <= CODEX_PROMPTS
    assert max(map(len, prompts)) <= CODEX_PROMPT


def test_agents_md_is_at_most_8_kb() -> None:
    assert (ROOT / "AGENTS.md").stat().st_size <= 8192


@pytest.mark.parametrize("index", ["AGENTS.md", "llms.txt"])
def test_an_index_names_every_file_of_the_skill(index: str) -> None:
    text = (ROOT / index).read_text(encoding="utf-8")
    names = [file.relative_to(SKILL).as_posix() for file in skill_files()]
    assert [name for name in names if name not in text] == []


def test_llms_txt_has_the_form_of_llmstxt_org() -> None:
    tokens = MarkdownIt("commonmark").parse((ROOT / "llms.txt").read_text(encoding="utf-8"))
    opened = [
        token.tag or token.type for token in tokens if token.level == 0 and token.nesting >= 0
    ]
    assert opened[:2] == ["h1", "blockquote"]
    lists = opened[opened.index("h2") :]
    assert lists == ["h2", "ul"] * (len(lists) // 2)


def test_every_link_of_llms_txt_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)]+)\)", (ROOT / "llms.txt").read_text(encoding="utf-8"))
    assert len(links) > len(skill_files())
    assert [link for link in links if not (ROOT / link).is_file()] == []


def test_llms_full_txt_holds_every_fence_of_the_skill() -> None:
    full = (ROOT / "llms-full.txt").read_text(encoding="utf-8")
    fences = [
        token.content
        for file in skill_files()
        for token in MarkdownIt("commonmark").parse(file.read_text(encoding="utf-8"))
        if token.type == "fence"
    ]
    assert len(fences) > 500
    assert [fence for fence in fences if fence not in full] == []


FILES = [*PLUGINS, *MARKETPLACES, "AGENTS.md", "llms.txt", "llms-full.txt"]


@pytest.mark.parametrize("name", FILES)
def test_everyone_may_read_a_file(name: str) -> None:
    assert (ROOT / name).stat().st_mode & 0o444 == 0o444
