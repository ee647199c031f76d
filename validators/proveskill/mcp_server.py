"""A pack -> a server of the Model Context Protocol: sections by tools, skills by the extension."""

from __future__ import annotations

from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from proveskill.fixture_index import read_fixtures
from proveskill.manifest import SKILL, Manifest
from proveskill.mcp_skills import Skills
from proveskill.model import ManifestError
from proveskill.section_records import FileRecord, SectionRecord, read_records
from proveskill.section_search import SectionSearch
from proveskill.sections_command import choose

_MOST_FOUND = 20


def make_server(manifest: Manifest) -> MCPServer[Any]:
    """Return the server of a pack. Raises :class:`ManifestError`."""
    files = read_records(manifest)
    records = [record for file in files for record in file.records]
    search = SectionSearch(records)
    explained = read_fixtures(manifest.fixtures).explained
    skills = Skills(manifest)
    server = MCPServer[Any](
        manifest.name,
        version=manifest.version or "",
        instructions=_instructions(files, skills),
        extensions=[skills],
        log_level="WARNING",
    )

    @server.tool(structured_output=False)
    def search_sections(words: str, limit: int = 5) -> str:
        """Find the sections that fit some words best: a task, an API name, an error text."""
        found = search.find(words, max(1, min(limit, _MOST_FOUND)))
        return "\n".join(_line(record) for record, _ in found) or "no section has these words"

    @server.tool(structured_output=False)
    def list_sections(file: str = "") -> str:
        """List the files with when to load them, or the sections of one file, such as "pooling"."""
        if not file:
            return "\n".join(
                f"{_stem(entry)} ({len(entry.records)} sections): {entry.load}" for entry in files
            )
        chosen = [entry for entry in files if file in (_stem(entry), entry.name)]
        if not chosen:
            known = ", ".join(_stem(entry) for entry in files)
            raise ToolError(f"no file {file!r}; known: {known}")
        return "\n".join(_line(record) for entry in chosen for record in entry.records)

    @server.tool(structured_output=False)
    def get_section(id: str) -> str:
        """Read one section by its id, such as "pooling#size-the-pool": Markdown with its code."""
        try:
            record = choose(records, id)
        except ManifestError as error:
            raise ToolError(str(error)) from None
        return f"{record.text.rstrip()}\n{_expected(record, explained)}"

    return server


def _instructions(files: list[FileRecord], skills: Skills) -> str:
    loads = " ".join(entry.load for entry in files if entry.name == SKILL)
    return (
        f"{loads} Begin with search_sections, then get_section for what fits. "
        f"The whole of it: {', '.join(skills.uris)}"
    )


def _stem(file: FileRecord) -> str:
    return file.records[0].section.id.partition("#")[0] if file.records else file.file.stem


def _line(record: SectionRecord) -> str:
    return f"{record.section.id}: {record.title}. {record.summary}"


def _expected(record: SectionRecord, explained: dict[str, str]) -> str:
    """Return what the reader of a section must bring, as a paragraph below its text."""
    names = [f"`{name}` ({explained[name].rstrip('.')})" for name in record.brings]
    names += [f"`{name}` in the environment" for name in record.environment]
    return f"\n(The code above expects {', '.join(names)}.)\n" if names else ""
