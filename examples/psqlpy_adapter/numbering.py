"""The placeholders of a text: every style, with its parameters numbered as the server wants them.

What SQLSpec 0.69 does: it finds them by a pattern of its own, takes the `?` of an operator (`@?`,
`?#`, `?-`) for one, and needs white space between `$1,$2`.

What this does instead: only code is looked at (`sql_text`), and only the placeholders are replaced.
May be unnecessary when SQLSpec knows PostgreSQL's operators and sqlglot (30.30) reads `$1,$2`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from psqlpy_adapter.sql_text import scan

_FOREIGN = re.compile(
    r"""
    (?P<skip>::|:=|\?\?|\?\|(?!\|)|\?&|@\?)
  | (?P<native>\$\((?P<native_name>[^)]+)\)p)
  | (?P<pyformat>%\((?P<pyformat_name>\w+)\)s) | (?P<percent>%s(?!\w))
  | (?<![\w:])(?:(?P<numbered>:\d+) | :(?P<colon_name>[^\W\d]\w*) | (?P<at>@(?!sqlspec_)[^\W\d]\w*))
  | (?P<qmark>\?)
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Placeholders:
    """The parameters of a text: its form with `$1`, and what goes into each.

    `names` is None when parameters are given by position; `count` is how many there are. A name
    that occurs twice is one parameter; `apart` is then the form in which it is two.
    """

    sql: str
    count: int
    names: tuple[str, ...] | None
    apart: Placeholders | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class _Site:
    """A placeholder as written: `style` is "$", ":", "%(", "$(", "%" or one of SQLSpec's."""

    style: str
    name: str
    start: int
    end: int


def _sites(sql: str) -> list[_Site]:
    """Find the placeholders of every style outside of strings, identifiers and comments."""
    if not any(mark in sql for mark in "$:%@?"):
        return []
    blanked = list(sql)
    sites = []
    for kind, start, end in scan(sql):
        if kind == "placeholder":
            sites.append(_Site("$", sql[start + 1 : end], start, end))
        elif kind not in ("space", "comment", "string", "quoted", "tag"):
            continue
        blanked[start:end] = ("'" if kind in ("string", "quoted", "tag") else " ") * (end - start)
    for match in _FOREIGN.finditer("".join(blanked)):
        if match["skip"]:
            continue
        name = match["colon_name"] or match["pyformat_name"] or match["native_name"] or ""
        style = match.group()[: 2 if match["pyformat"] or match["native"] else 1]
        sites.append(_Site(style, name, match.start(), match.end()))
    if any(
        site.style != "?" for site in sites
    ):  # beside other placeholders, `?` is jsonb's operator
        sites = [site for site in sites if site.style != "?"]
    return sorted(sites, key=lambda site: site.start)


@lru_cache(maxsize=2048)
def placeholders(sql: str) -> Placeholders | None:
    """Return a text with its parameters numbered, or None when that is left to SQLSpec.

    `$1`, `:name`, `%(name)s`, `%s`, `?` and psqlpy's `$(name)p` are understood, with any spacing.
    A name that occurs twice is one parameter, as in SQLSpec; where the server finds two types for
    it, `apart` is the form to send. `@name`, `:1` and a mixture of styles are SQLSpec's.
    """
    sites = _sites(sql)
    if not sites:
        return Placeholders(sql, 0, None)
    style = sites[0].style
    if any(site.style != style for site in sites) or (sites[0].style == ":" and not sites[0].name):
        return None
    if style == "$":
        numbers = {int(site.name) for site in sites}
        return Placeholders(sql, max(numbers), None) if 0 not in numbers else None
    if style not in (":", "%(", "$(", "%", "?"):
        return None
    if style in "%?":
        return Placeholders(_numbered(sql, sites, range(1, len(sites) + 1)), len(sites), None)
    found = tuple(site.name for site in sites)
    names = tuple(dict.fromkeys(found))
    apart = Placeholders(_numbered(sql, sites, range(1, len(sites) + 1)), len(sites), found)
    if len(names) == len(found):
        return apart
    shared = _numbered(sql, sites, [names.index(name) + 1 for name in found])
    return Placeholders(shared, len(names), names, apart)


@lru_cache(maxsize=2048)
def as_written(sql: str) -> Placeholders | None:
    """Return `placeholders` of a text that is given no values: `?` is an operator there."""
    if all(site.style == "?" for site in _sites(sql)):
        return Placeholders(sql, 0, None)
    return placeholders(sql)


def _numbered(sql: str, sites: list[_Site], numbers: Iterable[int]) -> str:
    pieces, last = [], 0
    for number, site in zip(numbers, sites, strict=True):
        before = sql[last : site.start]
        glue = " " if before[-1:].isalnum() or before[-1:] == "_" else ""
        pieces += [before, glue, f"${number}"]
        last = site.end
    return "".join([*pieces, sql[last:]])


@lru_cache(maxsize=2048)
def spaced(sql: str) -> str:
    """Return the text with a space after each placeholder that no space parts from the next.

    sqlglot reads `$1,$2` as a dollar quote that never ends; it reads `$1 ,$2`.
    """
    sites = _sites(sql)
    pieces, last = [], 0
    for site, following in pairwise(sites):
        gap = sql[site.end : following.start]
        if not any(character.isspace() for character in gap):
            pieces += [sql[last : site.end], " "]
            last = site.end
    return "".join([*pieces, sql[last:]]) if pieces else sql
