"""A good and a bad set of versions -> the step between them at which each item breaks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from packaging.version import Version

from proveskill.matrix_environments import Environment, Environments
from proveskill.matrix_sets import VersionSet, canonical
from proveskill.matrix_verify import Item


@dataclass(frozen=True)
class Step:
    """An item holds with ``good`` and breaks with ``bad``, which are as near as can be had."""

    good: VersionSet
    bad: VersionSet

    @property
    def changes(self) -> dict[str, tuple[str | None, str | None]]:
        """What differs: a package, ``python`` or ``server`` -> (what holds, what breaks).

        None is what is not named: the Python of this run, the server of the pack, any version.
        """
        names = dict.fromkeys((*self.good.packages, *self.bad.packages))
        pairs = {
            name: (self.good.packages.get(name), self.bad.packages.get(name)) for name in names
        }
        pairs["python"] = (self.good.python, self.bad.python)
        pairs["server"] = (_server(self.good), _server(self.bad))
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def path_between(
    good: VersionSet,
    bad: VersionSet,
    installed: tuple[Environment, Environment],
    environments: Environments,
) -> list[VersionSet]:
    """Return sets from one to the other, each of which differs in one thing from the one before.

    Python first, then the server, then the packages that the sets name, release by release. What
    the lock holds follows at last, where ``bad`` does without: each package at once.
    ``installed`` are the environments of ``good`` and ``bad``.
    """
    here, there = (environment.versions for environment in installed)
    names = [name for name in bad.packages if canonical(name) in here]
    path = [replace(good, packages={name: here[canonical(name)] for name in names})]

    def go(name: str, **changes: Any) -> None:
        state = replace(path[-1], **changes)
        if state != path[-1]:
            path.append(replace(state, name=name))

    go(f"Python {bad.python}", python=bad.python)
    server = {"server": bad.server, "image": bad.image, "programs": bad.programs}
    go(f"server of {bad.name}", requires=bad.requires, **server)
    for name in bad.packages:
        old, new = here.get(canonical(name)), there[canonical(name)]
        for version in _releases(name, old, new, bad.python, environments):
            go(f"{name} {version}", packages={**path[-1].packages, name: version})
    if good.lock != bad.lock:
        named = set(map(canonical, bad.packages))
        for name in sorted(({*here} & {*there}) - named):
            if here[name] != there[name]:
                packages = {**path[-1].packages, name: there[name]}
                go(f"{name} {there[name]}", packages=packages)
        go("without the lock", lock=bad.lock)
    return path


def first_breaks(
    path: Sequence[VersionSet],
    items: Collection[Item],
    broken_in: Callable[[VersionSet, Collection[Item]], set[Item] | None],
) -> dict[Item, Step]:
    """Return the step at which each item breaks, by bisection of ``path``.

    All items hold in its first set and break in its last. ``broken_in`` returns which of some
    items break in a set, or None when the set cannot be had: it is left out then.
    """
    found: dict[Item, Step] = {}
    pending = [(tuple(path), frozenset(items))]
    while pending:
        states, those = pending.pop()
        if len(states) == 2:
            found |= dict.fromkeys(those, Step(*states))
            continue
        middle = len(states) // 2
        broken = broken_in(states[middle], those)
        if broken is None:
            pending.append((states[:middle] + states[middle + 1 :], those))
            continue
        for part, side in ((states[: middle + 1], broken), (states[middle:], those - broken)):
            if side:
                pending.append((part, frozenset(side)))
    return found


def _releases(
    name: str, old: str | None, new: str, python: str | None, environments: Environments
) -> list[str]:
    """Return the releases after ``old`` up to ``new``, which may be the older one."""
    if old is None:
        return [new]
    low, high = sorted((old, new), key=Version)
    between = environments.releases(name, low, high, python) if low != high else []
    return [*(between if low == old else reversed(between)), new]


def _server(one: VersionSet) -> str | None:
    parts = (one.server, one.image, one.programs)
    return " ".join(part for part in parts if part) or None
