"""A scanner of SQL text by the server's own lexical rules: what is code, what is only text.

SQLSpec reads statements with sqlglot, which takes `$1,$` for the tag of a dollar-quoted string,
does not know every operator, and writes a statement anew when it changes one (`<=>` became
`IS NOT DISTINCT FROM`). Nothing here rewrites more than the characters it is asked to; whatever
is not understood stays as it is.

Source: PostgreSQL manual, 4.1 "Lexical Structure" (nested comments, dollar quotes, `E''`, `U&""`).
May be unnecessary when sqlglot reads `$1,$2` (30.30 does not) and SQLSpec stops rewriting DML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Kind = Literal["word", "quoted", "string", "number", "placeholder", "symbol"]

_COMMENT_EDGE = re.compile(r"/\*|\*/")
_TOKEN = re.compile(
    r"""
    (?P<space>\s+|--[^\r\n]*)
  | (?P<comment>/\*)
  | (?P<string>[eE]'(?:[^'\\]|\\.|'')*' | (?:[bBxXnN]|[uU]&)?'(?:[^']|'')*')
  | (?P<quoted>(?:[uU]&)?"(?:[^"]|"")*")
  | (?P<tag>\$(?:[^\W\d]\w*)?\$)
  | (?P<placeholder>\$\d+)
  | (?P<number>0[xXoObB][0-9A-Fa-f_]+ | (?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?)
  | (?P<word>[^\W\d][\w$]*)
  | (?P<symbol>[()\[\],;.] | (?:(?!--|/\*)[-+*/<>=~!@#%^&|`?:])+ | .)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"\\(?:\\|\+((?:0[0-9A-Fa-f]|10)[0-9A-Fa-f]{4})|([0-9A-Fa-f]{4}))")
_NAME_BYTES = 63


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of code; comments and white space are left out.

    `text` is lower-cased for a word, without its quotes for a quoted identifier, else as written;
    brackets, comma, semicolon and dot are one symbol each, operator characters one run.
    """

    kind: Kind
    text: str
    start: int
    end: int


def scan(sql: str) -> Iterator[tuple[str, int, int]]:
    """Yield (group of `_TOKEN`, start, end) of each piece, quotes and comments whole."""
    position = 0
    while position < len(sql):
        match = _TOKEN.match(sql, position)
        assert match is not None
        kind, end = str(match.lastgroup), match.end()
        if kind == "tag":
            close = sql.find(match.group(), end)
            end = len(sql) if close < 0 else close + len(match.group())
        elif kind == "comment":
            depth = 1
            while depth and (edge := _COMMENT_EDGE.search(sql, end)):
                depth += 1 if edge.group() == "/*" else -1
                end = edge.end()
            end = len(sql) if depth else end
        yield kind, position, end
        position = end


@lru_cache(maxsize=2048)
def tokens(sql: str) -> tuple[Token, ...]:
    """Return the code of a statement whose parameters are numbered (`$1`)."""
    found = []
    for kind, start, end in scan(sql):
        text = sql[start:end]
        if kind == "word":
            text = text.lower()
        elif kind == "quoted":
            text = text[text.index('"') + 1 : -1].replace('""', '"')
        elif kind == "tag":
            kind = "string"
        if kind not in ("space", "comment"):
            found.append(Token(kind, text, start, end))  # type: ignore[arg-type]
    return tuple(found)


def stored_name(sql: str, token: Token) -> str:
    """Return an identifier as the catalogue of a UTF8 database has it.

    Only ASCII letters are lower-cased there; what is longer than 63 bytes is cut off.
    """
    name = token.text
    if token.kind == "quoted" and sql[token.start] in "uU":
        name = _ESCAPED.sub(lambda found: chr(int(found[1] or found[2] or "5C", 16)), name)
    elif token.kind == "word" and not name.isascii():
        name = sql[token.start : token.end].encode(errors="replace").lower().decode()
    return name.encode(errors="replace")[:_NAME_BYTES].decode(errors="ignore")


def cast_placeholders(sql: str, types: Mapping[int, str]) -> str:
    """Return the text with `$n` of each number in `types` read as text and cast to its type.

    The server then parses a string given for it (`($1::text)::pg_catalog."inet"`).
    """
    pieces, last = [], 0
    for token in tokens(sql):
        if token.kind == "placeholder" and (type_name := types.get(int(token.text[1:]))):
            pieces += [sql[last : token.start], f"({token.text}::text)::{type_name}"]
            last = token.end
    return "".join([*pieces, sql[last:]])


def command(sql: str) -> str:
    """Return the first keyword of a statement in capitals, "" when there is none."""
    for token in tokens(sql):
        if token.kind == "word":
            return token.text.upper()
        if token.text != "(":
            break
    return ""
