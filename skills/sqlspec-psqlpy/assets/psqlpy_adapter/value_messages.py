"""What the server says of values: SQLSTATE classes 22 (data) and 23 (constraints).

The rest, and what a template is: `server_messages`.
"""

from __future__ import annotations

VALUE_MESSAGES: dict[str, tuple[str, ...]] = {
    "22000": (
        "different %s dimensions %s and %s",
        "expected %s dimensions, not %s",
        "range lower bound must be less than or equal to range upper bound",
    ),
    "22001": ("value too long for type %s", "bit string too long for type %s"),
    "22003": (
        "integer out of range",
        "smallint out of range",
        "bigint out of range",
        "numeric field overflow",
        "value overflows numeric format",
        "value out of range: overflow",
        "value out of range: underflow",
        'value "%s" is out of range for type %s',
        '"%s" is out of range for type %s',
    ),
    "22007": (
        "invalid input syntax for type date: %s",
        "invalid input syntax for type time: %s",
        "invalid input syntax for type time %s: %s",
        "invalid input syntax for type timestamp: %s",
        "invalid input syntax for type timestamp %s: %s",
        "invalid input syntax for type interval: %s",
        'invalid value "%s" for "%s"',
    ),
    "22008": (
        "date/time field value out of range: %s",
        "date out of range%s",
        "time out of range",
        "timestamp out of range%s",
        "interval out of range",
    ),
    "22011": ("negative substring length not allowed",),
    "22012": ("division by zero",),
    "22021": ('invalid byte sequence for encoding "%s": %s',),
    "22023": (
        'invalid value for parameter "%s": %s',
        '%s is outside the valid range for parameter "%s" (%s)',
        "step size cannot equal zero",
        "channel name cannot be empty",
        "payload string too long",
        "invalid hexadecimal data: odd number of digits",
    ),
    "22025": ("invalid escape string",),
    "22026": (
        "bit string length %s does not match type bit(%s)",
        "cannot %s bit strings of different sizes",
    ),
    "2201B": ("invalid regular expression: %s",),
    "2201E": (
        "cannot take logarithm of zero",
        "cannot take logarithm of a negative number",
    ),
    "2201F": ("cannot take square root of a negative number",),
    "2201W": ("LIMIT must not be negative",),
    "2201X": ("OFFSET must not be negative",),
    "2202E": ("cannot concatenate incompatible arrays", "array must have even number of elements"),
    "22P02": (
        "invalid input syntax for type %s",
        "invalid input value for enum %s",
        "malformed array literal: %s",
        "malformed range literal: %s",
        "malformed multirange literal: %s",
        "malformed record literal: %s",
        '"%s" is not a valid binary digit',
        '"%s" is not a valid hexadecimal digit',
    ),
    "22P03": (
        "incorrect binary data format",
        "incorrect binary data format in bind parameter %s",
        "insufficient data left in message",
    ),
    "22P04": ("row field count is %s, expected %s", "COPY file signature not recognized"),
    "22P05": (
        'character with byte sequence %s in encoding "%s" has no equivalent in encoding "%s"',
    ),
    "23001": (
        'update or delete on table "%s" violates RESTRICT setting of foreign key constraint '
        '"%s" on table "%s"',
    ),
    "23502": (
        'null value in column "%s" of relation "%s" violates not-null constraint',
        "domain %s does not allow null values",
        'column "%s" of relation "%s" contains null values',
    ),
    "23503": (
        'insert or update on table "%s" violates foreign key constraint "%s"',
        'update or delete on table "%s" violates foreign key constraint "%s" on table "%s"',
    ),
    "23505": (
        'duplicate key value violates unique constraint "%s"',
        'could not create unique index "%s"',
    ),
    "23514": (
        'new row for relation "%s" violates check constraint "%s"',
        'value for domain %s violates check constraint "%s"',
        'check constraint "%s" of relation "%s" is violated by some row',
        'no partition of relation "%s" found for row',
        'new row for relation "%s" violates partition constraint',
    ),
    "23P01": (
        'conflicting key value violates exclusion constraint "%s"',
        'could not create exclusion constraint "%s"',
    ),
}
