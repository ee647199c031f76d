"""The driver: SQLSpec's, with one mixin for each concern that it gets wrong."""

from __future__ import annotations

from typing import Any

from sqlspec.adapters.psqlpy import PsqlpyDriver as StockDriver
from sqlspec.adapters.psqlpy.core import default_statement_config

from psqlpy_adapter.arrow_selecting import ArrowMixin
from psqlpy_adapter.batches import BatchesMixin
from psqlpy_adapter.concurrency import ConcurrencyMixin
from psqlpy_adapter.copying import LoadingMixin
from psqlpy_adapter.dispatch import DispatchMixin
from psqlpy_adapter.handling import ErrorsMixin
from psqlpy_adapter.selecting import SelectingMixin
from psqlpy_adapter.statements import execution_config
from psqlpy_adapter.streaming import StreamingMixin
from psqlpy_adapter.transactions import TransactionsMixin


class PsqlpyDriver(
    StreamingMixin,
    LoadingMixin,
    BatchesMixin,
    TransactionsMixin,
    ArrowMixin,
    SelectingMixin,
    ConcurrencyMixin,
    DispatchMixin,
    ErrorsMixin,
    StockDriver,
):
    """A session on one connection; see the mixins for what differs from SQLSpec's driver."""

    def __init__(
        self, connection: Any, statement_config: Any = None, driver_features: Any = None
    ) -> None:
        """Take SQLSpec's arguments; `statement_config` loses what changes values."""
        super().__init__(
            connection,
            execution_config(statement_config or default_statement_config),
            driver_features,
        )
