"""A pack -> ``AGENTS.md``, ``llms.txt`` and ``llms-full.txt``."""

from __future__ import annotations

from collections.abc import Sequence

from proveskill.channels.contents import Page, Skill
from proveskill.channels.settings import Channels
from proveskill.manifest import SKILL, Manifest

MARK = "<!-- Made by `proveskill channels`"
"""What each text has that the command may overwrite."""
_NOTE = f"{MARK} from skill.yaml and the skills: change these. -->"
MOST_BYTES = 8192
"""Of AGENTS.md: it is in the context of every session."""


def index_files(
    manifest: Manifest, channels: Channels, skills: Sequence[Skill]
) -> dict[str, bytes]:
    """Return path in the pack -> content."""
    title = channels.title or manifest.name
    return {
        "AGENTS.md": _agents(title, manifest, skills).encode(),
        "llms.txt": _llms(title, manifest, skills).encode(),
        "llms-full.txt": _llms_full(title, manifest, skills).encode(),
    }


def _agents(title: str, manifest: Manifest, skills: Sequence[Skill]) -> str:
    """Return the index with as many section titles of each page as the limit allows."""
    longest = max(len(page.sections) for skill in skills for page in skill.pages)
    for most in range(longest, -1, -1):
        text = _agents_with(most, title, manifest, skills)
        if len(text.encode()) <= MOST_BYTES:
            break
    return text


def _agents_with(most: int, title: str, manifest: Manifest, skills: Sequence[Skill]) -> str:
    parts = [
        f"# {title}: index of the guidance",
        _NOTE,
        f"Read the file that fits the task before you write or review code.{_verified(manifest)}",
    ]
    for skill in skills:
        parts += [
            f"## {skill.name}",
            skill.description,
            f"Its folder is `{skill.place}` in the repository of the skill, "
            f"`.agents/skills/{skill.name}` or `.claude/skills/{skill.name}` in a project that "
            f"installed it, `site-packages/*/.agents/skills/{skill.name}` where a wheel brought "
            "it. Its files, when to load each, and their sections:",
            "\n".join(_entry(page, most) for page in skill.pages),
        ]
    return "\n\n".join(parts) + "\n"


def _entry(page: Page, most: int) -> str:
    shown = "; ".join(page.sections[:most])
    rest = len(page.sections) - most
    more = f"{'; ' if shown else ''}{rest} more" if rest > 0 else ""
    sections = f" [{shown}{more}]" if page.sections else ""
    return f"- `{page.path}`: {_when(page)}{sections}"


def _when(page: Page) -> str:
    return "read this one first" if page.path == SKILL else page.when.rstrip(".") or page.title


def _verified(manifest: Manifest) -> str:
    pins = ", ".join(f"{name} {version}" for name, version in manifest.versions.items())
    return f" What it says was run with {pins}." if pins else ""


def _llms(title: str, manifest: Manifest, skills: Sequence[Skill]) -> str:
    """Return the file in the format of llmstxt.org: title, summary, notes, lists of files."""
    parts = [
        f"# {title}",
        "> " + " ".join(skill.description for skill in skills),
        _NOTE,
        f"All of the files below in one: [llms-full.txt](llms-full.txt).{_verified(manifest)}",
    ]
    for skill in skills:
        parts += [
            f"## {skill.name}",
            "\n".join(
                f"- [{page.title}]({_link(skill, page)}): {_when(page)}" for page in skill.pages
            ),
        ]
    return "\n\n".join(parts) + "\n"


def _llms_full(title: str, manifest: Manifest, skills: Sequence[Skill]) -> str:
    """Return the text of every page, each below a line that names its file."""
    parts = [f"# {title}", "> " + " ".join(skill.description for skill in skills), _NOTE]
    if pins := _verified(manifest).strip():
        parts.append(pins)
    for skill in skills:
        parts += [f"<!-- {_link(skill, page)} -->\n\n{page.text.strip()}" for page in skill.pages]
    return "\n\n".join(parts) + "\n"


def _link(skill: Skill, page: Page) -> str:
    return page.path if skill.place == "." else f"{skill.place}/{page.path}"
