"""What a PostgreSQL server says when a statement fails: the SQLSTATE of each message.

psqlpy hands on the text of a server error and drops its SQLSTATE. The texts are fixed format
strings of the server's source (`ereport(ERROR, errcode(...), errmsg("..."))`), so the SQLSTATE can
be found again from the whole text. A template here is such a format string, `%s` standing for
whatever the server filled in; it must match from the first to the last character, so that a name
or a value inside a message cannot choose the class.

Source: PostgreSQL manual, appendix "PostgreSQL Error Codes"; texts provoked on PostgreSQL 18 by
tests/adapter/test_errors.py. Not in the table, hence without a SQLSTATE: what a function or
trigger raises with a text of its own, and every message of a server whose `lc_messages` is not
English. (Only a superuser, or a role with `GRANT SET ON PARAMETER lc_messages`, may set that for
a connection; `ALTER DATABASE ... SET lc_messages = 'C'` by a superuser sets it for all.)
"""

from __future__ import annotations

import re

from psqlpy_adapter.value_messages import VALUE_MESSAGES

MESSAGES: dict[str, tuple[str, ...]] = {
    "08P01": (
        "protocol synchronization was lost",
        "bind message supplies %s parameters, but prepared statement %s requires %s",
    ),
    "0A000": (
        "cached plan must not change result type",
        "cannot truncate a table referenced in a foreign key constraint",
        "cannot convert NaN to %s",
        "cannot convert infinity to %s",
        "unsupported XML feature",
        "%s is not allowed with %s clause",
        "input of anonymous composite types is not implemented",
        'extension "%s" is not available',
    ),
    "21000": (
        "%s command cannot affect row a second time",
        "more than one row returned by a subquery used as an expression",
    ),
    **VALUE_MESSAGES,
    "25001": (
        "%s cannot run inside a transaction block",
        "SET TRANSACTION ISOLATION LEVEL must be called before any query",
        "SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction",
    ),
    "25006": ("cannot execute %s in a read-only transaction",),
    "25P01": ("%s can only be used in transaction blocks",),
    "25P02": ("current transaction is aborted, commands ignored until end of transaction block",),
    "25P03": ("terminating connection due to idle-in-transaction timeout",),
    "25P04": ("terminating connection due to transaction timeout",),
    "26000": ('prepared statement "%s" does not exist',),
    "28000": (
        "no pg_hba.conf entry for host %s",
        "pg_hba.conf rejects connection for host %s",
        'role "%s" is not permitted to log in',
    ),
    "28P01": ('password authentication failed for user "%s"',),
    "2BP01": ("cannot drop %s because other objects depend on it",),
    "34000": ('cursor "%s" does not exist', 'portal "%s" does not exist'),
    "3B001": ('savepoint "%s" does not exist',),
    "3D000": ('database "%s" does not exist',),
    "3F000": ('schema "%s" does not exist', "no schema has been selected to create in"),
    "40001": (
        "could not serialize access due to concurrent update",
        "could not serialize access due to concurrent delete",
        "could not serialize access due to read/write dependencies among transactions",
        "tuple to be locked was already moved to another partition due to concurrent update",
        "canceling statement due to conflict with recovery",
        "terminating connection due to conflict with recovery",
    ),
    "40P01": ("deadlock detected",),
    "42501": (
        "permission denied for %s",
        "permission denied to %s",
        "must be owner of %s",
        "must be superuser to %s",
        'new row violates row-level security policy for table "%s"',
        'new row violates row-level security policy "%s" for table "%s"',
    ),
    "42601": (
        'syntax error at or near "%s"',
        "syntax error at end of input",
        'unterminated %s at or near "%s"',
        "cannot insert multiple commands into a prepared statement",
        "INSERT has more expressions than target columns",
        "INSERT has more target columns than expressions",
        "each %s query must have the same number of columns",
        "VALUES lists must all be the same length",
        "unequal number of entries in row expressions",
        "ON CONFLICT DO UPDATE requires inference specification or constraint name",
        "syntax error at end of jsonpath input",
        'syntax error at or near "%s" of jsonpath input',
        "syntax error in tsquery: %s",
        "no operand in tsquery: %s",
        "invalid Unicode escape",
        "subquery must return only one column",
        'unrecognized EXPLAIN option "%s"',
        "WITH ORDINALITY cannot be used with a column definition list",
        "zero-length delimited identifier at or near %s",
    ),
    "42701": (
        'column "%s" specified more than once',
        'column "%s" of relation "%s" already exists',
    ),
    "42702": ('column reference "%s" is ambiguous',),
    "42703": (
        'column "%s" does not exist',
        "column %s does not exist",
        'column "%s" of relation "%s" does not exist',
    ),
    "42704": (
        'type "%s" does not exist',
        'index "%s" does not exist',
        'role "%s" does not exist',
        'constraint "%s" of relation "%s" does not exist',
        'unrecognized configuration parameter "%s"',
        'text search configuration "%s" does not exist',
        'language "%s" does not exist',
    ),
    "42710": ('type "%s" already exists', 'role "%s" already exists'),
    "42712": ('table name "%s" specified more than once',),
    "42723": ('function "%s" already exists with same argument types',),
    "42725": ("function %s is not unique", "operator is not unique: %s"),
    "42803": (
        'column "%s" must appear in the GROUP BY clause or be used in an aggregate function',
        "aggregate functions are not allowed in %s",
        "aggregate function calls cannot be nested",
    ),
    "42804": (
        'column "%s" is of type %s but expression is of type %s',
        'column "%s" cannot be cast automatically to type %s',
        "argument of %s must be type %s, not type %s",
        "%s types %s and %s cannot be matched",
    ),
    "42809": (
        '"%s" is not a %s',
        "window function %s requires an OVER clause",
    ),
    "42846": ("cannot cast type %s to %s",),
    "42883": (
        "function %s does not exist",
        "procedure %s does not exist",
        "operator does not exist: %s",
    ),
    "428C9": ('cannot insert a non-DEFAULT value into column "%s"',),
    "42P01": (
        'relation "%s" does not exist',
        'table "%s" does not exist',
        'view "%s" does not exist',
        'sequence "%s" does not exist',
        'missing FROM-clause entry for table "%s"',
        'invalid reference to FROM-clause entry for table "%s"',
        'relation "%s" in %s clause not found in FROM clause',
    ),
    "42P02": ("there is no parameter $%s",),
    "42P04": ('database "%s" already exists',),
    "42P05": ('prepared statement "%s" already exists',),
    "42P06": ('schema "%s" already exists',),
    "42P07": ('relation "%s" already exists',),
    "42P08": ("inconsistent types deduced for parameter $%s",),
    "42P10": (
        "there is no unique or exclusion constraint matching the ON CONFLICT specification",
        "%s position %s is not in select list",
    ),
    "42P16": ('multiple primary keys for table "%s" are not allowed',),
    "42P18": ("could not determine data type of parameter $%s",),
    "53100": ('could not extend file "%s": No space left on device',),
    "53200": ("out of memory",),
    "53300": (
        "sorry, too many clients already",
        'too many connections for role "%s"',
        'too many connections for database "%s"',
        "remaining connection slots are reserved for %s",
    ),
    "54000": (
        "array size exceeds the maximum allowed (%s)",
        "null character not permitted",
        "requested character not permitted",
        "requested length too large",
    ),
    "55000": (
        'cannot insert into view "%s"',
        'currval of sequence "%s" is not yet defined in this session',
    ),
    "55P03": (
        "canceling statement due to lock timeout",
        'could not obtain lock on row in relation "%s"',
        'could not obtain lock on relation "%s"',
    ),
    "57014": (
        "canceling statement due to statement timeout",
        "canceling statement due to user request",
    ),
    "57P01": (
        "terminating connection due to administrator command",
        "terminating background worker %s due to administrator command",
    ),
    "57P02": ("terminating connection because of crash of another server process",),
    "57P03": (
        "the database system is starting up",
        "the database system is shutting down",
        "the database system is in recovery mode",
        "the database system is not yet accepting connections",
        "the database system is not accepting connections",
    ),
    "57P04": ("terminating connection due to concurrent database drop%s",),
    "57P05": ("terminating connection due to idle-session timeout",),
}


def _pattern(template: str) -> re.Pattern[str]:
    text = ".*".join(re.escape(part) for part in template.split("%s"))
    return re.compile(rf"{text}(?:\n(?:DETAIL|HINT): .*)?", re.DOTALL)


# The longest template first: the more of a message is fixed text, the surer the match.
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (_pattern(template), sqlstate)
    for template, sqlstate in sorted(
        ((template, sqlstate) for sqlstate, group in MESSAGES.items() for template in group),
        key=lambda entry: -len(entry[0].replace("%s", "")),
    )
)


def sqlstate_of(message: str) -> str | None:
    """Return the SQLSTATE of a server message (without its severity), None when it is unknown."""
    for pattern, sqlstate in _PATTERNS:
        if pattern.fullmatch(message):
            return sqlstate
    return None
