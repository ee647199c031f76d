"""The parts of a statement: its main verb, and the common table expressions in front of it.

Source: PostgreSQL manual, 7.8 "WITH Queries" and the synopsis of SELECT (SEARCH, CYCLE).
"""

from __future__ import annotations

from dataclasses import dataclass

from psqlpy_adapter.sql_text import Token, tokens


@dataclass(frozen=True, slots=True)
class Shape:
    """Where the parts of a statement are: `verb` in capitals stands at `tokens[main]`.

    `with_end` is the index of the first token after `WITH [RECURSIVE]`, or None without a WITH;
    the common table expressions are the tokens from there up to `main`; `end` is the index after
    the last token that is not a semicolon.
    """

    verb: str
    main: int
    with_end: int | None
    end: int


def _closing(code: tuple[Token, ...], index: int) -> int:
    """Return the index after the bracket that closes the one at `index`."""
    depth = 0
    for position in range(index, len(code)):
        if code[position].kind == "symbol":
            depth += (code[position].text == "(") - (code[position].text == ")")
            if depth == 0:
                return position + 1
    return len(code)


def shape(sql: str) -> Shape | None:
    """Find the main verb of a statement behind its common table expressions; None if unclear."""
    code = tokens(sql)
    end = len(code)
    while end and code[end - 1].text == ";" and code[end - 1].kind == "symbol":
        end -= 1
    code = code[:end]
    index, with_end = 0, None
    if code and code[0].kind == "word" and code[0].text == "with":
        index = 2 if len(code) > 1 and code[1].text == "recursive" else 1
        with_end = index
        while index < end:
            while index < end and code[index].text != "(":  # name, AS, [NOT] MATERIALIZED
                index += 1
            index = _closing(code, index)
            if index < end and code[index].text == "as":  # that was the list of columns
                continue
            if index < end and code[index].text in ("search", "cycle"):
                last = "set" if code[index].text == "search" else "using"
                while index < end and code[index].text != last:
                    index += 1
                index += 2
            if index < end and code[index].text == ",":
                index += 1
                continue
            break
    if index >= end or code[index].kind != "word":
        return None
    return Shape(code[index].text.upper(), index, with_end, end)
