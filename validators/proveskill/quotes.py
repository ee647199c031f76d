"""A quote of a proof, and what it finds in the text.

The fields are those of the `parse` library (PyPI), the reverse of ``str.format``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from string import Formatter

import parse

from proveskill.model import Statement


class BadQuote(ValueError):
    """A quote that is no format string."""


@dataclass(frozen=True)
class Match:
    """What a statement states: the text of each field."""

    statement: Statement
    values: dict[str, str]


@dataclass(frozen=True)
class Quote:
    """A pattern for statements, of one section and of rows of some tables only where it says so."""

    text: str
    section: str | None = None
    tables: tuple[str, ...] = ()
    _pieces: list[tuple[str, str | None]] = field(init=False, repr=False, compare=False)
    """Each literal piece, and the field behind it."""

    def __post_init__(self) -> None:
        try:
            found = [(literal, name) for literal, name, _, _ in Formatter().parse(self.text)]
        except ValueError as error:
            raise BadQuote(f"{error}; a brace of the text is written twice") from None
        if any(name is not None and not name.isidentifier() for _, name in found):
            raise BadQuote("a field without a name; a brace of the text is written twice")
        object.__setattr__(self, "_pieces", found)

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields, in their order."""
        return tuple(dict.fromkeys(name for _, name in self._pieces if name is not None))

    @cached_property
    def literal(self) -> str:
        """The words of the quote, without its fields."""
        return "".join(literal for literal, _ in self._pieces)

    @cached_property
    def _parser(self) -> parse.Parser:
        try:
            return parse.compile(self.text, case_sensitive=True)
        except (ValueError, TypeError, parse.RepeatedNameError) as error:
            raise BadQuote(str(error)) from None

    def of_any_table(self) -> Quote:
        """Return the same quote, of rows under any header."""
        return replace(self, tables=())

    def match(self, statement: Statement) -> Match | None:
        """Return what a statement states, if it is what is quoted. Raises :class:`BadQuote`."""
        if self.fields and not statement.text.startswith(self._pieces[0][0]):
            return None
        if self.section is not None and statement.id.rpartition("/")[0] != self.section:
            return None
        if self.tables and statement.table not in (None, *self.tables):
            return None
        if not self.fields:
            return Match(statement, {}) if statement.text == self.literal else None
        found = self._parser.parse(statement.text)
        if found is None:
            return None
        return Match(
            statement, {name: statement.text[slice(*found.spans[name])] for name in found.named}
        )
