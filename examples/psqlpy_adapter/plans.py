"""A statement that the server has described: how its values are sent and its rows are read."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from operator import call
from typing import Any

from sqlspec.exceptions import DataError, SQLSpecError

from psqlpy_adapter.counts import merged
from psqlpy_adapter.freshness import changes, names_in
from psqlpy_adapter.sql_text import cast_placeholders, command
from psqlpy_adapter.types import Catalogue, Encoder, PgType, Read, TextNeeded


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a result; `type` is None where the server does not tell it (before 16)."""

    name: str
    type: PgType | None


class Plan:
    """A statement as one connection has it prepared: `encode` what goes in, `rows` what comes out.

    `source` is the text asked for, `sql` the text to send. `columns` is None when the statement
    returns no rows. `counts` says that `sql` is the form of a DML statement that returns the number
    of its rows, `explains` that it returns what it has done as a plan of the server; `uncounted`
    that a DML statement has no such form. `batch` is concurrency.py's note, `fastest` the seconds
    of the fastest run by itself, `packing` that of packing.py. `is_renamed`: `sql` gives its
    columns other names, because psqlpy's decoders know a column by its name only, and two of one
    name differ in type; `names` are the statement's own (of columns with the same name the last one
    stays, as in SQLSpec). `rests_on`: the names in it whose meaning decides its types; `unsettles`:
    it may change what names mean; `is_gone`: it was forgotten, and is not to be used any more;
    `is_outdated`: because what it rests on was changed, so that whoever waits with it must not send
    it either.
    """

    __slots__ = (
        "batch", "columns", "command", "counts", "decoders", "encoders", "exact", "explains",
        "fastest", "is_gone", "is_outdated", "is_renamed", "names", "names_on_server",
        "packing", "parameters", "rests_on", "source", "sql", "state", "uncounted", "unsettles",
    )  # fmt: skip

    def __init__(
        self,
        source: str,
        sql: str,
        parameters: tuple[PgType, ...],
        columns: tuple[Column, ...] | None,
        catalogue: Catalogue,
        names: list[str] | None = None,
    ) -> None:
        self.source = source
        self.sql = sql
        self.command = command(source)
        self.parameters = parameters
        self.columns = columns
        self.counts = False
        self.explains = False
        self.uncounted = False
        self.batch: Any = None
        self.fastest = inf
        self.packing: Any = None
        self.state: Any = None
        self.is_gone = False
        self.is_outdated = False
        self.unsettles = changes(source) != ""
        self.rests_on = names_in(source)
        self.names_on_server: list[str] = []
        self.encoders: tuple[Encoder, ...] = tuple(map(catalogue.encode, parameters))
        self.is_renamed = names is not None
        self.names: list[str] = names or [column.name for column in columns or ()]
        self.exact: dict[str, Read] = {}
        self.decoders: dict[str, Read] | None = None
        needed: dict[str, Read] = {}
        for column in columns or ():
            if column.type is None:
                continue
            key = column.name.lower()
            exact = catalogue.exact(column.type)
            self.exact[key] = exact
            decoder = catalogue.decode(column.type)
            if decoder is not None:
                needed[key] = decoder
            else:  # of columns with the same name the last one stays
                needed.pop(key, None)
        self.decoders = needed or None

    def encode(self, values: Any) -> list[Any]:
        """Return what psqlpy is to bind. DataError names the parameter and both types."""
        if len(values) != len(self.encoders):
            msg = f"the statement has {len(self.encoders)} parameters, {len(values)} were given"
            raise SQLSpecError(msg)
        try:
            return list(map(call, self.encoders, values))
        except DataError:
            self._name_parameter(values)
            raise
        except ValueError as error:
            raise DataError(str(error)) from error

    def as_text(self, values: Any) -> tuple[str, list[Any]]:
        """Return the text that has the server read what only it can read, and its values."""
        types, given = {}, list(values)
        for index, (encode, value) in enumerate(zip(self.encoders, values, strict=True)):
            try:
                encode(value)
            except TextNeeded as needed:
                types[index + 1] = self.parameters[index].quoted
                given[index] = needed.text
        return cast_placeholders(self.source, types), given

    def refuses(self, values: Any) -> bool:
        """Whether one of the values does not fit its parameter."""
        try:
            self.encode(values)
        except TextNeeded:
            return False
        except DataError:
            return True
        return False

    def _name_parameter(self, values: Any) -> None:
        for number, (encode, value) in enumerate(zip(self.encoders, values, strict=True), 1):
            try:
                encode(value)
            except DataError as error:
                named = type(error)(f"parameter ${number}: {error}")
                if isinstance(error, TextNeeded) and isinstance(named, TextNeeded):
                    named.text = error.text
                raise named from error.__cause__

    def rows(self, result: Any) -> list[dict[str, Any]]:
        """Return the rows of a psqlpy result as dicts."""
        if self.columns is None:
            return []
        if self.explains:
            return [{"count": merged(*row.values())} for row in result.result()]
        try:
            if self.decoders is None and not self.is_renamed:  # nearly always
                plain: list[dict[str, Any]] = result.result()
                return plain
            return self._read(result, self.decoders)
        except SQLSpecError:
            raise
        except Exception:  # noqa: BLE001 (a value that only the exact decoders can read)
            try:
                return self._read(result, self.exact)
            except SQLSpecError:
                raise
            except Exception as error:
                raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> SQLSpecError:
        unknown = [column.name for column in self.columns or () if column.type is None]
        if not unknown:
            return SQLSpecError(f"psqlpy cannot read the result: {error}")
        return SQLSpecError(
            "psqlpy cannot read a column of the result, and the server does not tell the types of "
            f"columns ({', '.join(unknown)}): cast it to text (column::text), or use PostgreSQL 16 "
            f"or later. psqlpy says: {error}"
        )

    def _read(self, result: Any, decoders: dict[str, Read] | None) -> list[dict[str, Any]]:
        if self.is_renamed:
            rows = result.result(custom_decoders=decoders, as_tuple=True)
            return [dict(zip(self.names, row, strict=True)) for row in rows]
        if decoders is None:
            plain: list[dict[str, Any]] = result.result()
            return plain
        decoded: list[dict[str, Any]] = result.result(custom_decoders=decoders)
        return decoded
