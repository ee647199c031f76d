"""Statements on their way through SQLSpec, and around it.

A plain text with plain parameters needs nothing of SQLSpec's compiler: `bound` says in which order
its values go. Everything else (builders, filters, SQL objects, a configuration of one's own) goes
through it; `readable` and `execution_config` see that it changes neither the text nor a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import sqlglot
from sqlglot.errors import SqlglotError
from sqlspec.core import SQL, StatementConfig
from sqlspec.utils.type_guards import is_statement_filter

from psqlpy_adapter.lone import Lone
from psqlpy_adapter.numbering import Placeholders, for_sqlspec, placeholders

_PLAIN = frozenset((int, str, float, bool, bytes, type(None)))


def execution_config(config: StatementConfig) -> StatementConfig:
    """Return the configuration without what changes values before they are encoded.

    SQLSpec's profile turns Decimals in lists and dicts into floats and wraps values in types of
    its own, by Python type; here a value is encoded by its PostgreSQL type, once.
    """
    parameters = config.parameter_config
    if not parameters.type_coercion_map and not config.enable_parameter_type_wrapping:
        return config
    return config.replace(
        parameter_config=parameters.replace(type_coercion_map={}),
        enable_parameter_type_wrapping=False,
    )


@lru_cache(maxsize=2048)
def _is_parsed(sql: str, dialect: str | None) -> bool:
    try:
        sqlglot.parse_one(sql, dialect=dialect)
    except SqlglotError:
        return False
    return True


def readable(sql: str, config: StatementConfig, *, has_values: bool) -> tuple[str, StatementConfig]:
    """Return a text and a configuration with which SQLSpec's compiler does not fail.

    Where sqlglot cannot read a statement (an operator it does not know), SQLSpec logs an error
    and gives up its placeholders; with parsing turned off for it, they are converted.
    """
    sql = for_sqlspec(sql, has_values=has_values)
    numbered = placeholders(sql)
    text = numbered.sql if numbered is not None else sql
    if config.enable_parsing and not _is_parsed(
        text, str(config.dialect) if config.dialect else None
    ):
        config = config.replace(enable_parsing=False)
    return sql, config


def readable_object(statement: SQL, *, has_values: bool) -> SQL:
    """Return an SQL object whose text SQLSpec's compiler reads; the same one if it does already."""
    raw = statement.raw_sql
    if statement.raw_expression is not None or not raw or statement.is_processed:
        return statement
    own = statement.positional_parameters or statement.named_parameters
    text = for_sqlspec(raw, has_values=has_values or bool(own))
    named = statement.named_parameters
    if named and not statement.positional_parameters and not statement.is_many:
        given = placeholders(raw)
        if given is not None and given.names is None and given.count == 1:
            return statement.copy(statement=text, parameters=(Lone(dict(named)),))
    return statement if text == raw else statement.copy(statement=text)


def bound(
    given: Placeholders, parameters: tuple[Any, ...], named: Mapping[str, Any]
) -> list[Any] | tuple[Any, ...] | None:
    """Return the values in the order of their numbers; None when that is left to SQLSpec.

    What the only argument of the only parameter means is for its type to say: see `lone`.
    """
    if given.names is not None:
        if parameters:
            if named or len(parameters) != 1 or not isinstance(parameters[0], dict):
                return None
            named = parameters[0]
        if named.keys() != set(given.names):
            return None
        return [named[name] for name in given.names]
    if named:
        return None
    if len(parameters) == 1:
        only = parameters[0]
        if isinstance(only, (list, tuple, dict)):
            if given.count == 1:
                return (Lone(only),)
            return only if not isinstance(only, dict) and len(only) == given.count else None
    if len(parameters) != given.count:
        return None
    for value in parameters:
        if type(value) not in _PLAIN and is_statement_filter(value):
            return None
    return parameters


def has_values(parameters: tuple[Any, ...], named: Mapping[str, Any] | None) -> bool:
    """Tell whether there is a parameter among the arguments: filters are none."""
    return bool(named) or any(not is_statement_filter(value) for value in parameters)


def opaque(statement: Any, parameters: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the arguments of a statement as SQLSpec is to have them: a lone one as a `Lone`."""
    places = [place for place, value in enumerate(parameters) if not is_statement_filter(value)]
    if len(places) != 1:
        return parameters
    only = parameters[places[0]]
    if not isinstance(only, (list, tuple, dict)):
        return parameters
    if isinstance(only, tuple) and len(only) == 1:
        return parameters  # the row of parameters, whatever its type: hooks see it as it is
    if not has_one_parameter(statement):
        return parameters
    return (*parameters[: places[0]], Lone(only), *parameters[places[0] + 1 :])


def has_one_parameter(statement: Any) -> bool:
    """Tell whether a text, or an SQL object without values, has one parameter without a name."""
    if isinstance(statement, SQL):
        if statement.raw_expression is not None or statement.is_processed:
            return False
        if statement.positional_parameters or statement.named_parameters:
            return False
        statement = statement.raw_sql
    if not isinstance(statement, str):
        return False
    given = placeholders(statement)
    return given is not None and given.names is None and given.count == 1
