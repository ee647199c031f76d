"""The plans that one connection remembers, and the server's statements that it can do without.

Each prepared statement costs memory of the server, and the answer to a question to
`pg_prepared_statements` takes the longer the more there are. Texts that were used once are
forgotten first (statements with their values written into them), and what is forgotten is
deallocated on the server, when nobody can be about to send it.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator

from psqlpy_adapter.plans import Plan

ONCE = 200
"""Statements remembered that were used once; the oldest is forgotten first."""
REMEMBERED = 1000
"""Statements remembered that were used again; the longest unused is forgotten first."""
BATCH = 50
"""How many statements are deallocated at a time."""
_PSQLPYS = re.compile(r"s\d+")


def is_psqlpys_name(name: str) -> bool:
    """Whether psqlpy gives such a name to a prepared statement; a pooler has names of its own."""
    return _PSQLPYS.fullmatch(name) is not None


class Remembered:
    """Plans by the text of the statement (`$1` form)."""

    def __init__(self) -> None:
        self._once: OrderedDict[str, Plan] = OrderedDict()
        self._often: OrderedDict[str, Plan] = OrderedDict()
        self._renewals: dict[int, int] = {}
        self._spent: list[str] = []

    def __iter__(self) -> Iterator[Plan]:
        return iter([*self._once.values(), *self._often.values()])

    def used(self, sql: str) -> Plan | None:
        """Return the plan of a text, to be used now."""
        plan = self._often.get(sql)
        if plan is not None:
            self._often.move_to_end(sql)
            return plan
        plan = self._once.pop(sql, None)
        if plan is not None:
            self._often[sql] = plan
            if len(self._often) > REMEMBERED:
                self.forget(next(iter(self._often)))
        return plan

    def get(self, sql: str) -> Plan | None:
        """Return the plan of a text."""
        return self._often.get(sql) or self._once.get(sql)

    def add(self, plan: Plan) -> None:
        """Keep a plan under its source text."""
        if plan.source in self._often:
            self._often[plan.source] = plan
            return
        self._once[plan.source] = plan
        if len(self._once) > ONCE:
            self.forget(next(iter(self._once)))

    def drop(self, sql: str) -> None:
        """Forget what was read of a text; its statement on the server is as good as new."""
        self._once.pop(sql, None)
        self._often.pop(sql, None)

    def forget(self, sql: str) -> None:
        """Forget a text, and send it as a new statement from now on."""
        plan = self._once.pop(sql, None) or self._often.pop(sql, None)
        if plan is not None:
            self.spend(plan)
        else:
            self._renew(sql)

    def spend(self, plan: Plan) -> None:
        """Have the statement of a plan deallocated, and its text sent as a new one from now on."""
        plan.is_gone = True
        self._renew(plan.source)
        self._spent += filter(is_psqlpys_name, plan.names_on_server)

    def spelling(self, source: str) -> str:
        """Return what is added to a text, so that psqlpy takes it for one that it does not know.

        psqlpy keeps a prepared statement by its text for the life of the connection, a broken one
        too (seed-truth P-21). The line break is for those who send the same text to the raw
        connection: their statement is never deallocated.
        """
        renewals = self._renewals.get(hash(source), 0)
        return f"\n--{renewals}" if renewals else "\n"

    def take_spent(self) -> list[str]:
        """Return the names of the statements to deallocate, once there are enough of them."""
        spent: list[str] = []
        if len(self._spent) >= BATCH:
            spent, self._spent = self._spent, spent
        return spent

    def _renew(self, source: str) -> None:
        self._renewals[hash(source)] = self._renewals.get(hash(source), 0) + 1
