"""What AGENTS.md, llms.txt and llms-full.txt say."""

from __future__ import annotations

import json
from pathlib import Path

from channel_packs import PAGE, make_pack
from engine_runs import Bench


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
