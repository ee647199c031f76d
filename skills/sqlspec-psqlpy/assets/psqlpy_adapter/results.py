"""Results: SQLSpec's own, with `first()`.

`SQLResult` of SQLSpec 0.69 has `get_first()`, `one()` and `scalar()`, but not the `first()` that
the guidance (and every other library) uses. The class is compiled and cannot be subclassed, and
compiled callers take no other class; so `first` is put on it as a descriptor that shows itself
only on results that this adapter made. Other adapters' results are as they were.

May be unnecessary when SQLSpec (0.69) has `SQLResult.first`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlspec.core import SQLResult, StatementConfig
from sqlspec.core.result import DMLResult
from sqlspec.core.statement import ProcessedState

if TYPE_CHECKING:
    from psqlpy_adapter.plans import Column, Plan


class Metadata(dict[str, Any]):
    """The metadata of a result of this adapter: what `first` knows it by.

    `columns` are the result's columns with the server's types, for Arrow.
    """

    def __init__(self, columns: tuple[Column, ...] | None = None) -> None:
        super().__init__()
        self.columns = columns

    def __bool__(self) -> bool:
        return True  # SQLSpec puts a plain dict in the place of one that is false


class _First:
    def __get__(self, result: Any, owner: type | None = None) -> Any:
        if result is None:
            return self
        if not isinstance(result.metadata, Metadata):
            msg = f"{type(result).__name__!r} object has no attribute 'first'"
            raise AttributeError(msg)
        return result.get_first


def install() -> None:
    """Give SQLResult its `first`; nothing happens when SQLSpec has one."""
    if not hasattr(SQLResult, "first"):
        SQLResult.first = _First()  # type: ignore[attr-defined]


def rows(
    source: str, plan: Plan, config: StatementConfig, values: Any, data: list[dict[str, Any]]
) -> SQLResult:
    """Return the result of a statement that returned rows; `source` is the text as it was given."""
    state = plan.state
    if state is None:
        state = plan.state = ProcessedState(plan.sql, (), operation_type="SELECT")
    result = SQLResult.create_cached_select(
        sql=source,
        config=config,
        cached_state=state,
        compiled_sql=plan.sql,
        params=values,
        data=data,
        column_names=plan.names,
        rows_affected=len(data),
    )
    result.metadata = Metadata(plan.columns)
    return result


_OPERATIONS = {"CREATE": "DDL", "ALTER": "DDL", "DROP": "DDL"} | {
    verb: verb for verb in ("INSERT", "UPDATE", "DELETE", "MERGE", "SELECT")
}


def count(command: str, affected: int) -> SQLResult:
    """Return the result of a statement that returned no rows; `affected` is -1 if unknown."""
    operation = _OPERATIONS.get(command, "COMMAND")
    if affected < 0:  # SQLSpec takes a DML result without a count for a failure
        result: SQLResult = SQLResult(operation_type="COMMAND", rows_affected=affected)
    else:
        result = DMLResult(operation, affected)  # type: ignore[arg-type]
    result.metadata = Metadata()
    return result


install()
