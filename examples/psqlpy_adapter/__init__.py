"""A drop-in for SQLSpec's psqlpy adapter that keeps what the adapter's guidance promises.

Change one import line, `from psqlpy_adapter import PsqlpyConfig, PsqlpyDriver`; everything that
was written for `sqlspec.adapters.psqlpy` goes on working.
"""

from sqlspec.adapters.psqlpy import (
    PsqlpyConnection,
    PsqlpyConnectionParams,
    PsqlpyCursor,
    PsqlpyDriverFeatures,
    build_connection_config,
    default_statement_config,
)

import psqlpy_adapter.leaving  # noqa: F401 - registers its work for the end of the process
from psqlpy_adapter.config import PsqlpyConfig
from psqlpy_adapter.copying import OnConflict
from psqlpy_adapter.copying.sending import Progress
from psqlpy_adapter.driver import PsqlpyDriver
from psqlpy_adapter.errors import CommitOutcomeUnknownError
from psqlpy_adapter.handling import PsqlpyExceptionHandler
from psqlpy_adapter.params import PsqlpyPoolParams
from psqlpy_adapter.pool import PoolTimeoutError
from psqlpy_adapter.types import Interval, Json, Range

__all__ = [
    "CommitOutcomeUnknownError",
    "Interval",
    "Json",
    "OnConflict",
    "PoolTimeoutError",
    "Progress",
    "PsqlpyConfig",
    "PsqlpyConnection",
    "PsqlpyConnectionParams",
    "PsqlpyCursor",
    "PsqlpyDriver",
    "PsqlpyDriverFeatures",
    "PsqlpyExceptionHandler",
    "PsqlpyPoolParams",
    "Range",
    "build_connection_config",
    "default_statement_config",
]
