"""Where SQLSpec meets a failure of psqlpy: there it becomes what `errors` makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psqlpy.exceptions as psqlpy_errors
from sqlspec.adapters.psqlpy.driver import PsqlpyExceptionHandler as StockExceptionHandler

from psqlpy_adapter.errors import is_panic, mapped
from psqlpy_adapter.mixin import DriverMixin


class PsqlpyExceptionHandler(StockExceptionHandler):
    """SQLSpec's deferred handler, with `mapped` in place of the search for words.

    `pending_exception` holds the mapped error. Cancellation and SQLSpec errors pass through.
    """

    __slots__ = ()

    def _handle_exception(
        self, exc_type: type[BaseException] | None, exc_val: BaseException
    ) -> bool:
        if exc_type is None or not (
            isinstance(exc_val, psqlpy_errors.Error | TypeError | OverflowError)
            or is_panic(exc_val)
        ):
            return False
        self.pending_exception = mapped(exc_val)
        return True


class ErrorsMixin(DriverMixin):
    """The driver's part: its handler, and the four methods of SQLSpec that go past any handler."""

    __slots__ = ()

    def handle_database_exceptions(self) -> PsqlpyExceptionHandler:
        """Return the handler in which SQLSpec runs a statement."""
        return PsqlpyExceptionHandler()

    async def set_migration_session_schema(self, schema: str) -> None:
        """As SQLSpec's; raises SQLSpecError."""
        with _mapping():
            await super().set_migration_session_schema(schema)
        self._path_has_changed()

    async def set_migration_non_transactional_schema(self, schema: str) -> None:
        """As SQLSpec's; raises SQLSpecError."""
        with _mapping():
            await super().set_migration_non_transactional_schema(schema)
        self._path_has_changed()

    async def reset_migration_session_schema(self) -> None:
        """As SQLSpec's; raises SQLSpecError."""
        with _mapping():
            await super().reset_migration_session_schema()
        self._path_has_changed()

    def _path_has_changed(self) -> None:
        describer = getattr(self, "describer", None)
        if describer is not None:
            describer.freshness.note("SET search_path")

    async def has_schema(self, schema: str) -> bool:
        """As SQLSpec's; raises SQLSpecError."""
        with _mapping():
            return await super().has_schema(schema)


@contextmanager
def _mapping() -> Iterator[None]:
    try:
        yield
    except psqlpy_errors.Error as error:
        raise mapped(error) from error
