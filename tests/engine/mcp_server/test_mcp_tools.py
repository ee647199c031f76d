"""The tools of ``proveskill mcp``: sections listed, found and read."""

from __future__ import annotations

from pathlib import Path

from mcp_tools import ROOT, asked, called, connected, refused


async def test_the_tools_are_three_and_each_says_what_it_is_for(pack: Path) -> None:
    async with connected(pack) as client:
        tools = (await client.list_tools()).tools
    assert {tool.name for tool in tools} == {"list_sections", "search_sections", "get_section"}
    assert all(tool.description for tool in tools)


async def test_files_are_listed_with_when_to_load_them(pack: Path) -> None:
    async with connected(pack) as client:
        assert (await called(client, "list_sections")).splitlines() == [
            "SKILL (1 sections): A skill of the tests.",
            "dos (1 sections): Lines.",
            "rows (3 sections): Load this to write rows.",
        ]


async def test_the_sections_of_a_file_are_listed_with_their_first_sentences(pack: Path) -> None:
    async with connected(pack) as client:
        assert (await called(client, "list_sections", file="rows")).splitlines() == [
            "rows#top: Rows. Load this to write rows.",
            "rows#write-a-row: Write a row. Rows are written with `write`.",
            "rows#delete-a-row: Delete a row. Nothing else removes it.",
        ]
        assert "no file 'row'; known: SKILL, dos, rows" in await refused(
            client, "list_sections", file="row"
        )


async def test_a_search_returns_the_best_sections_first(pack: Path) -> None:
    async with connected(pack) as client:
        found = await called(client, "search_sections", words="how do I delete rows?")
        assert found.splitlines()[0].startswith("rows#delete-a-row: ")
        assert len(found.splitlines()) == 3
        one = await called(client, "search_sections", words="delete rows", limit=1)
        assert one.splitlines() == found.splitlines()[:1]
        assert await called(client, "search_sections", words="zebra") == (
            "no section has these words"
        )


async def test_a_section_is_read_with_what_its_reader_must_bring(pack: Path) -> None:
    async with connected(pack) as client:
        text = await called(client, "get_section", id="rows#write-a-row")
    assert text.startswith(
        "## Write a row\n\nRows are written with `write`.\n\n```python\nsession\n"
    )
    assert text.endswith("(The code above expects `session` (An open session).)\n")


async def test_an_unknown_section_is_an_error_that_names_one_like_it(pack: Path) -> None:
    async with connected(pack) as client:
        message = await refused(client, "get_section", id="rows#write-row")
    assert "no section 'rows#write-row'; near: rows#write-a-row" in message


async def test_a_client_of_the_older_protocol_has_the_tools_and_the_methods(pack: Path) -> None:
    async with connected(pack, mode="legacy") as client:
        assert "Begin here." in await called(client, "get_section", id="SKILL#start")
        assert (await asked(client, "skills/list"))["skills"][0]["uri"] == f"{ROOT}/SKILL.md"


async def test_the_instructions_say_what_the_skill_is_for_and_where_to_begin(pack: Path) -> None:
    async with connected(pack) as client:
        instructions = client.instructions or ""
    assert instructions.startswith("A skill of the tests. Begin with search_sections")
    assert f"{ROOT}/SKILL.md" in instructions
