"""Checks of single values of the configuration, each with an error that says what is allowed."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import psqlpy
from sqlspec.exceptions import ImproperConfigurationError

Check = Callable[[str, Any], Any]
"""Takes the key and its value; gives the normal form, or raises ImproperConfigurationError."""

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
TARGETS = ("any", "read-write", "read-only", "primary", "standby", "prefer-standby")
BALANCING = ("disable", "random")
RECYCLING = ("fast", "verified", "clean", "auto")

_SECRET = frozenset({"password", "sslpassword", "dsn", "conninfo", "url", "connection_string"})
"""Keys whose value no message may show."""

ALIKE = 0.5
"""From this likeness on (0 to 1), a word is suggested for another."""

_ENUMS: tuple[tuple[Any, str], ...] = (
    (psqlpy.SslMode.Disable, "disable"),
    (psqlpy.SslMode.Allow, "allow"),
    (psqlpy.SslMode.Prefer, "prefer"),
    (psqlpy.SslMode.Require, "require"),
    (psqlpy.SslMode.VerifyCa, "verify-ca"),
    (psqlpy.SslMode.VerifyFull, "verify-full"),
    (psqlpy.TargetSessionAttrs.Any, "any"),
    (psqlpy.TargetSessionAttrs.ReadWrite, "read-write"),
    (psqlpy.TargetSessionAttrs.ReadOnly, "read-only"),
    (psqlpy.LoadBalanceHosts.Disable, "disable"),
    (psqlpy.LoadBalanceHosts.Random, "random"),
    (psqlpy.ConnRecyclingMethod.Fast, "fast"),
    (psqlpy.ConnRecyclingMethod.Verified, "verified"),
    (psqlpy.ConnRecyclingMethod.Clean, "clean"),
)


def refusal(key: str, value: object, allowed: str) -> ImproperConfigurationError:
    """The error for a value that is not allowed."""
    return ImproperConfigurationError(f"{key!r} is {value!r}; it must be {allowed}")


def closest(word: str, words: Iterable[str]) -> str:
    """ " did you mean ...?" for the word of `words` nearest to `word`, or nothing."""
    likeness = {name: difflib.SequenceMatcher(None, str(word), name).ratio() for name in words}
    nearest = max(likeness, key=lambda name: likeness[name])
    return f"; did you mean {nearest!r}?" if likeness[nearest] >= ALIKE else ""


def word(allowed: tuple[str, ...], enum: type[Any] | None = None) -> Check:
    """One of `allowed`, in any case, with - or _; or a member of psqlpy's `enum`."""

    def check(key: str, value: Any) -> str:
        if enum is not None and isinstance(value, enum):
            return next(name for member, name in _ENUMS if type(member) is enum and member == value)
        listed = ", ".join(repr(name) for name in allowed)
        if not isinstance(value, str):
            raise refusal(key, value, f"one of {listed}")
        given = value.strip().lower().replace("_", "-")
        if given not in allowed:
            raise refusal(key, value, f"one of {listed}{closest(given, allowed)}")
        return given

    return check


def text(key: str, value: Any) -> str:
    """A string that is not empty, has no NUL and can be sent as UTF-8."""
    if not isinstance(value, str) or not value or "\0" in value or not _is_unicode(value):
        shown = type(value).__name__ if key in _SECRET else repr(value)
        raise ImproperConfigurationError(f"{key!r} is {shown}; it must be text that is not empty")
    return value


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def flag(key: str, value: Any) -> bool:
    """True or False; 1 and 0 as words where it stands in a connection string."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in ("0", "1"):
        return value == "1"
    raise refusal(key, value, "True or False")


def integer(least: int, most: int) -> Check:
    """A whole number of that range."""

    def check(key: str, value: Any) -> int:
        if isinstance(value, str) and value.strip().removeprefix("-").isdecimal():
            with contextlib.suppress(ValueError):  # of more digits than int() reads
                value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise refusal(key, value, f"a whole number from {least} to {most}")
        return value

    return check


def seconds(most: float = 86400.0 * 365) -> Check:
    """A number of seconds, 0 or more."""

    def check(key: str, value: Any) -> float:
        if isinstance(value, str) and value.strip().replace(".", "", 1).isdecimal():
            value = float(value)
        good = isinstance(value, int | float) and not isinstance(value, bool)
        if not good or not 0 <= value <= most:
            raise refusal(key, value, f"a number of seconds from 0 to {most:.0f}")
        return float(value)

    return check


def file(key: str, value: Any) -> str:
    """The path of a file that is there."""
    if not isinstance(value, str | Path) or not str(value):
        raise refusal(key, value, "the path of a file")
    try:
        with Path(value).open("rb"):
            return str(value)
    except (OSError, ValueError) as error:  # ValueError: of what is no path, with a NUL in it
        reason = getattr(error, "strerror", None) or error
        raise ImproperConfigurationError(
            f"{key!r} is {str(value)!r}, which cannot be read: {reason}"
        ) from error


def only(allowed: Mapping[str, str | None], reason: str) -> Check:
    """A word of which some are fulfilled anyhow; the others are refused with `reason`."""

    def check(key: str, value: Any) -> str | None:
        given = str(value).strip().lower()
        if given not in allowed:
            fine = ", ".join(repr(name) for name in allowed)
            raise ImproperConfigurationError(f"{key!r} is {value!r}: {reason} (possible: {fine})")
        return allowed[given]

    return check


def refused(reason: str) -> Check:
    """No value at all: the reason says what to do instead."""

    def check(key: str, value: Any) -> Any:
        raise ImproperConfigurationError(f"{key!r} cannot be honoured: {reason}")

    return check
