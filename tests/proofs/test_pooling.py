"""Proofs of references/pooling.md."""

from __future__ import annotations

import os

import psqlpy
import pytest
from proveskill import proves
from psqlpy.exceptions import ConnectionPoolConfigurationError


@proves("The minimum is {minimum}.", section="pooling#size-the-pool", adapter="stock")
def test_minimum_size_of_a_pool(minimum: int) -> None:
    dsn = os.environ["DATABASE_URL"]
    with pytest.raises(ConnectionPoolConfigurationError):
        psqlpy.ConnectionPool(dsn=dsn, max_db_pool_size=minimum - 1)
    assert psqlpy.ConnectionPool(dsn=dsn, max_db_pool_size=minimum).status().max_size == minimum
