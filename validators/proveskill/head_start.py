"""What is made ready before the first verdict is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from proveskill.dispatch import default_jobs
from proveskill.items import SnippetItem
from proveskill.pack import Pack
from proveskill.plan import Step

_IMPORTED_ONCE = frozenset(
    [
        "asyncio",
        "dataclasses",
        "datetime",
        "decimal",
        "fractions",
        "json",
        "psycopg",
        "re",
        "statistics",
        "typing",
        "uuid",
    ]
)
"""What fences import of these is imported before workers are forked: they keep nothing of the
folder and the variables that they find (``multiprocessing`` does). A pack names others itself."""
_MOST_AHEAD = 24
"""Workers forked before a section needs them."""


def spawn(packs: Iterable[Pack]) -> None:
    """Start the fork servers of packs whose files are about to be collected."""
    for pack in packs:
        pack.fork_server.spawn()
        if not (pack.manifest.preload or pack.manifest.fixtures):  # ready at once: use the time
            pack.fork_server.fork_ahead(default_jobs())


def prepare(packs: Iterable[Pack], items: Sequence[SnippetItem]) -> None:
    """Import what the fences import, fork workers and start the server, if they need one."""
    for pack in packs:
        steps = [s for item in items if item.pack is pack for s in item.plan.steps]
        pack.fork_server.preload(_worth_importing_once(steps))
        plans = {id(item.plan): item.plan for item in items if item.pack is pack}.values()
        ahead = sum(not plan.contained for plan in plans)
        if any(plan.contained for plan in plans):
            ahead += default_jobs()
        pack.fork_server.fork_ahead(min(ahead, _MOST_AHEAD))
    for item in items:
        if item.plan.variables:
            item.pack.servers.warm()
            break


def _worth_importing_once(steps: Iterable[Step]) -> frozenset[str]:
    running = [step for step in steps if step.runs]
    modules = frozenset[str]().union(*(s.python.imports for s in running if s.python))
    wanted = modules & _IMPORTED_ONCE
    if any(step.python and step.python.awaits for step in running):
        wanted |= {"asyncio"}
    if any(step.snippet.language == "sql" for step in running):
        wanted |= {"psycopg", "sqlparse"}
    return wanted
