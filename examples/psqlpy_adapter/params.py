"""The keys of `connection_config` for type checkers: SQLSpec's, and those of this package."""

from __future__ import annotations

from typing import NotRequired

from sqlspec.adapters.psqlpy import PsqlpyPoolParams as StockPoolParams


class PsqlpyPoolParams(StockPoolParams):
    """SQLSpec's keys, and five more; times in seconds, 0 for no limit."""

    pool_timeout_sec: NotRequired[float]
    """Wait for a connection when all are lent; 30 where it is not given."""
    statement_timeout_sec: NotRequired[float]
    """The server's limit of each statement; none where it is not given."""
    min_db_pool_size: NotRequired[int]
    """Connections that are opened with the pool; 0 where it is not given."""
    hostaddr: NotRequired[str | list[str]]
    """Addresses to connect to, one for each host, whose name TLS still verifies (libpq's)."""
    sslmode: NotRequired[str]
    """libpq's name of `ssl_mode`."""
