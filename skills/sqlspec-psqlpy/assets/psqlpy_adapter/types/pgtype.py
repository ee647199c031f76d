"""What a PostgreSQL type is, and how a value that does not fit one is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlspec.exceptions import DataError

Binary = Callable[[Any], bytes]
"""Gives the binary send format of one value that is not None; raises `Unfit` for a wrong one."""
Read = Callable[[bytes], Any]
"""Gives the Python value of one binary value that is not NULL."""


class Unfit(ValueError):
    """Why a Python value cannot be a value of the type at hand; the text ends an error message."""


class ServerParses(Exception):
    """The value is best given as `text`, which the server reads as a literal of the type."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class TextNeeded(DataError):
    """The server has to read the value, given as `text`: a string for a type that is not text.

    A single statement answers it with `$n` -> `($n::text)::type`; where that cannot be done it is
    the error that says so.
    """

    text: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """An attribute of a composite type."""

    name: str
    type: PgType


@dataclass(frozen=True, slots=True)
class PgType:
    """A row of pg_type with what it refers to; two are equal when their oids are.

    `kind` is pg_type.typtype: b(ase), c(omposite), d(omain), e(num), m(ultirange), p(seudo),
    r(ange). `receive` is the name of its binary input function, "" when it has none. `element` is
    set for arrays (vectors such as int2vector too), `base` for domains, `subtype` for ranges and,
    as the range, for multiranges. `array_oid` is 0 when there is no array type.
    """

    oid: int
    schema: str = field(compare=False)
    name: str = field(compare=False)
    kind: str = field(compare=False)
    receive: str = field(compare=False)
    array_oid: int = field(compare=False)
    element: PgType | None = field(compare=False, default=None)
    base: PgType | None = field(compare=False, default=None)
    subtype: PgType | None = field(compare=False, default=None)
    fields: tuple[Field, ...] = field(compare=False, default=())

    @property
    def quoted(self) -> str:
        """The name with its schema, safe to put in a statement."""
        return ".".join('"' + part.replace('"', '""') + '"' for part in (self.schema, self.name))

    @property
    def is_alterable(self) -> bool:
        """Whether it is a composite type, or made of one: what it is may change under its oid."""
        parts = (self.element, self.base, self.subtype)
        return self.kind == "c" or any(part is not None and part.is_alterable for part in parts)

    def __str__(self) -> str:
        if self.element is not None and self.name.startswith("_"):
            return f"{self.element}[]"
        return (
            self.name if self.schema in ("pg_catalog", "public") else f"{self.schema}.{self.name}"
        )


def refusal(pg_type: PgType, value: object, reason: str) -> DataError:
    """Return the error for a value that does not fit: both types by name, and the reason."""
    kind = type(value)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    return DataError(f"a Python {name} cannot be a PostgreSQL {pg_type}: {reason}")


def expected(wanted: str) -> Unfit:
    """Return the refusal of a value of a wrong Python type, naming the right ones."""
    return Unfit(f"expected {wanted}")
