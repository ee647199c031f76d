"""``@proves``: what a proof says it proves (``from proveskill import proves``).

The engine reads the decorator in the source (:mod:`proof_index`), matches the quotes with the text,
and runs the function with what the text states. Plain pytest does not collect it: run it with
``proveskill verify . -k NAME``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

PROOF = "__proveskill_proof__"
"""The attribute of a function that plain pytest leaves alone: it has no values to give to it."""
F = TypeVar("F", bound=Callable[..., Any])


def proves(
    *quotes: str,
    section: str | None = None,
    table: str | tuple[str, ...] = (),
    adapter: str | None = None,
) -> Callable[[F], F]:
    """Mark a test as the proof of the statements that it quotes.

    A quote is a statement as a reader sees it, with code in backticks and the values as fields of
    the ``parse`` library: ``"The pool needs at least {minimum} connections."``. The test gets each
    field as an argument, converted to its annotation (``minimum: int``); a brace of the text is
    written twice. A row of a table is its cells with `` | `` between them.

    One quote may match many statements (the rows of a table): the test runs for each. Of several
    quotes each must match one statement; the test runs once, with the fields of all. With several
    decorators each is a proof of its own.

    Args:
        quotes: literal strings, one at least.
        section: only statements of this section: ``"configuration#pool"``.
        table: the header of the table whose rows are meant, or several: ``"Key | Default"``. Rows
            need it: what a cell means is said by the head of its column.
        adapter: the only variant of the pack for which the statement is made; default: all.
    """
    del quotes, section, table, adapter

    def marked(function: F) -> F:
        setattr(function, PROOF, True)
        return function

    return marked
