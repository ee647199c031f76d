"""The placeholders of a text: every style, with its parameters numbered as the server wants them.

What SQLSpec 0.69 does: it finds them by a pattern of its own, takes the `?` of an operator (`@?`,
`?#`, `?-`) for one unless it is written `??`, as well as the bound of a slice (`[:2]`) and the
operator of an absolute value (`@x`), and needs white space between `$1,$2`.

What this does instead: only code is looked at (`sql_text`), and only the placeholders are replaced.
What has to go through SQLSpec is written so that it finds the same (`for_sqlspec`).
May be unnecessary when SQLSpec knows PostgreSQL's operators and sqlglot (30.30) reads `$1,$2`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import zip_longest

from psqlpy_adapter.sql_text import scan

_FOREIGN = re.compile(
    r"""
    (?P<skip>::|:=|@@|\?\|(?!\|)|\?&)
  | (?P<operator>@?\?\?|@\?)
  | (?P<native>\$\((?P<native_name>[^)]+)\)p)
  | (?P<pyformat>%\((?P<pyformat_name>\w+)\)s) | (?P<percent>%s(?!\w))
  | (?<![\w:])(?:(?P<numbered>:\d+) | :(?P<colon_name>[^\W\d]\w*) | (?P<at>@(?!sqlspec_)[^\W\d]\w*))
  | (?P<qmark>\?)
    """,
    re.VERBOSE,
)

_OPERATOR = "operator"
_WEAK = frozenset(("?", "@", ":n", _OPERATOR))
"""Styles that are SQL of another meaning beside other placeholders, and where no values are."""


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
    """A placeholder as written.

    `style` is "$", ":", "%(", "$(", "%", "?", or one that is left to SQLSpec: "@", ":n".
    With the style `_OPERATOR` it is none: `??`, which stands for `?`, `@?`, `@x` or `[:2]`.
    """

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
        style = _OPERATOR if match["operator"] else ":n" if match["numbered"] else style
        sites.append(_Site(style, name, match.start(), match.end()))
    if any(site.style not in _WEAK for site in sites):
        sites = [replace(site, style=_OPERATOR) if site.style in _WEAK else site for site in sites]
    return sorted(sites, key=lambda site: site.start)


@lru_cache(maxsize=2048)
def placeholders(sql: str) -> Placeholders | None:
    """Return a text with its parameters numbered, or None when that is left to SQLSpec.

    `$1`, `:name`, `%(name)s`, `%s`, `?` and psqlpy's `$(name)p` are understood, with any spacing.
    A name that occurs twice is one parameter, as in SQLSpec; where the server finds two types for
    it, `apart` is the form to send. `@name`, `:1` and a mixture of styles are SQLSpec's.
    """
    sites = _sites(sql)
    marks = [site for site in sites if site.style != _OPERATOR]
    if not marks:
        return Placeholders(_numbered(sql, sites, ()), 0, None)
    style, count = marks[0].style, len(marks)
    if any(mark.style != style for mark in marks):
        return None
    if style == "$":
        numbers = [int(mark.name) for mark in marks]
        if 0 in numbers:
            return None
        return Placeholders(_numbered(sql, sites, numbers), max(numbers), None)
    if style not in (":", "%(", "$(", "%", "?"):
        return None
    one_by_one = _numbered(sql, sites, range(1, count + 1))
    if style in "%?":
        return Placeholders(one_by_one, count, None)
    found = tuple(mark.name for mark in marks)
    names = tuple(dict.fromkeys(found))
    apart = Placeholders(one_by_one, count, found)
    if len(names) == count:
        return apart
    shared = _numbered(sql, sites, [names.index(name) + 1 for name in found])
    return Placeholders(shared, len(names), names, apart)


@lru_cache(maxsize=2048)
def as_written(sql: str) -> Placeholders | None:
    """Return `placeholders` of a text that is given no values: `?` and `@` are operators there."""
    sites = _sites(sql)
    if all(site.style in _WEAK for site in sites):
        sites = [replace(site, style=_OPERATOR) for site in sites]
        return Placeholders(_numbered(sql, sites, ()), 0, None)
    return placeholders(sql)


def _numbered(sql: str, sites: list[_Site], numbers: Iterable[int]) -> str:
    """Return the text with these numbers for its placeholders, and its operators as they are."""
    remaining = iter(numbers)
    pieces, last = [], 0
    for site in sites:
        before = sql[last : site.start]
        if site.style == _OPERATOR:
            mark = sql[site.start : site.end].replace("??", "?")
        else:
            glue = " " if before[-1:].isalnum() or before[-1:] == "_" else ""
            mark = f"{glue}${next(remaining)}"
        pieces += [before, mark]
        last = site.end
    return "".join([*pieces, sql[last:]])


@lru_cache(maxsize=2048)
def chosen(sql: str) -> tuple[str, tuple[int, ...]]:
    """Return a `$1` text with the parameters that it has numbered from 1, and which they were."""
    sites = [site for site in _sites(sql) if site.style == "$"]
    numbers = tuple(sorted({int(site.name) for site in sites}))
    return _numbered(sql, sites, [numbers.index(int(site.name)) + 1 for site in sites]), numbers


@lru_cache(maxsize=2048)
def for_sqlspec(sql: str, *, has_values: bool = True) -> str:
    """Return the text so that SQLSpec and sqlglot find the placeholders that are found here.

    The `?` of an operator becomes `??`, and `@x` and `[:2]` get a blank inside; without values all
    are such. A placeholder has a space after it: sqlglot reads `$1,$2` as a dollar quote that never
    ends, and SQLSpec `?||` as `?|`.
    """
    pieces, last = [], 0
    sites = _sites(sql)
    for site, following in zip_longest(sites, sites[1:]):
        mark = sql[site.start : site.end]
        gap = sql[site.end : following.start if following else site.end + 1]
        if site.style == _OPERATOR or (site.style in _WEAK and not has_values):
            if "?" not in mark:
                mark = f"{mark[0]} {mark[1:]}"
            elif "??" not in mark:
                mark = mark.replace("?", "??")
        elif gap[:1] in ("|", "&") or (
            following and not any(character.isspace() for character in gap)
        ):
            mark += " "
        pieces += [sql[last : site.start], mark]
        last = site.end
    return "".join([*pieces, sql[last:]])
