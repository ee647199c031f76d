"""Planning: what a connection asks its server about a text, once, before it runs it.

The answers are kept for the life of the physical connection (`describe`); a session finds them
where the connection's earlier sessions left them. DML without RETURNING is planned in the form
that counts its rows (`counts`), if the server takes that form.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from sqlspec.exceptions import DatabaseConnectionError, SQLSpecError

from psqlpy_adapter.blocks import in_block
from psqlpy_adapter.cancellation import guarded
from psqlpy_adapter.counts import DML, counting, explaining, verb
from psqlpy_adapter.describe import Describer
from psqlpy_adapter.lane import Lane
from psqlpy_adapter.mixin import DriverMixin
from psqlpy_adapter.numbering import Placeholders
from psqlpy_adapter.remembered import REMEMBERED
from psqlpy_adapter.types import Catalogue

if TYPE_CHECKING:
    from psqlpy_adapter.checkout import Checkout
    from psqlpy_adapter.plans import Plan

T = TypeVar("T")

_CATALOGUE = "_psqlpy_adapter_catalogue"
_SAVEPOINT = "psqlpy_adapter_count"
_TWO_TYPES = "inconsistent types deduced for parameter"


class PlanningMixin(DriverMixin):
    """`describer`, `catalogue` and `plan` of the driver."""

    __slots__ = ()

    checkout: Checkout | None
    """What is known of the connection; None on a driver that was made by hand."""

    @property
    def catalogue(self) -> Catalogue:
        """The types of the server: one for all drivers with the same `driver_features`."""
        catalogue = self.driver_features.get(_CATALOGUE)
        if catalogue is None:
            catalogue = self.driver_features[_CATALOGUE] = Catalogue(
                self.driver_features.get("json_serializer"),
                self.driver_features.get("json_deserializer"),
            )
        return catalogue

    @property
    def describer(self) -> Describer:
        """What is known of the statements prepared on this connection."""
        home: Any = self.checkout if self.checkout is not None else self
        describer: Describer | None = home.__dict__.get("describer")
        if describer is None:
            describer = home.__dict__["describer"] = Describer(self.catalogue)
        return describer

    @property
    def wire(self) -> Any:
        """The connection for what can leave nothing open behind (see `Checkout.is_touched`)."""
        return self.connection if self.checkout is None else self.checkout.connection

    @property
    def block_wire(self) -> Any:
        """The connection for transactions and savepoints of which the driver keeps track."""
        if self.checkout is None:
            return self.connection
        self.checkout.is_touched = True
        return self.checkout.connection

    @property
    def lane(self) -> Lane:
        """The order of what tasks do on this session's connection."""
        lane = self.__dict__.get("_lane")
        if lane is None:
            lane = self.__dict__["_lane"] = Lane()
        return lane

    async def plan(self, sql: str, *, counts: bool = True) -> Plan:
        """Return the plan of a `$1` text on this connection, asking the server the first time.

        counts: DML without RETURNING is planned in the form that counts its rows.
        """
        describer = self.describer
        plan = describer.known(sql)
        if plan is not None:
            return plan
        await self._look(sql)
        plan = describer.plans.used(sql)
        if plan is not None:
            return plan
        if not self._pools_transactions() or await in_block(self):
            plan = await self._describe(sql, counts=counts)
        else:  # a pooler may use another server for the next statement outside of a transaction
            send = self.connection.execute_batch
            await guarded(self, send("BEGIN"), undo=lambda: send("ROLLBACK"))
            failure = None
            try:
                plan = await self._describe(sql, lambda: send("ROLLBACK"), counts=counts)
            except SQLSpecError as error:
                failure = error
            await guarded(self, send("ROLLBACK"), instead=lambda: send("ROLLBACK"))
            if failure is not None:
                raise failure
            assert plan is not None
        describer.remember(plan)
        return plan

    async def numbered(self, given: Placeholders) -> Placeholders:
        """Return the form of a text with a repeated name that the server can give types to.

        One number for a name serves GROUP BY and `:x IS NULL`; but the server refuses one that is
        to be of two types (42P08), as in VALUES of two columns: there each place has its own. The
        first time it is asked under a savepoint, so that its refusal harms no transaction.
        """
        home: Any = self.checkout if self.checkout is not None else self
        divided: set[str] = home.__dict__.setdefault("_psqlpy_adapter_divided", set())

        def is_open() -> bool:  # a plan that is due is: an ALTER TABLE may have divided a name
            return given.sql not in divided and self.describer.known(given.sql) is None

        if given.apart is None:
            return given
        if is_open():
            async with self.lane.alone(is_open):
                if self.lane.owns() and await self._is_divided(given.sql):
                    if len(divided) >= REMEMBERED:
                        divided.clear()
                    divided.add(given.sql)
        return given.apart if given.sql in divided else given

    async def _is_divided(self, sql: str) -> bool:
        """Whether the server finds two types for a parameter; asked under a savepoint."""
        send = self.wire.execute_batch
        inside = await in_block(self)
        if inside:
            await guarded(self, send(f"SAVEPOINT {_SAVEPOINT}"))
        undo = ""
        try:
            await self.plan(sql)
        except SQLSpecError as error:
            if _TWO_TYPES not in str(error):
                raise
            undo = f"ROLLBACK TO {_SAVEPOINT}; "
        if inside:
            await guarded(self, send(f"{undo}RELEASE {_SAVEPOINT}"))
        return bool(undo)

    async def _describe(
        self, sql: str, undo: Callable[[], Any] | None = None, *, counts: bool
    ) -> Plan:
        describer = self.describer
        plan = await describer.describe(self, self.wire, sql, undo=undo)
        if not counts or plan.columns is not None or (operation := verb(sql)) not in DML:
            return plan
        plan.command = operation
        for form in (counting, explaining):
            if (text := form(sql)) is None:
                continue
            describe = partial(describer.describe, self, self.wire, sql, text, undo)
            counted = await self._attempt(describe)
            if counted is not None:
                counted.command, counted.counts = operation, True
                counted.explains = form is explaining
                counted.names_on_server += plan.names_on_server
                return counted
            plan.uncounted = True
        return plan

    async def _look(self, sql: str) -> None:
        try:
            await self.describer.look(self, self.wire, sql)
        except DatabaseConnectionError:
            raise
        except SQLSpecError:
            return  # in a transaction that has failed: the statement itself will say so

    async def _attempt(self, describe: Callable[[], Awaitable[T]]) -> T | None:
        """Do what the server may refuse, without harm to a transaction; None when it does."""
        send = self.wire.execute_batch
        inside = await in_block(self)
        if inside:
            await guarded(self, send(f"SAVEPOINT {_SAVEPOINT}"))
        undo, answer = "", None
        try:
            answer = await describe()
        except DatabaseConnectionError:  # lost, or the session has ended: no answer
            raise
        except SQLSpecError:
            undo = f"ROLLBACK TO {_SAVEPOINT}; "
        if inside:
            await guarded(self, send(f"{undo}RELEASE {_SAVEPOINT}"))
        return answer

    async def _as_text(self, plan: Plan, values: Any) -> tuple[Plan, list[Any]]:
        """Return a plan in which the server reads as text what only it can read, and the values."""
        sql, given = plan.as_text(values)
        async with self.lane.alone():
            return await self.plan(sql), given

    def _pools_transactions(self) -> bool:
        return self.driver_features.get("pooler_mode") in ("transaction", "statement")
