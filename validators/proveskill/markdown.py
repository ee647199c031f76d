"""Markdown text -> sections of snippets and statements. With ``prose``, all that reads Markdown.

markdown-it-py's CommonMark tokens decide what is a fence, never a pattern of our own: what a
reader's renderer shows as code is what gets a verdict.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.front_matter import front_matter_plugin

from proveskill.languages import ALIASES, RUNNERS
from proveskill.model import Section, Snippet
from proveskill.prose import statements

NOT_RUN = re.compile(r"<!--\s*not run:\s*(?P<reason>\S.*?)\s*-->\s*\Z", re.DOTALL)
_LIKE_NOT_RUN = re.compile(r"<!--\s*(not[\s_-]*run|no[\s_-]?run|skip)\b", re.IGNORECASE)
_FENCE_IN_HTML = re.compile(r"^[ >\t]*(`{3,}|~{3,})(?P<info>[^`\n]*)$", re.MULTILINE)

# Inline text is parsed by `prose`, where it claims something: it is two thirds of the cost.
_PARSER = MarkdownIt("commonmark").enable("table").use(front_matter_plugin).disable("inline")


@dataclass(frozen=True)
class Heading:
    """A heading: its level (1 to 6), its text and its line."""

    level: int
    text: str
    line: int


def parse(text: str) -> list[Token]:
    """Return the block tokens of a Markdown document."""
    # Without a last line break, the closing line of a fence could not be told from its code.
    return _PARSER.parse(text if text.endswith("\n") else text + "\n")


def slugify(title: str) -> str:
    """Return the anchor that GitHub gives a heading (without its ``-1`` for duplicates)."""
    return re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")


def title_of(text: str) -> str:
    """Return the first ``#`` heading of a Markdown text, empty where there is none."""
    return next((heading.text for _, heading in _headings(parse(text)) if heading.level == 1), "")


@dataclass(frozen=True)
class Document:
    """A Markdown file: its sections, and how many things in it must get a verdict.

    ``fences`` is counted on all tokens at once, independently of how sections are cut.
    """

    sections: tuple[Section, ...]
    fences: int


def read_document(file: Path, name: str) -> Document:
    """Split a file at its ``##`` headings; text before the first is the section ``top``.

    ``name`` is the file's part of the ids. Raises ``OSError`` and ``UnicodeDecodeError``.
    """
    text = file.read_text(encoding="utf-8-sig")
    tokens = parse(text)
    return Document(tuple(_sections(tokens, file, name, text)), _count(tokens))


def _sections(tokens: list[Token], file: Path, name: str, text: str) -> Iterator[Section]:
    lines, last_line = text.split("\n"), len(text.splitlines())
    starts = [(Heading(2, "top", 1), 0)]
    starts += [(h, index) for index, h in _headings(tokens) if h.level == 2]
    taken: dict[str, int] = {}
    for position, (heading, start) in enumerate(starts):
        following = starts[position + 1] if position + 1 < len(starts) else None
        slug = slugify(heading.text) or "section"
        taken[slug] = taken.get(slug, -1) + 1
        section_id = f"{name}#{slug}" + (f"-{taken[slug]}" if taken[slug] else "")
        body = tokens[start : following[1] if following else None]
        yield Section(
            id=section_id,
            title=heading.text,
            file=file,
            line=heading.line,
            end_line=following[0].line - 1 if following else last_line,
            snippets=tuple(_snippets(body, file, section_id)),
            statements=tuple(statements(body, file, section_id, lines)),
        )


def _count(tokens: list[Token]) -> int:
    total = 0
    for token in tokens:
        if token.type in ("fence", "code_block"):
            total += 1
        elif token.type == "html_block":
            total += len(_hidden_fences(token.content))
    return total


def _headings(tokens: list[Token]) -> Iterator[tuple[int, Heading]]:
    for index, token in enumerate(tokens):
        # A heading inside a quote or a list does not start a section.
        if token.type == "heading_open" and token.level == 0 and token.map:
            text = re.sub(r"[`*]", "", tokens[index + 1].content)
            yield index, Heading(int(token.tag[1]), text, token.map[0] + 1)


def _snippets(tokens: list[Token], file: Path, section_id: str) -> Iterator[Snippet]:
    found: list[Snippet] = []
    for index, token in enumerate(tokens):
        before = tokens[index - 1] if index else None
        if token.type == "fence":
            snippet = _fence(token, file)
            snippet = _with_directive(snippet, before)
            if snippet.language == "text" and not snippet.problem and not snippet.not_run:
                snippet = _with_origin(snippet, before, found)
            new = [snippet]
        elif token.type == "code_block" and token.map:
            line = token.map[0] + 1
            new = [
                Snippet(
                    id="", file=file, line=line, first_line=line, language="indented",
                    source=token.content,
                    problem="an indented code block has no language; use a fence: ```python",
                    unknown=True,
                )
            ]  # fmt: skip
        elif token.type == "html_block" and token.map:
            new = [
                Snippet(
                    id="", file=file, line=token.map[0] + offset, first_line=token.map[0] + offset,
                    language=info or "html", source="",
                    problem="a fence inside HTML is not rendered as code; take it out of the HTML",
                )
                for offset, info in _hidden_fences(token.content)
            ]  # fmt: skip
        else:
            continue
        for snippet in new:
            found.append(replace(snippet, id=f"{section_id}/{len(found) + 1}"))
    return iter(found)


def _fence(token: Token, file: Path) -> Snippet:
    assert token.map is not None  # markdown-it sets it on every block token
    start, end = token.map
    written = token.info.strip().split(maxsplit=1)[0] if token.info.strip() else ""
    language = ALIASES.get(written.lower(), written)
    problem, unknown = None, False
    # Opening line + code + closing line; without a closing line one is missing.
    if end - start != token.content.count("\n") + 2:
        problem = f"the fence is not closed: add a line {token.markup} after the code"
    elif not written:
        problem = "the fence has no language; name one: " + ", ".join(sorted(RUNNERS))
        unknown = True
    elif language not in RUNNERS:
        problem = f"unknown language {written!r}; known: " + ", ".join(sorted(RUNNERS))
        unknown = True
    return Snippet(
        id="", file=file, line=start + 1, first_line=start + 2, language=language,
        source=token.content, problem=problem, unknown=unknown,
    )  # fmt: skip


def _with_directive(snippet: Snippet, before: Token | None) -> Snippet:
    if before is None or before.type != "html_block":
        return snippet
    if match := NOT_RUN.search(before.content):
        return replace(snippet, not_run=" ".join(match["reason"].split()))
    if _LIKE_NOT_RUN.search(before.content):
        wrong = "write the directive as <!-- not run: REASON -->"
        return replace(snippet, problem=wrong, unknown=False)
    return snippet


def _with_origin(snippet: Snippet, before: Token | None, found: list[Snippet]) -> Snippet:
    origin = found[-1] if found and before is not None and before.type == "fence" else None
    if origin is None or origin.problem or RUNNERS[origin.language] != "worker":
        return replace(
            snippet,
            problem="a text fence shows the output of the python, sql or bash fence directly "
            "above it; there is none",
            unknown=True,
        )
    return replace(snippet, shows=origin.id)


def _hidden_fences(html: str) -> list[tuple[int, str]]:
    """Return (line offset, info) of each opening fence inside a block of HTML."""
    lines = [
        (html.count("\n", 0, match.start()) + 1, match["info"].strip())
        for match in _FENCE_IN_HTML.finditer(html)
    ]
    return lines[::2]  # every second one closes
