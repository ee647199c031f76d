"""Transactions: isolation levels as words, and a commit that is one.

What SQLSpec 0.69 does: `begin()` takes no isolation level; `commit()` raises nothing when an
earlier statement failed, though the server answers COMMIT with ROLLBACK then (psqlpy 0.13 hides
the command tag); a lost connection is a plain `SQLSpecError`, also when COMMIT was under way; a
COMMIT or ROLLBACK that is cancelled leaves the transaction open.

What this does instead: `begin()` and `transaction()` take `isolation_level`, `read_only` and
`deferrable`; `commit()` raises unless the server committed, and says so when nobody can know.
A transaction whose end is cancelled, however often, is rolled back before anything else of the
session is sent, unless COMMIT was done. BEGIN, COMMIT, ROLLBACK and savepoints go by the simple
protocol: half the time of a prepared statement, and no named statement for a pooler to lose.

May be unnecessary when psqlpy hands on the command tag and SQLSpec's `begin()` takes options.
Source: PostgreSQL manual, "SET TRANSACTION", "COMMIT", and section 13.2 "Transaction Isolation".
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Self

from sqlspec.exceptions import (
    DatabaseConnectionError,
    QueryTimeoutError,
    SQLSpecError,
    TransactionError,
)

from psqlpy_adapter.cancellation import guarded
from psqlpy_adapter.errors import CommitOutcomeUnknownError
from psqlpy_adapter.isolation import transaction_modes
from psqlpy_adapter.savepoints import SavepointsMixin
from psqlpy_adapter.transaction_block import TransactionBlock
from psqlpy_adapter.transaction_text import FAILED, NOTHING_COMMITTED, only_if_sound

if TYPE_CHECKING:
    import psqlpy


COURTESY_SECONDS = 1.0
"""How long a cancelled COMMIT or ROLLBACK may still end by itself before the server is asked."""

_COMMIT = only_if_sound("COMMIT")


class TransactionsMixin(SavepointsMixin):
    """`begin`, `commit`, `rollback`, savepoints and `transaction()` of the driver."""

    __slots__ = ()

    async def begin(
        self,
        *,
        isolation_level: str | psqlpy.IsolationLevel | None = None,
        read_only: bool | None = None,
        deferrable: bool | None = None,
    ) -> None:
        """Begin a transaction; within one that `begin()` or a BEGIN as text opened, do nothing.

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
        sql = f"BEGIN{modes}"
        if self._should_set_local_columnar():
            sql += "; SET LOCAL google_columnar_engine.enabled = 'on'"
        async with self._alone():  # a transaction that was open may end before our turn comes
            if self._transaction_active:
                if modes:
                    msg = f"A transaction is open already: it cannot begin with{modes.lower()}."
                    raise TransactionError(msg)
                return
            begin = self.block_wire.execute_batch(sql)
            try:
                await guarded(self, begin, undo=self._rollback_statement)
            except SQLSpecError:
                await self._undo()
                raise
            self._transaction_is_open(True)

    async def commit(self) -> None:
        """Commit the transaction.

        Raises:
            TransactionError: an earlier statement failed, so the server rolled back instead.
            CommitOutcomeUnknownError: the connection was lost during COMMIT, or the server did not
                answer in time; it may or may not have committed.
            asyncio.CancelledError: the transaction is rolled back; a note says so when COMMIT was
                done nevertheless, or when that is not known.
            SQLSpecError: COMMIT failed (a deferred constraint, a serialization conflict) and the
                transaction is rolled back.
        """
        async with self._alone(heir=self._undo):
            committed = False
            lost_before = self.checkout is not None and self.checkout.broken
            try:
                await guarded(
                    self,
                    self.block_wire.execute_batch(_COMMIT),
                    courtesy=COURTESY_SECONDS,
                    instead=self._rollback_statement,
                    note="COMMIT was done before it could be cancelled: the rows are stored.",
                )
            except SQLSpecError as error:
                sqlstate = getattr(error, "sqlstate", None)
                gave_up = isinstance(error, QueryTimeoutError) and sqlstate is None
                if (isinstance(error, DatabaseConnectionError) or gave_up) and not lost_before:
                    msg = f"The outcome of COMMIT is unknown: it was sent, and then: {error}"
                    raise CommitOutcomeUnknownError(msg) from error
                await self._undo()
                if sqlstate == FAILED:
                    raise TransactionError(NOTHING_COMMITTED) from error
                raise
            else:
                committed = True
            finally:
                self._transaction_is_open(False, committed=committed)

    async def rollback(self) -> None:
        """Roll the transaction back.

        A cancellation does not keep it from that.

        Raises:
            SQLSpecError: the connection is lost or was given up; the server rolls back by itself.
        """
        async with self._alone(heir=self._undo):
            await self._roll_back()

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

    async def _roll_back(self) -> None:
        rollback = self._rollback_statement
        try:
            await guarded(self, rollback(), courtesy=COURTESY_SECONDS, instead=rollback)
        except SQLSpecError:
            if self.checkout is not None:
                self.checkout.broken = True  # nobody knows whether the transaction is open
            raise
        finally:
            self._transaction_is_open(False)

    async def _undo(self) -> None:
        """Roll back where another error, or a cancellation, is what the caller hears of."""
        with contextlib.suppress(SQLSpecError):
            await self._roll_back()

    def _rollback_statement(self) -> Any:
        return self.block_wire.execute_batch("ROLLBACK")
