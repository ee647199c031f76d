"""Scripts, cut into statements as psql cuts them.

What SQLSpec 0.69 does: its splitter takes the first `*/` for the end of a nested comment, a quote
behind a backslash in `E''` for the end of the string, and every semicolon in the body of a
`BEGIN ATOMIC` function for the end of a statement; and it looks for placeholders, as in a function
that ends with `RETURN $1 + 1`.

What this does instead: a statement ends at a semicolon outside of brackets, quotes, comments and
such bodies; a script without parameters is sent as it is written.
Source: psql's psqlscan.l; PostgreSQL manual, "CREATE FUNCTION" (sql_body) and "CREATE RULE".
"""

from __future__ import annotations

from psqlpy_adapter.sql_text import Token, tokens


def split_script(sql: str) -> list[str]:
    """Return the statements of a script, without their semicolons; empty ones are left out."""
    statements = []
    start = brackets = bodies = 0
    has_code = False
    before = ""
    for token in tokens(sql):
        text = _code(token)
        if text in ("(", "["):
            brackets += 1
        elif text in (")", "]"):
            brackets = max(0, brackets - 1)
        elif (text == "atomic" and before == "begin") or (text == "case" and bodies):
            bodies += 1
        elif text == "end" and bodies:
            bodies -= 1
        elif text == ";" and not brackets and not bodies:
            if has_code:
                statements.append(sql[start : token.start].strip())
            start, has_code = token.end, False
            continue
        has_code, before = True, text
    if has_code:
        statements.append(sql[start:].strip())
    return statements


def _code(token: Token) -> str:
    return token.text if token.kind in ("word", "symbol") else ""
