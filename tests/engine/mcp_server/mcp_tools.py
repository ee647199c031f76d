"""Connections to ``proveskill mcp`` by the SDK's own client."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from engine_runs import COMMAND, fence
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.types import (
    Request,
    Result,
    TextContent,
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
