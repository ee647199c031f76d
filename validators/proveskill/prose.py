"""Block tokens of a section -> its statements: what its sentences claim.

A statement is a list item, a row of a table or a sentence of a paragraph. Headings, and lines that
are nothing but links, claim nothing. The text of a statement is what a reader sees, with code in
backticks: emphasis is dropped, of a link its text stays, line breaks become blanks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from proveskill.model import Statement

_INLINE = MarkdownIt("commonmark")
_CODE = re.compile(r"(`+).+?\1")
_END = re.compile(r"[.!?][\"')\]]*\s+(?=[\"'(\[`]*[A-Z0-9`])")
_SHORT = re.compile(r"\b(?:e\.g|i\.e|vs|cf|No|Nos|approx|resp)\.\s*$")
"""Abbreviations that end no sentence."""
_ROW_END = re.compile(r"\s*(?<!\\)\|?\s*\Z")
_OPEN = ("paragraph_open", "heading_open", "list_item_open", "tr_open")


def statements(
    tokens: Sequence[Token], file: Path, section_id: str, lines: Sequence[str]
) -> Iterator[Statement]:
    """Yield the statements of a section, numbered from 1 in the order of the text.

    ``lines`` are those of the whole file.
    """
    for number, found in enumerate(_found(tokens, file, lines), 1):
        yield replace(found, id=f"{section_id}/s{number}")


def _found(tokens: Sequence[Token], file: Path, lines: Sequence[str]) -> Iterator[Statement]:
    kinds: list[str] = []  # of the blocks around, the innermost last
    header = ""
    index = 0
    while index < len(tokens):
        token = tokens[index]
        if token.type == "tr_open":
            end = next(i for i in range(index, len(tokens)) if tokens[i].type == "tr_close")
            cells = [text_of(t.content) for t in tokens[index:end] if t.type == "inline"]
            text = " | ".join(cells)
            if tokens[index + 1].type == "th_open":
                header = text
            elif any(cells) and token.map:
                line = token.map[0] + 1
                column = len(_ROW_END.sub("", lines[line - 1]))
                yield Statement("", file, line, text, table=header, end=(line, column))
            index = end
        elif token.type in _OPEN:
            kinds.append(token.type)
        elif token.type.replace("_close", "_open") in _OPEN:
            kinds.pop()
        elif token.type == "inline" and token.map and kinds[-1] == "paragraph_open":
            in_item = len(kinds) > 1 and kinds[-2] == "list_item_open"
            if not _is_links(token.content):
                line = token.map[0] + 1
                for part, start, stop in _sentences(token.content, whole=in_item):
                    before = token.content.count("\n", 0, start)
                    place = _end_of(token.content, stop, line, lines)
                    yield Statement("", file, line + before, part, end=place)
        index += 1


def _sentences(content: str, *, whole: bool) -> Iterator[tuple[str, int, int]]:
    """Yield text, start and end of the sentences of a paragraph, all of it for a list item's."""
    start = 0
    for end in (*([] if whole else _ends(content)), len(content)):
        if text := text_of(content[start:end]):
            yield text, start, end
        start = end


def _end_of(content: str, end: int, line: int, lines: Sequence[str]) -> tuple[int, int]:
    """Return where in the file a part of a paragraph ends that begins at a line of it."""
    shown = content[:end].rstrip()
    number = line + shown.count("\n")
    # A paragraph's line is the end of a line of the file: what a list or a quote adds is before it.
    rest = content[len(shown) :].partition("\n")[0]
    return number, len(lines[number - 1].rstrip()) - len(rest.rstrip())


def _ends(content: str) -> Iterator[int]:
    """Yield where a sentence ends and another one begins; not inside code, brackets of links."""
    masked = _CODE.sub(lambda match: "`" + "x" * (len(match[0]) - 2) + "`", content)
    masked = re.sub(r"\]\([^)]*\)", lambda match: "]" + "x" * (len(match[0]) - 1), masked)
    # Emphasis around a whole sentence ends after its full stop.
    masked = re.sub(r"\*+|(?<!\w)_|_(?!\w)", lambda match: "'" * len(match[0]), masked)
    for match in _END.finditer(masked):
        if not _SHORT.search(masked[: match.start() + 1]):
            yield match.end()


def text_of(content: str) -> str:
    """Return the text of inline Markdown, code in backticks, without other marks."""
    parts: list[str] = []
    for token in _INLINE.parseInline(content.strip())[0].children or ():
        if token.type == "code_inline":
            parts.append(f"`{token.content}`")
        elif token.type in ("softbreak", "hardbreak"):
            parts.append(" ")
        elif token.type in ("text", "text_special", "image"):
            parts.append(token.content)
    return " ".join("".join(parts).split())


def _is_links(content: str) -> bool:
    """Whether all words of inline Markdown stand in links."""
    depth, linked = 0, False
    for token in _INLINE.parseInline(content)[0].children or ():
        depth += token.nesting if token.type in ("link_open", "link_close") else 0
        linked |= token.type == "link_open"
        if not depth and token.type in ("text", "code_inline") and re.search(r"\w", token.content):
            return False
    return linked
