"""Configurations by the word of a recycling method."""

from __future__ import annotations

from psqlpy import ConnRecyclingMethod
from sqlspec.adapters.psqlpy import PsqlpyConfig

METHODS = ["Fast", "Verified", "Clean"]


def using(method: str, dsn: str, kind: type[PsqlpyConfig] = PsqlpyConfig) -> PsqlpyConfig:
    """A pool with a method, or with that which is the default."""
    settings = {"dsn": dsn, "max_db_pool_size": 2}
    if method != "default":
        settings["conn_recycling_method"] = getattr(ConnRecyclingMethod, method)
    return kind(connection_config=settings)
