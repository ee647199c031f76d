"""The parameter sets of a batch by parameter, and how each of them is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

from sqlspec.exceptions import DataError

from psqlpy_adapter.arrays import column
from psqlpy_adapter.types import PgType, TextNeeded
from psqlpy_adapter.types.pgtype import Unfit
from psqlpy_adapter.types.texts import text

if TYPE_CHECKING:
    from psqlpy_adapter.execution import ExecutionMixin
    from psqlpy_adapter.plans import Plan

ROWS = 20_000
"""How many parameter sets go into one message at most."""
BYTES = 16 * 1024 * 1024
"""How long one message may get, unless one set alone is longer."""

_TEXT = PgType(25, "pg_catalog", "text", "b", "textrecv", 1009)
_Message = TypeVar("_Message")


def messages(
    start: int, end: int, encode: Callable[[int, int], tuple[int, _Message]]
) -> Iterator[tuple[int, _Message]]:
    """Yield (number of sets, message) for the sets from `start` up to `end`.

    `encode` gives the length in bytes and the message of the sets from one place up to another.
    """
    for first in range(start, end, ROWS):
        last = min(first + ROWS, end)
        length, message = encode(first, last)
        if last - first > 1 and length > BYTES:
            middle = (first + last) // 2
            yield from messages(first, middle, encode)
            yield from messages(middle, last, encode)
        else:
            yield last - first, message


class Columns:
    """The values of all sets by parameter, and how each parameter is sent.

    `texts` are the parameters whose values only the server can read (`"2024-01-01"` for a date):
    they are sent as text and cast in the statement. `binary` encodes one value of a parameter.
    """

    def __init__(self, driver: ExecutionMixin, plan: Plan, sets: Sequence[Sequence[Any]]) -> None:
        # Not zip(*sets): that makes an iterator a set, which sets off the garbage collector.
        self.values = [list(map(itemgetter(n), sets)) for n in range(len(plan.parameters))]
        self.binary = [driver.catalogue.binary(t) for t in plan.parameters]
        self.texts = {
            number: pg_type.quoted
            for number, pg_type in enumerate(plan.parameters, 1)
            if self._needs_text(number)
        }
        self.types = tuple(
            _TEXT if number in self.texts else pg_type
            for number, pg_type in enumerate(plan.parameters, 1)
        )

    def _needs_text(self, number: int) -> bool:
        for value in self.values[number - 1]:
            if value is not None:
                try:
                    self.binary[number - 1](value)
                except TextNeeded:
                    return True
                except DataError:
                    return False  # for a statement a set to say which set is wrong
                return False
        return False

    def _text(self, number: int, value: Any) -> bytes:
        try:
            self.binary[number - 1](value)
        except TextNeeded as needed:
            try:
                return text(needed.text)
            except Unfit as error:
                raise DataError(str(error)) from error
        raise DataError("only some of the values are text for the server to read")

    def array(self, number: int, start: int, end: int) -> bytes:
        """Return the array of parameter `number` for the sets from `start` up to `end`."""
        values = self.values[number - 1][start:end]
        if number in self.texts:
            return column(_TEXT, values, lambda value: self._text(number, value))
        return column(self.types[number - 1], values, self.binary[number - 1])
