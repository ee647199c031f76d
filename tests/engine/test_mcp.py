"""``proveskill mcp``: a server of the Model Context Protocol, driven by the SDK's own client."""

from __future__ import annotations

import base64
import hashlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from engine_runs import COMMAND, Bench, fence, write_pack, write_skill
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    BlobResourceContents,
    Request,
    Result,
    TextContent,
    TextResourceContents,
)
from pydantic import ConfigDict

EXTENSION = "io.modelcontextprotocol/skills"
ROOT = "skill://pack"
FIXTURES = '''\
import pytest


@pytest.fixture
def session():
    """An open session."""
    return 1
'''
REFERENCE = f"""\
# Rows

Load this to write rows.

## Write a row

Rows are written with `write`.

{fence("session")}
## Delete a row

Nothing else removes it.
"""


class Answer(Result):
    """Whatever a method answers."""

    model_config = ConfigDict(extra="allow")


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_pack(tmp_path_factory.mktemp("mcp") / "pack", {"fixtures": "fixtures.py"})
    skill = write_skill(root / "skills" / "pack", "## Start\n\nBegin here.\n", rows=REFERENCE)
    (root / "fixtures.py").write_text(FIXTURES)
    (skill / "data.bin").write_bytes(b"\xff\x00")
    (skill / "references" / "dos.md").write_bytes(b"\xef\xbb\xbf# DOS\r\n\r\nLines.\r\n")
    return root


@asynccontextmanager
async def connected(pack: Path, **options: Any) -> AsyncIterator[Client]:
    command = StdioServerParameters(
        command=sys.executable, args=[*COMMAND[1:], "mcp", str(pack)], env=dict(os.environ)
    )
    async with Client(command, read_timeout_seconds=20, **options) as client:
        yield client


async def called(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    (content,) = result.content
    assert isinstance(content, TextContent)
    assert not result.is_error, content.text
    return content.text


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    (content,) = result.content
    assert isinstance(content, TextContent)
    assert result.is_error
    return content.text


async def asked(client: Client, method: str, **params: Any) -> dict[str, Any]:
    request = Request[dict[str, Any], str](method=method, params=params)
    answer = await client.session.send_request(request, Answer)
    return answer.model_dump(by_alias=True)


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


async def test_the_extension_is_declared_with_its_directories(pack: Path) -> None:
    async with connected(pack) as client:
        capabilities = client.server_capabilities
        assert capabilities.extensions == {EXTENSION: {"directoryRead": True}}
        assert capabilities.resources is not None


async def test_a_skill_is_listed_with_its_front_matter_and_all_its_files(pack: Path) -> None:
    skill = pack / "skills" / "pack"
    async with connected(pack) as client:
        (entry,) = (await asked(client, "skills/list"))["skills"]
    front_matter = (skill / "SKILL.md").read_text().split("---\n")[1]
    assert entry["uri"] == f"{ROOT}/SKILL.md"
    assert entry["frontmatter"] == yaml.safe_load(front_matter)
    names = ["SKILL.md", "data.bin", "references/dos.md", "references/rows.md"]
    assert entry["resources"] == [
        {
            "uri": f"{ROOT}/{name}",
            "digest": "sha256:" + hashlib.sha256((skill / name).read_bytes()).hexdigest(),
            "size": (skill / name).stat().st_size,
        }
        for name in names
    ]


async def test_a_listing_says_that_it_is_complete_and_how_long_it_is_fresh(pack: Path) -> None:
    async with connected(pack) as client:
        for answer in (
            await asked(client, "skills/list"),
            await asked(client, "skills/get", uri=f"{ROOT}/SKILL.md"),
        ):
            assert (answer["resultType"], answer["cacheScope"]) == ("complete", "public")
            assert answer["ttlMs"] > 0


async def test_one_skill_is_got_as_it_is_listed(pack: Path) -> None:
    async with connected(pack) as client:
        (entry,) = (await asked(client, "skills/list"))["skills"]
        assert (await asked(client, "skills/get", uri=entry["uri"]))["skill"] == entry


async def test_what_is_not_served_is_an_invalid_parameter(pack: Path) -> None:
    no_skill, no_directory = "No skill is served at {}", "{} is not a directory resource"
    async with connected(pack) as client:
        for method, uri, says in (
            ("skills/get", "skill://other/SKILL.md", no_skill),
            ("skills/get", f"{ROOT}/references/rows.md", no_skill),
            ("resources/directory/read", f"{ROOT}/SKILL.md", no_directory),
            ("resources/directory/read", f"{ROOT}/nothing", no_directory),
            ("resources/directory/read", "skill:/", no_directory),
            ("resources/read", f"{ROOT}/../../skill.yaml", "Unknown resource: {}"),
        ):
            with pytest.raises(MCPError) as raised:
                await asked(client, method, uri=uri)
            assert (raised.value.error.code, raised.value.error.message) == (
                INVALID_PARAMS,
                says.format(uri),
            )


async def test_every_listed_file_is_read_with_the_bytes_of_its_digest(pack: Path) -> None:
    async with connected(pack) as client:
        (entry,) = (await asked(client, "skills/list"))["skills"]
        for resource in entry["resources"]:
            (content,) = (await client.read_resource(resource["uri"])).contents
            if isinstance(content, BlobResourceContents):
                data = base64.b64decode(content.blob)
            else:
                assert isinstance(content, TextResourceContents)
                data = content.text.encode()
            assert len(data) == resource["size"]
            assert "sha256:" + hashlib.sha256(data).hexdigest() == resource["digest"]


async def test_a_skill_file_is_an_ordinary_resource_with_a_name_and_a_type(pack: Path) -> None:
    async with connected(pack) as client:
        resources = {r.uri: r for r in (await client.list_resources()).resources}
    main = resources[f"{ROOT}/SKILL.md"]
    assert (main.name, main.description) == ("pack", "A skill of the tests.")
    assert main.mime_type == "text/markdown"
    assert resources[f"{ROOT}/data.bin"].mime_type == "application/octet-stream"
    assert resources[f"{ROOT}/references/rows.md"].name == "rows.md"


async def test_a_directory_lists_its_direct_children(pack: Path) -> None:
    async with connected(pack) as client:
        answer = await asked(client, "resources/directory/read", uri=ROOT)
    assert [(entry["name"], entry["mimeType"]) for entry in answer["resources"]] == [
        ("SKILL.md", "text/markdown"),
        ("data.bin", "application/octet-stream"),
        ("references", "inode/directory"),
    ]
    assert answer["resources"][2]["uri"] == f"{ROOT}/references"


async def test_a_child_of_a_directory_is_named_as_its_file_is(tmp_path: Path) -> None:
    root = write_pack(tmp_path / "pack", text="## Start\n\nBegin here.\n")
    (root / "skills" / "pack" / "references" / "two words.txt").write_text("x")
    async with connected(root) as client:
        answer = await asked(client, "resources/directory/read", uri=f"{ROOT}/references")
        assert answer["resources"] == [
            {
                "uri": f"{ROOT}/references/two%20words.txt",
                "name": "two words.txt",
                "mimeType": "text/plain",
            }
        ]


async def test_a_front_matter_with_a_date_can_be_listed(tmp_path: Path) -> None:
    root = write_pack(tmp_path / "pack", text="## Start\n\nBegin here.\n")
    file = root / "skills" / "pack" / "SKILL.md"
    file.write_text(
        file.read_text().replace("name: pack\n", "name: pack\nmetadata:\n  made: 2026-01-02\n")
    )
    async with connected(root) as client:
        (entry,) = (await asked(client, "skills/list"))["skills"]
    assert entry["frontmatter"]["metadata"] == {"made": "2026-01-02"}


async def test_a_client_of_the_older_protocol_has_the_tools_and_the_methods(pack: Path) -> None:
    async with connected(pack, mode="legacy") as client:
        assert "Begin here." in await called(client, "get_section", id="SKILL#start")
        assert (await asked(client, "skills/list"))["skills"][0]["uri"] == f"{ROOT}/SKILL.md"


async def test_the_instructions_say_what_the_skill_is_for_and_where_to_begin(pack: Path) -> None:
    async with connected(pack) as client:
        instructions = client.instructions or ""
    assert instructions.startswith("A skill of the tests. Begin with search_sections")
    assert f"{ROOT}/SKILL.md" in instructions


def test_the_server_ends_with_its_input(bench: Bench, pack: Path) -> None:
    run = bench.run(["mcp", "."], pack)
    assert (run.status, run.out, run.err) == (0, "", "")


def test_a_folder_without_a_skill_is_a_usage_error(bench: Bench, tmp_path: Path) -> None:
    run = bench.run(["mcp", "."], tmp_path)
    assert (run.status, run.out) == (2, "")
    assert "neither a skill.yaml nor a SKILL.md" in run.err


def test_without_the_sdk_it_says_what_to_install(bench: Bench, pack: Path, tmp_path: Path) -> None:
    (tmp_path / "mcp.py").write_text("raise ImportError('hidden by the test')")
    run = bench.run(["mcp", "."], pack, PYTHONPATH=str(tmp_path))
    assert (run.status, run.out) == (2, "")
    assert "pip install 'proveskill[mcp]'" in run.err
