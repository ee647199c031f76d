"""The Skills extension of the Model Context Protocol: the skills of a pack as resources.

``io.modelcontextprotocol/skills`` (SEP-2640,
https://modelcontextprotocol.io/extensions/skills): the files of a skill are resources, and
``skills/list`` and ``skills/get`` describe them with digests. What is served is what was read when
the extension was made, so a digest always fits the content.
"""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from mcp.server.context import ServerRequestContext
from mcp.server.extension import Extension, MethodBinding, ResourceBinding
from mcp.server.mcpserver.resources import BinaryResource, Resource, TextResource
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS, PaginatedRequestParams, RequestParams

from proveskill.front_matter import read_front_matter
from proveskill.manifest import SKILL, Manifest
from proveskill.skill_files import digest_of, skill_files

_FRESH = {"ttlMs": 300_000, "cacheScope": "public"}
"""What is served does not change while the server runs; a host may look again after 5 minutes."""

Context = ServerRequestContext[Any, Any]


class GetSkillParams(RequestParams):
    """Of ``skills/get``: the URI of a skill's SKILL.md."""

    uri: str


class DirectoryParams(PaginatedRequestParams):
    """Of ``resources/directory/read``: the URI of a folder, without a slash at its end."""

    uri: str


class Skills(Extension):
    """The skills of a pack as resources, each with its front matter and its files' digests."""

    identifier = "io.modelcontextprotocol/skills"

    def __init__(self, manifest: Manifest) -> None:
        self._entries: dict[str, dict[str, Any]] = {}
        self._resources: dict[str, Resource] = {}
        names = [skill.name for skill in manifest.skills]
        for skill in manifest.skills:
            is_one = names.count(skill.name) == 1
            path = skill.name if is_one else os.path.relpath(skill, manifest.root)
            self._add(skill, f"skill://{quote(path)}")

    def _add(self, skill: Path, root: str) -> None:
        files = {name: file.read_bytes() for name, file in skill_files(skill).items()}
        front_matter = read_front_matter(files[SKILL].decode("utf-8-sig"))
        described = (
            str(front_matter.get("name", skill.name)),
            str(front_matter.get("description", "")),
        )
        for name, content in files.items():
            uri = f"{root}/{quote(name)}"
            shown = described if name == SKILL else (name.rpartition("/")[2], None)
            self._resources[uri] = _resource(uri, content, *shown)
        self._entries[f"{root}/{SKILL}"] = {
            "uri": f"{root}/{SKILL}",
            "frontmatter": front_matter,
            "resources": [
                {
                    "uri": f"{root}/{quote(name)}",
                    "digest": f"sha256:{digest_of(content)}",
                    "size": len(content),
                }
                for name, content in files.items()
            ],
        }

    @property
    def uris(self) -> list[str]:
        """The URIs of the skills."""
        return list(self._entries)

    def settings(self) -> dict[str, Any]:
        """Say that folders can be listed."""
        return {"directoryRead": True}

    def resources(self) -> Sequence[ResourceBinding]:
        """Return every file of every skill."""
        return [ResourceBinding(resource) for resource in self._resources.values()]

    def methods(self) -> Sequence[MethodBinding]:
        """Return the methods of the extension."""
        return [
            MethodBinding("skills/list", PaginatedRequestParams, self._list),
            MethodBinding("skills/get", GetSkillParams, self._get),
            MethodBinding("resources/directory/read", DirectoryParams, self._directory),
        ]

    async def _list(self, _context: Context, _params: PaginatedRequestParams) -> dict[str, Any]:
        return {"skills": list(self._entries.values()), **_FRESH}

    async def _get(self, _context: Context, params: GetSkillParams) -> dict[str, Any]:
        if params.uri not in self._entries:
            raise MCPError(INVALID_PARAMS, f"No skill is served at {params.uri}")
        return {"skill": self._entries[params.uri], **_FRESH}

    async def _directory(self, _context: Context, params: DirectoryParams) -> dict[str, Any]:
        below = f"{params.uri}/"
        children: dict[str, dict[str, Any]] = {}
        for uri, resource in self._resources.items():
            if uri.startswith(below):
                name, is_deeper, _ = uri.removeprefix(below).partition("/")
                kind = "inode/directory" if is_deeper else resource.mime_type
                children[name] = {"uri": below + name, "name": unquote(name), "mimeType": kind}
        if not children or params.uri == "skill:/":
            raise MCPError(INVALID_PARAMS, f"{params.uri} is not a directory resource")
        return {"resources": list(children.values())}


def _resource(uri: str, content: bytes, name: str, description: str | None) -> Resource:
    """Return a resource with a file's very bytes: as text where they are UTF-8."""
    guessed = mimetypes.guess_type(uri)[0]
    try:
        text = content.decode()
    except UnicodeDecodeError:
        kind = guessed or "application/octet-stream"
        return BinaryResource(
            uri=uri, name=name, description=description, mime_type=kind, data=content
        )
    kind = guessed or "text/plain"
    return TextResource(uri=uri, name=name, description=description, mime_type=kind, text=text)
