"""The commands that the README gives a newcomer, and where each one puts the skill."""

from __future__ import annotations

import json
from pathlib import Path

from installs import ROOT
from markdown_it import MarkdownIt
from markdown_it.token import Token

VERSION = json.loads((ROOT / ".claude-plugin" / "plugin.json").read_text())["version"]
_CACHE = f"plugins/cache/sqlspec-psqlpy/sqlspec-psqlpy/{VERSION}/skills"
WITH_NPM = {
    "Claude Code": f"home/.claude/{_CACHE}",
    "Codex": f"home/.codex/{_CACHE}",
    "Gemini CLI": "home/.gemini/skills",
    "Cursor": "project/.agents/skills",
    "GitHub Copilot": "project/.agents/skills",
    "others, and several at once": "project/.agents/skills",
}
"""Where each assistant then has the skill."""
WITH_PYTHON = "any, in a project whose `.venv` has the wheel"
WITHOUT_A_TOOL = "any, without a tool"

_ANSWERS = {"npx skills": " --yes", "gemini skills": " --consent", "uvx library-skills": " --yes"}
"""What a command asks a person, who is not there."""


def assistants() -> dict[str, str]:
    """Return assistant -> command, of the table in the README."""
    tokens = _tokens("Load the skill in an assistant")
    cells = [token for token in tokens if token.type == "inline" and token.level == 4]
    rows = zip(cells[3::3], cells[4::3], strict=True)
    return {name.content: _code_in(code) for name, code in rows}


def command_of(assistant: str, source: Path | str) -> str:
    """Return the command that brings the skill from a source to an assistant."""
    command = assistants()[assistant].replace("PATH", str(source))
    return command + "".join(a for start, a in _ANSWERS.items() if command.startswith(start))


def own_pack() -> tuple[str, list[str]]:
    """Return the SKILL.md of the README and the commands that verify it."""
    fences = [t for t in _tokens("Use the engine on another pack") if t.type == "fence"]
    skill, commands = (next(f for f in fences if f.info == name) for name in ("markdown", "sh"))
    return skill.content, commands.content.splitlines()


def _tokens(heading: str) -> list[Token]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    titles = [
        n for n, token in enumerate(tokens) if (token.type, token.tag) == ("heading_open", "h2")
    ]
    start = next(n for n in titles if tokens[n + 1].content == heading)
    return tokens[start : next((n for n in titles if n > start), None)]


def _code_in(cell: Token) -> str:
    return next(child.content for child in cell.children or () if child.type == "code_inline")
