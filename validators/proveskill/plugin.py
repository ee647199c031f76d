"""The pytest plugin: options, and the collection of the Markdown of skill packs.

Installed as a pytest11 entry point, so it is imported by every pytest run of an environment:
everything but this module is imported only once there is a skill to collect.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from proveskill.session import Session

_SKILL = "SKILL.md"
_OUTPUTS = ("junit", "sarif", "summary", "badge")
_RUN_MODES = ("all", "possible", "parse")
_STATE = pytest.StashKey["Session"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options; ``proveskill verify`` offers them under shorter names."""
    group = parser.getgroup("proveskill", "skill packs (Markdown fences run on PostgreSQL)")
    add = group.addoption
    add("--proveskill-server", metavar="KIND", help="embedded, container or a postgresql:// URL")
    add("--proveskill-image", metavar="IMAGE", help="image of the container server")
    add("--proveskill-adapter", metavar="NAME", help="variant of the pack, named in skill.yaml")
    add("--proveskill-report", metavar="FILE", type=Path, help="write the report as JSON")
    for name in _OUTPUTS:
        add(f"--proveskill-{name}", metavar="FILE", type=Path, help=f"write the report as {name}")
    add("--proveskill-jobs", metavar="N", type=int, help="sections executed at once (cores)")
    add("--proveskill-require-proofs", action="store_true", help="fail for unproven statements")
    add("--proveskill-run", choices=_RUN_MODES, help="which fences are executed")
    add("--proveskill-timeout", metavar="SECONDS", type=float, help="limit of one fence")


def _state(config: pytest.Config) -> Session:
    """Return the state of this run, made and registered when first needed."""
    if (state := config.stash.get(_STATE, None)) is not None:
        return state
    from proveskill.hooks import Hooks
    from proveskill.session import Session

    state = config.stash[_STATE] = Session(config)
    config.pluginmanager.register(Hooks(state), "proveskill-hooks")
    return state


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Let the processes of pytest-xdist share the servers of this one."""
    config = session.config
    if not config.getoption("numprocesses", None) or hasattr(config, "workerinput"):
        return
    from proveskill.model import ManifestError

    for argument in config.args:
        path = Path(argument.partition("::")[0])
        if path.is_dir() or path.suffix == ".md":
            try:
                _state(config).packs_of(path)[0].servers.share()
            except ManifestError:  # not a pack: nothing to share
                continue


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect ``*.md`` of a skill folder: one that holds a SKILL.md, at any depth."""
    if file_path.suffix != ".md":
        return None
    if not any((folder / _SKILL).is_file() for folder in file_path.parents):
        return None
    from proveskill.items import MarkdownFile
    from proveskill.model import ManifestError

    state = _state(parent.config)
    try:
        state.packs_of(file_path)[0].fixtures  # noqa: B018 - reads and checks them
    except ManifestError as error:
        raise pytest.UsageError(str(error)) from None
    file: Any = MarkdownFile.from_parent(parent, path=file_path)
    file.proveskill = state
    return file  # type: ignore[no-any-return]


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(name: str, obj: object) -> list[pytest.Item] | None:
    """Leave proofs to ``proveskill verify``, which has the values that they need."""
    if name.startswith("test") and getattr(obj, "__proveskill_proof__", False):
        return []
    return None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the fences of a section in one process, and spread everything else as usual."""
    if config.getoption("dist") != "load" or _STATE not in config.stash:
        return None
    from proveskill.distribution import SectionScheduling

    return SectionScheduling(config, log)
