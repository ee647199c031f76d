"""A statement with its columns named c1, c2 ..., for results that have two columns of one name.

psqlpy's decoders know a column by its name only; which names SQLSpec's rows have does not change.

    SELECT ...                  ->  SELECT * FROM (SELECT ...) AS psqlpy_adapter_columns (c1, c2)
    UPDATE ... RETURNING a, b   ->  WITH psqlpy_adapter_columns (c1, c2) AS (UPDATE ...
                                    RETURNING a, b) SELECT * FROM psqlpy_adapter_columns
    WITH x AS (...) SELECT ...  ->  WITH x AS (...), psqlpy_adapter_columns (c1, c2) AS ...

A WITH that writes must be at the top level (PostgreSQL manual 7.8.4).
May be unnecessary when psqlpy (0.13.1) takes decoders by position.
"""

from __future__ import annotations

from psqlpy_adapter.counts import DML
from psqlpy_adapter.sql_shape import shape
from psqlpy_adapter.sql_text import tokens

_NAME = "psqlpy_adapter_columns"


def renaming(sql: str, count: int) -> str | None:
    """Return the statement with `count` renamed columns; None for what has no such form.

    LIMIT ALL says nothing to the server, and to concurrency.py that the text is not its to change.
    """
    parts = shape(sql)
    if parts is None or parts.verb not in (*DML, "SELECT", "VALUES", "TABLE"):
        return None
    code = tokens(sql)
    names = ", ".join(f"c{number}" for number in range(1, count + 1))
    end = code[parts.end - 1].end
    if parts.with_end is None and parts.verb not in DML:
        return f"SELECT * FROM ({sql[:end]}\n) AS {_NAME} ({names}) LIMIT ALL"
    start = code[parts.main].start
    if parts.with_end is None:
        head = f"{sql[:start]}WITH "
    else:
        head = f"{sql[: code[parts.main - 1].end]}, "
    return f"{head}{_NAME} ({names}) AS ({sql[start:end]}\n) SELECT * FROM {_NAME} LIMIT ALL"
