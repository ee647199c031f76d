"""Who takes part."""

from __future__ import annotations

from suite.contenders.adapters import Bundled, Stock
from suite.contenders.adbc import Adbc
from suite.contenders.asyncpg_raw import Asyncpg
from suite.contenders.psqlpy_raw import Psqlpy
from suite.contenders.psycopg_async import PsycopgAsync
from suite.contenders.psycopg_sync import PsycopgSync
from suite.contenders.sqlspec_asyncpg import SqlspecAsyncpg
from suite.contract import Contender

CONTENDERS: tuple[type[Contender], ...] = (
    Asyncpg,
    Psqlpy,
    Stock,
    Bundled,
    SqlspecAsyncpg,
    PsycopgAsync,
    PsycopgSync,
    Adbc,
)
