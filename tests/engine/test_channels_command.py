"""``proveskill channels``: what it writes of a small pack, what it refuses, and ``--check``."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest
from engine_runs import Bench, write_pack, write_skill

OWNER = {"channels": {"owner": {"name": "Ada Example", "email": "ada@example.org"}}}
PAGE = """\
# Bulk loading

Load this before you write many rows. It has two sections.

## Choose a way

Text.

## Load `vectors`

Text.
"""
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


def make_pack(root: Path, **manifest: Any) -> Path:
    write_pack(root, OWNER | manifest, "# Hello\n\nSome text.\n")
    write_skill(root / "skills" / root.name, "# Hello\n\nSome text.\n", bulk=PAGE)
    return root


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return make_pack(tmp_path / "hello")


def written(root: Path) -> dict[str, bytes]:
    files = {str(file.relative_to(root)): file.read_bytes() for file in sorted(root.rglob("*"))
             if file.is_file()}  # fmt: skip
    return {name: content for name, content in files.items() if not name.startswith("skill")}


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


def test_agents_md_says_where_the_files_are_and_when_to_load_each(bench: Bench, pack: Path) -> None:
    bench.run(["channels"], pack)
    text = (pack / "AGENTS.md").read_text()
    for place in ("skills/hello", ".agents/skills/hello", ".claude/skills/hello"):
        assert f"`{place}`" in text
    entry = "`references/bulk.md`: before you write many rows [Choose a way; Load vectors]"
    assert f"- {entry}\n" in text


def test_a_page_that_says_nothing_at_its_start_is_named_by_its_title(
    bench: Bench, pack: Path
) -> None:
    (pack / "skills/hello/references/bare.md").write_text("# All `keys`\n\n## One\n\nText.\n")
    bench.run(["channels"], pack)
    assert "- `references/bare.md`: All keys [One]\n" in (pack / "AGENTS.md").read_text()
    assert (
        "- [All keys](skills/hello/references/bare.md): All keys\n"
        in (pack / "llms.txt").read_text()
    )


def test_a_description_of_several_lines_is_one_line_everywhere(bench: Bench, pack: Path) -> None:
    (pack / "skills/hello/SKILL.md").write_text(
        "---\nname: hello\ndescription: |\n  One line.\n  Another.\n---\n# Hello\n"
    )
    bench.run(["channels"], pack)
    assert "> One line. Another.\n" in (pack / "llms.txt").read_text()
    plugin = json.loads((pack / "gemini-extension.json").read_text())
    assert plugin["description"] == "One line. Another."


def test_agents_md_names_the_versions_that_the_pack_was_run_with(
    bench: Bench, tmp_path: Path
) -> None:
    pack = make_pack(tmp_path / "hello", versions={"psqlpy": "0.13.1"})
    bench.run(["channels"], pack)
    assert "was run with psqlpy 0.13.1." in (pack / "AGENTS.md").read_text()


def test_agents_md_keeps_to_8_kb_by_naming_fewer_sections(bench: Bench, pack: Path) -> None:
    sections = "".join(f"## Section number {n:04}\n\nText.\n\n" for n in range(500))
    (pack / "skills/hello/references/long.md").write_text(f"# Long\n\nLoad this.\n\n{sections}")
    run = bench.run(["channels"], pack)
    assert run.status == 0, run.text
    text = (pack / "AGENTS.md").read_bytes()
    assert 8100 < len(text) <= 8192
    assert b"Section number 0000; Section number 0001; " in text
    assert b"Section number 0499" not in text
    assert b" more]" in text


def test_too_much_for_agents_md_is_a_failure(bench: Bench, pack: Path) -> None:
    (pack / "skills/hello/references/long.md").write_text("# Long\n\nLoad this " + "ab " * 3000)
    run = bench.run(["channels"], pack)
    assert run.status == 1
    assert "at most 8192 fit" in run.out
    assert not (pack / "AGENTS.md").exists()


def test_llms_txt_is_title_summary_and_lists_of_links(bench: Bench, pack: Path) -> None:
    bench.run(["channels"], pack)
    lines = [line for line in (pack / "llms.txt").read_text().splitlines() if line]
    assert lines[:2] == ["# hello", "> A skill of the tests."]
    assert lines[-3:] == [
        "## hello",
        "- [Hello](skills/hello/SKILL.md): read this one first",
        "- [Bulk loading](skills/hello/references/bulk.md): before you write many rows",
    ]


def test_llms_full_txt_holds_each_page_without_front_matter(bench: Bench, pack: Path) -> None:
    bench.run(["channels"], pack)
    text = (pack / "llms-full.txt").read_text()
    assert PAGE in text
    assert "<!-- skills/hello/references/bulk.md -->" in text
    assert "<!-- skills/hello/SKILL.md -->\n\n# Hello\n\nSome text.\n" in text
    assert "description:" not in text


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


def archive(web: Path) -> bytes:
    return (web / ".well-known/agent-skills/hello.tar.gz").read_bytes()


def members(content: bytes) -> dict[str, tuple[int, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(content)) as opened:
        found = {}
        for member in opened.getmembers():
            file = opened.extractfile(member)
            assert file is not None
            found[member.name] = (member.mode, file.read())
    return found


def test_a_web_root_has_the_index_the_archives_and_what_llms_txt_links_to(
    bench: Bench, pack: Path
) -> None:
    run = bench.run(["channels", "--web", "site"], pack)
    assert run.status == 0, run.text
    web = pack / "site"
    index = json.loads((web / ".well-known/agent-skills/index.json").read_text())
    digest = hashlib.sha256(archive(web)).hexdigest()
    assert index == {
        "$schema": "https://schemas.agentskills.io/discovery/0.2.0/schema.json",
        "skills": [
            {
                "name": "hello",
                "type": "archive",
                "description": "A skill of the tests.",
                "url": "hello.tar.gz",
                "digest": f"sha256:{digest}",
            }
        ],
    }
    assert (web / "llms.txt").read_bytes() == (pack / "llms.txt").read_bytes()
    assert (web / "skills/hello/references/bulk.md").read_text() == PAGE


def test_an_archive_holds_the_whole_skill_and_no_caches(bench: Bench, pack: Path) -> None:
    skill = pack / "skills/hello"
    for name in (
        "scripts/check.py",
        "assets/tool/data.bin",
        "assets/__pycache__/x.pyc",
        ".cache/y",
    ):
        (skill / name).parent.mkdir(parents=True, exist_ok=True)
        (skill / name).write_bytes(name.encode())
    (skill / "scripts/check.py").chmod(0o744)
    bench.run(["channels", "--web", "site"], pack)
    found = members(archive(pack / "site"))
    assert list(found) == [
        "SKILL.md",
        "assets/tool/data.bin",
        "references/bulk.md",
        "scripts/check.py",
    ]
    assert found["scripts/check.py"] == (0o755, b"scripts/check.py")
    assert found["assets/tool/data.bin"] == (0o644, b"assets/tool/data.bin")


def test_the_same_skill_gives_the_same_bytes(bench: Bench, tmp_path: Path) -> None:
    first, second = (make_pack(tmp_path / name / "hello") for name in ("first", "second"))
    copy = second / "skills/hello"
    for file in copy.rglob("*.md"):  # what a checkout elsewhere, later, may differ in
        file.chmod(0o600)
        os.utime(file, (1, 1))
    for pack in (first, second):
        assert bench.run(["channels", "--web", "site"], pack).status == 0
    assert archive(first / "site") == archive(second / "site")
    # RFC 1952: no name, no time, best compression, an operating system that is not named.
    assert archive(first / "site")[:10] == b"\x1f\x8b\x08\x00" + bytes(4) + b"\x02\xff"


def test_a_symbolic_link_in_a_skill_is_refused(bench: Bench, pack: Path) -> None:
    (pack / "skills/hello/link.md").symlink_to("SKILL.md")
    run = bench.run(["channels", "--web", "site"], pack)
    assert run.status == 2
    assert "link.md: a symbolic link, which installers drop" in run.err


def test_a_web_root_that_is_a_file_is_a_usage_error(bench: Bench, pack: Path) -> None:
    (pack / "site").write_text("a file")
    run = bench.run(["channels", "--web", "site"], pack)
    assert run.status == 2
    assert run.err.startswith("error: cannot write site/llms.txt: ")
    assert (pack / "site").read_text() == "a file"
