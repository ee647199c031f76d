"""Commands that are refused, because psqlpy 0.13.1 would lose the connection by them."""

from __future__ import annotations

from sqlspec.exceptions import SQLSpecError

from psqlpy_adapter.freshness import statements
from psqlpy_adapter.remembered import is_psqlpys_name
from psqlpy_adapter.sql_text import command, tokens


def refuse_harmful(sql: str) -> None:
    """Refuse what costs psqlpy the connection: its statements, or its place in the protocol."""
    if command(sql) == "COPY" and {token.text for token in tokens(sql)} & {"stdin", "stdout"}:
        msg = (
            "COPY to or from the client is no statement to execute: use load_from_arrow() or "
            "load_from_records() to write, select_to_arrow() or select_stream() to read"
        )
        raise SQLSpecError(msg)
    for statement in statements(sql):
        words = [token.text for token in statement[:3] if token.text != "prepare"]
        if words == ["discard", "all"] or (words[:1] == ["deallocate"] and _is_psqlpys(words[1:])):
            msg = (
                f"{' '.join(words).upper()} would end the prepared statements of psqlpy, which "
                "cannot do without them: the connection would be lost. Nothing was sent. Use "
                "RESET ALL, DISCARD TEMP, DISCARD SEQUENCES, CLOSE ALL, UNLISTEN * for what is "
                "to be undone, or conn_recycling_method='clean', which does all that at the end "
                "of each session"
            )
            raise SQLSpecError(msg)


def _is_psqlpys(names: list[str]) -> bool:
    """Whether DEALLOCATE ends statements of psqlpy."""
    return names == ["all"] or any(is_psqlpys_name(name) for name in names)
