"""What the server says of a statement: the types of its parameters and of its columns.

SQLSpec decides by sqlglot's reading of the text whether a statement returns rows, and by casts in
the text how values are sent; the second execution of a text forgets the casts (seed-truth P-4).
psqlpy tells the names of a prepared statement's columns, not their types. Here each connection
asks its own server once for each text: `prepare`, then `pg_prepared_statements`. That is what this
very connection will bind, so no search path, migration or other session can make it wrong.

Source: PostgreSQL manual 53.19 "pg_prepared_statements" (`result_types` since PostgreSQL 16).
May be unnecessary when psqlpy (0.13.1) tells the types of a prepared statement.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sqlspec.exceptions import DatabaseConnectionError, SQLSpecError

from psqlpy_adapter.cancellation import Owner, guarded
from psqlpy_adapter.freshness import Freshness, changes, composites, names_in
from psqlpy_adapter.plans import Column, Plan
from psqlpy_adapter.remembered import Remembered
from psqlpy_adapter.renaming import renaming
from psqlpy_adapter.sql_text import command
from psqlpy_adapter.types import Catalogue, PgType

_PREPARED = """
SELECT name, parameter_types::oid[]::bigint[] AS parameters, {columns} AS columns
FROM pg_prepared_statements WHERE statement = $1 AND NOT from_sql
ORDER BY prepare_time DESC LIMIT 1
"""
_PARSED = """
SELECT parameter_types::oid[]::bigint[] AS parameters
FROM pg_prepared_statements WHERE name = $1 AND from_sql
"""
NAMES = 2000
"""How many names are looked up at a time before those that no statement has any more go."""
_CHANGING = frozenset({"FETCH", "EXECUTE", "MOVE", "CLOSE"})
"""Commands whose rows depend on more than their text: described again at every execution."""


class Describer:
    """The plans of one physical connection, by the text of the statement (`$1` form)."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.plans = Remembered()
        self.freshness = Freshness()
        self._tells_columns: bool | None = None
        self._parsed = 0
        self.cursors: set[int] = set()
        """The numbers of the cursors that streams have open on this connection."""
        self.abandoned: list[str] = []
        """The cursors of streams that nobody closed."""

    def known(self, sql: str) -> Plan | None:
        """Return the plan of a text that was described before; None too when it is to be looked at.

        `PlanningMixin.plan` then has the plan, after a look at the catalogue.
        """
        return None if self.freshness.is_due() else self.plans.used(sql)

    def forget(self, sql: str) -> None:
        """Forget a text whose plan is stale, and send it as a new statement from now on."""
        self.plans.forget(sql)

    def note(self, sql: str, *, in_block: bool) -> None:
        """Learn from a command that succeeded what it may have changed."""
        self.freshness.note(sql)
        word = command(sql)
        if word == "ALTER" and in_block:
            # Nothing may fail there: not even what has a new type for a reason that is not looked
            # at, as the result of a function.
            for plan in self.plans:
                self._outdate(plan)
        elif changes(sql) == "schema":
            for plan in self.plans:
                if any(name[0] == "#" for name in plan.rests_on):
                    self._outdate(plan)

    def remember(self, plan: Plan) -> None:
        """Keep a plan under its source text."""
        types = (*plan.parameters, *(column.type for column in plan.columns or ()))
        if made_of := composites(types):
            plan.rests_on = plan.rests_on.union(made_of)
            states = self.freshness.states
            self._forget_all({name for name in made_of if states.get(name) != made_of[name]})
            states.update(made_of)
        if plan.command not in _CHANGING:
            self.plans.add(plan)

    async def parse(self, owner: Owner, connection: Any, sql: str) -> list[int]:
        """Return the types of the parameters that the server finds in a text now.

        Raises SQLSpecError when it refuses the text, or cannot PREPARE it.
        """
        self._parsed += 1
        name = f"psqlpy_adapter_{self._parsed}"
        await guarded(owner, connection.execute_batch(f"PREPARE {name} AS {sql}"))
        found = await guarded(owner, connection.fetch(_PARSED, [name]))
        await guarded(owner, connection.execute_batch(f"DEALLOCATE {name}"))
        oids: list[int] = found.result()[0]["parameters"]
        return oids

    async def look(self, owner: Owner, connection: Any, sql: str) -> None:
        """Forget the plans that rest on what is not any more what it was.

        Asks the server if that is due, or `sql` has names that were not looked up yet: the answer
        has to be older than its Parse. Raises SQLSpecError.
        """
        names = names_in(sql)
        fresh = self.freshness
        if not fresh.is_due() and names <= fresh.states.keys():
            return

        async def rows(text: str, values: list[Any]) -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = (
                await guarded(owner, connection.fetch(text, values))
            ).result()
            return found

        if not fresh.is_due():
            await fresh.learn(names, rows)
            return
        if len(fresh.states) > NAMES:
            fresh.keep(names.union(*(plan.rests_on for plan in self.plans)))
        started = time.monotonic()
        self._forget_all(await fresh.check(names, rows))
        if owner.checkout is not None:
            owner.checkout.took(time.monotonic() - started)

    def _forget_all(self, changed: set[str]) -> None:
        if not changed:
            return
        for plan in self.plans:
            if not plan.rests_on.isdisjoint(changed):
                self._outdate(plan)

    def _outdate(self, plan: Plan) -> None:
        plan.is_outdated = True
        self.forget(plan.source)

    async def plan(self, driver: Any, sql: str) -> Plan:
        """Return the plan of a `$1` text, asking the server of the driver the first time.

        DML without RETURNING is planned in its form that counts rows (`counts`). To be called
        with the driver's lane alone. Raises SQLSpecError when the server refuses the statement.
        """
        plan: Plan = await driver.plan(sql)
        return plan

    async def describe(
        self,
        owner: Owner,
        connection: Any,
        source: str,
        sql: str | None = None,
        undo: Callable[[], Any] | None = None,
        names: list[str] | None = None,
    ) -> Plan:
        """Prepare a text (`sql`, where it is not `source` itself) and return its plan.

        `undo` makes the statement that is to be run after a cancellation. Raises SQLSpecError when
        the server refuses the statement.
        """
        given, sql = sql, (sql or source) + self.plans.spelling(source)

        async def rows(text: str, values: list[Any]) -> list[dict[str, Any]]:
            result = await guarded(owner, connection.fetch(text, values), undo=undo)
            found: list[dict[str, Any]] = result.result()
            return found

        # Without any parameter psqlpy tells no columns; how many there are it does not check.
        # The object is not kept: it holds the connection open, even in a kept traceback.
        prepare = connection.prepare(sql, [None])
        found_names = [
            column.name for column in (await guarded(owner, prepare, undo=undo)).columns()
        ]
        if self._tells_columns is None:
            version = await rows("SELECT current_setting('server_version_num')::int AS number", [])
            self._tells_columns = version[0]["number"] >= 160000
        told = "result_types::oid[]::bigint[]" if self._tells_columns else "NULL::bigint[]"
        found = await rows(_PREPARED.format(columns=told), [sql])
        if not found:
            msg = "the connection does not keep prepared statements (a pooler in front of it?)"
            raise SQLSpecError(msg)
        parameters, kinds = found[0]["parameters"], found[0]["columns"]
        if kinds is None and found_names and not self._tells_columns:
            kinds = [None] * len(found_names)
        oids = [oid for oid in (*parameters, *(kinds or ())) if oid is not None]
        await self.catalogue.load(oids, rows)
        if not all(oid in self.catalogue for oid in oids):
            self.forget(source)  # a type is gone: what is prepared here is of another time
            return await self.describe(owner, connection, source, given, undo, names)
        columns = kinds and tuple(
            Column(name, None if oid is None else self.catalogue[oid])
            for name, oid in zip(found_names, kinds, strict=True)
        )
        doubled = self._doubled(columns, self.catalogue.exact) if columns else None
        if names is None and doubled is not None:
            renamed = renaming(sql, len(found_names))
            if renamed is not None:
                try:
                    plan = await self.describe(
                        owner, connection, source, renamed, undo, found_names
                    )
                    plan.names_on_server.append(found[0]["name"])
                    return plan
                except DatabaseConnectionError:
                    raise
                except SQLSpecError as error:  # rules, or whatever else no WITH may hold
                    raise SQLSpecError(doubled) from error
            # psqlpy reads native types by itself, whatever their names are.
            if self._doubled(columns, self.catalogue.decode) is not None:
                raise SQLSpecError(doubled)
        types = tuple(self.catalogue[oid] for oid in parameters)
        plan = Plan(source, sql, types, columns, self.catalogue, names)
        plan.names_on_server.append(found[0]["name"])
        return plan

    def _doubled(self, columns: tuple[Column, ...], reader: Callable[[PgType], Any]) -> str | None:
        """Say which columns psqlpy cannot tell apart and the reader reads in different ways."""
        first: dict[str, PgType] = {}
        for column in columns:
            if column.type is not None:
                other = first.setdefault(column.name.lower(), column.type)
                if reader(other) is not reader(column.type):
                    return (
                        f'two columns of the result are named "{column.name}", and their types '
                        f"differ ({other.name}, {column.type.name}): give one of them an alias "
                        "(AS ...). Nothing was run."
                    )
        return None
