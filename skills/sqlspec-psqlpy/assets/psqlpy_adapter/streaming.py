"""Streams of rows from a cursor on the server, which leave the caller's transaction alone.

What SQLSpec 0.69 and psqlpy 0.13 do: a psqlpy cursor opens a transaction of its own. Begun inside
one that SQLSpec does not know of (`BEGIN` as text), it may end that one; begun outside, what the
caller executes while it reads becomes part of the stream's transaction, and an error in the loop
rolls it back. Values and columns miss what `execute` does for them.

What this does instead: `DECLARE CURSOR` and `FETCH`, with the encoders and decoders of `execute`.

- In a transaction: a plain cursor in it; commit, rollback and savepoints stay the caller's.
- Outside of one: rows are computed as they are fetched, in a transaction of the stream. As soon as
  the session does anything else, that one is committed first (see `lane`): the server keeps the
  rows that are left (on disk beyond work_mem), and what the session does is committed by itself,
  whatever becomes of the loop. Behind a pooler in transaction mode, where no cursor outlives its
  transaction, the session's statements do become part of the stream's.
- What no such cursor can be declared for (RETURNING, SHOW, a WITH that writes, FOR UPDATE) is
  fetched as a whole first.

Close a stream that is left early (`async with`, or `aclose()`): its transaction is open until then.
Source: PostgreSQL manual, "DECLARE" (WITH HOLD) and "FETCH".
May be unnecessary when psqlpy's cursors (0.13.1) join the open transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlspec.driver import AsyncRowStream

from psqlpy_adapter.batches import BatchesMixin
from psqlpy_adapter.copying import LoadingMixin
from psqlpy_adapter.counts import DML, verb
from psqlpy_adapter.cursors import RowSource
from psqlpy_adapter.dispatch import DispatchMixin
from psqlpy_adapter.sql_text import tokens
from psqlpy_adapter.transactions import TransactionsMixin

if TYPE_CHECKING:
    from sqlspec.core import SQL


class StreamingMixin(LoadingMixin, BatchesMixin, TransactionsMixin, DispatchMixin):
    """`select_stream` of the driver."""

    __slots__ = ()

    def dispatch_select_stream(
        self, statement: SQL, chunk_size: int
    ) -> AsyncRowStream[dict[str, Any]] | None:
        """Return a stream of dicts; None for DML that returns no rows, which SQLSpec executes.

        chunk_size: rows of one round trip; that many are in memory at a time.
        """
        sql, values = self._compiled_sql(statement, self.statement_config)
        words = (token.text for token in tokens(sql) if token.kind == "word")
        if verb(sql) in DML and "returning" not in words:
            return None
        return AsyncRowStream(RowSource(self, sql, values or (), chunk_size))
