"""How psqlpy fails with a value, as the stock adapter passes it on: for `stock=`."""

from harness import PANIC, Breaks
from sqlspec.exceptions import DataError, SQLSpecError

PANICS = Breaks(PANIC, "entered unreachable code")
UNKNOWN = Breaks(SQLSpecError, "Can not covert you type")
"""An object of a class that psqlpy does not know for that type, an ndarray for instance."""
NO_DECIMAL = Breaks(DataError, "Cannot convert python Decimal")
"""NaN, infinity or a number with an exponent."""
NO_DATETIME = Breaks(DataError, "Can not convert you datetime")
NO_DECODER = Breaks(DataError, "Can't convert value from driver to python type")
NO_DOCUMENT = Breaks(SQLSpecError, "PyJSON must be dict, list, or tuple")
NO_ARRAY = Breaks(DataError, "size mismatch")
"""A value that is a sequence is taken for one more dimension."""
AS_ROW = Breaks(SQLSpecError, "Parameter count mismatch")
"""A list alone is taken for the row of parameters."""
OTHER_CLASS = Breaks(TypeError, "is not an instance of")
OTHER_FORMAT = (
    Breaks(SQLSpecError, "incorrect binary data format"),
    Breaks(SQLSpecError, "improper binary format"),
    Breaks(SQLSpecError, "insufficient data left in message"),
    Breaks(SQLSpecError, "invalid byte sequence"),
    Breaks(SQLSpecError, "invalid size of ts"),
    Breaks(SQLSpecError, "invalid external pg_snapshot data"),
    Breaks(SQLSpecError, "invalid sign in external"),
    Breaks(SQLSpecError, "time out of range"),
    Breaks(SQLSpecError, "wrong number of columns"),
    Breaks(SQLSpecError, "cannot have more than"),
)
"""The server gets the bytes of another type."""
