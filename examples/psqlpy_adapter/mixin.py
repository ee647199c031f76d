"""What the mixins of the driver stand on.

Type checkers see SQLSpec's driver, whose attributes and methods a mixin may use and pass on to; at
run time a mixin brings nothing but its own methods, so that it can be put before any driver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlspec.adapters.psqlpy import PsqlpyDriver as DriverMixin
else:

    class DriverMixin:
        """Nothing."""

        __slots__ = ()


__all__ = ["DriverMixin"]
