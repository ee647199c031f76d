"""Transactions: isolation levels as words, and a commit that is one.

What SQLSpec 0.69 does: `begin()` takes no isolation level; `commit()` raises nothing when an
earlier statement failed, though the server answers COMMIT with ROLLBACK then (psqlpy 0.13 hides
the command tag); a lost connection is a plain `SQLSpecError`, also when COMMIT was under way.

What this does instead: `begin()` and `transaction()` take `isolation_level`, `read_only` and
`deferrable`; `commit()` raises unless the server committed, and says so when nobody can know.
BEGIN, COMMIT, ROLLBACK and savepoints go by the simple protocol: half the time of a prepared
statement, and no named statement for a pooler to lose.

May be unnecessary when psqlpy hands on the command tag and SQLSpec's `begin()` takes options.
Source: PostgreSQL manual, "SET TRANSACTION", "COMMIT", and section 13.2 "Transaction Isolation".
"""

from __future__ import annotations

import contextlib
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Self

from sqlspec.driver._common import validate_savepoint_name
from sqlspec.exceptions import (
    DatabaseConnectionError,
    QueryTimeoutError,
    SQLSpecError,
    TransactionError,
)

from psqlpy_adapter.cancellation import guarded
from psqlpy_adapter.errors import CommitOutcomeUnknownError
from psqlpy_adapter.isolation import transaction_modes
from psqlpy_adapter.mixin import DriverMixin
from psqlpy_adapter.transaction_block import TransactionBlock

if TYPE_CHECKING:
    import psqlpy

    from psqlpy_adapter.checkout import Checkout

COURTESY_SECONDS = 1.0
"""How long a cancelled COMMIT or ROLLBACK may still end by itself before the server is asked."""

# In an aborted transaction every statement but the end of the transaction fails, so SHOW does,
# and what follows it in the same message is not run. SHOW takes no snapshot: nothing changes
# for a transaction that is fine.
_COMMIT = "SHOW transaction_isolation; COMMIT"


class TransactionsMixin(DriverMixin):
    """`begin`, `commit`, `rollback`, savepoints and `transaction()` of the driver."""

    __slots__ = ()

    checkout: Checkout | None = None
    """What is known of the connection; None on a driver that was made by hand."""

    async def begin(
        self,
        *,
        isolation_level: str | psqlpy.IsolationLevel | None = None,
        read_only: bool | None = None,
        deferrable: bool | None = None,
    ) -> None:
        """Begin a transaction; within one that `begin()` opened this does nothing.

        Args:
            isolation_level: "read committed", "repeatable read", "serializable" or "read
                uncommitted" (for PostgreSQL the same as "read committed"); None: the server's
                `default_transaction_isolation`.
            read_only: True: nothing can be written; None: `default_transaction_read_only`.
            deferrable: True, with serializable and read only: wait for a snapshot that can never
                fail with a serialization error.

        Raises:
            ImproperConfigurationError: a wrong word.
            TransactionError: modes were asked for, and a transaction is open already.
            SQLSpecError: the server refused, or the connection is lost.
        """
        modes = transaction_modes(isolation_level, read_only, deferrable)
        if self._transaction_active:
            if modes:
                msg = f"A transaction is open already: it cannot begin with{modes.lower()}."
                raise TransactionError(msg)
            return
        sql = f"BEGIN{modes}"
        if self._should_set_local_columnar():
            sql += "; SET LOCAL google_columnar_engine.enabled = 'on'"
        async with self._alone():
            begin = self.connection.execute_batch(sql)
            try:
                await guarded(self, begin, undo=self._rollback_statement)
            except SQLSpecError:
                with contextlib.suppress(SQLSpecError):
                    await guarded(self, self._rollback_statement())
                raise
            self._transaction_is_open(True)

    async def commit(self) -> None:
        """Commit the transaction.

        Raises:
            TransactionError: an earlier statement failed, so the server rolled back instead.
            CommitOutcomeUnknownError: the connection was lost during COMMIT, or the server did not
                answer in time; it may or may not have committed.
            asyncio.CancelledError: a note says so when COMMIT was done nevertheless.
            SQLSpecError: COMMIT failed (a deferred constraint, a serialization conflict) and the
                transaction is rolled back.
        """
        async with self._alone():
            lost_before = self.checkout is not None and self.checkout.broken
            try:
                await guarded(
                    self,
                    self.connection.execute_batch(_COMMIT),
                    courtesy=COURTESY_SECONDS,
                    undo=self._rollback_statement,
                    note="COMMIT was done before it could be cancelled: the rows are stored.",
                )
            except SQLSpecError as error:
                sqlstate = getattr(error, "sqlstate", None)
                gave_up = isinstance(error, QueryTimeoutError) and sqlstate is None
                if (isinstance(error, DatabaseConnectionError) or gave_up) and not lost_before:
                    msg = f"The outcome of COMMIT is unknown: it was sent, and then: {error}"
                    raise CommitOutcomeUnknownError(msg) from error
                with contextlib.suppress(SQLSpecError):
                    await guarded(self, self._rollback_statement())
                if sqlstate == "25P02":
                    msg = (
                        "Nothing was committed: an earlier statement of the transaction failed, "
                        "so the server rolled it back."
                    )
                    raise TransactionError(msg) from error
                raise
            finally:
                self._transaction_is_open(False)

    async def rollback(self) -> None:
        """Roll the transaction back.

        Raises:
            DatabaseConnectionError: the connection is lost; the server rolls back by itself.
        """
        async with self._alone():
            try:
                await guarded(self, self._rollback_statement(), courtesy=COURTESY_SECONDS)
            finally:
                self._transaction_is_open(False)

    async def create_savepoint(self, name: str) -> None:
        """Set a savepoint; `name` must be a plain identifier (TransactionError otherwise)."""
        await self._send(f"SAVEPOINT {validate_savepoint_name(name)}")

    async def release_savepoint(self, name: str) -> None:
        """Forget a savepoint and keep what was done since."""
        await self._send(f"RELEASE SAVEPOINT {validate_savepoint_name(name)}")

    async def rollback_to_savepoint(self, name: str) -> None:
        """Undo what was done since a savepoint; the transaction goes on, after an error too."""
        await self._send(f"ROLLBACK TO SAVEPOINT {validate_savepoint_name(name)}")
        if (describer := getattr(self, "describer", None)) is not None:
            describer.freshness.undone()

    def transaction(  # type: ignore[override]  # SQLSpec names a private class of its own
        self,
        *,
        isolation_level: str | psqlpy.IsolationLevel | None = None,
        read_only: bool | None = None,
        deferrable: bool | None = None,
    ) -> TransactionBlock[Self]:
        """Return a context manager: a block that is committed, or rolled back on an exception.

        As SQLSpec's: inside another such block it is a savepoint; after `begin()` it joins that
        transaction and commits it. The arguments are those of `begin()`; both cases refuse them.
        """
        transaction_modes(isolation_level, read_only, deferrable)
        modes = {
            "isolation_level": isolation_level,
            "read_only": read_only,
            "deferrable": deferrable,
        }
        return TransactionBlock(self, modes)

    async def _send(self, sql: str) -> None:
        async with self._alone():
            await guarded(self, self.connection.execute_batch(sql))

    def _rollback_statement(self) -> Any:
        return self.connection.execute_batch("ROLLBACK")

    def _alone(self) -> AbstractAsyncContextManager[None]:
        """The turn alone on the connection: no task's statement falls on the wrong side."""
        lane = getattr(self, "lane", None)
        return contextlib.nullcontext() if lane is None else lane.alone()

    def _transaction_is_open(self, is_open: bool) -> None:
        self._transaction_active = is_open
        if (lane := getattr(self, "lane", None)) is not None:
            lane.in_block = is_open
        if not is_open and (describer := getattr(self, "describer", None)) is not None:
            describer.freshness.ended()
