"""PostgreSQL's types and Python's: what goes in, what comes back, and the clear error otherwise."""

from psqlpy_adapter.types.catalogue import Catalogue, Encoder
from psqlpy_adapter.types.containers import Range
from psqlpy_adapter.types.documents import Json
from psqlpy_adapter.types.pgtype import Binary, Field, PgType, Read, TextNeeded
from psqlpy_adapter.types.times import Interval

__all__ = [
    "Binary",
    "Catalogue",
    "Encoder",
    "Field",
    "Interval",
    "Json",
    "PgType",
    "Range",
    "Read",
    "TextNeeded",
]
