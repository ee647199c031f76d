"""Loading Arrow data: P17 (any size, every type) and P18 (all or nothing)."""

from psqlpy_adapter.copying.loading import LoadingMixin
from psqlpy_adapter.copying.staging import OnConflict

__all__ = ["LoadingMixin", "OnConflict"]
