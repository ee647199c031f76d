"""The Skills extension of ``proveskill mcp``: skills and their files as resources."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest
import yaml
from engine_runs import write_pack
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    BlobResourceContents,
    TextResourceContents,
)
from mcp_tools import EXTENSION, ROOT, asked, connected


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
