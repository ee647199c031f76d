"""The pytest plugin: collects the Markdown of skill packs, reports on its fences."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from proveskill.items import MarkdownFile, SnippetFailed, SnippetItem
from proveskill.manifest import SKILL, ManifestError
from proveskill.render import rerun_command
from proveskill.session import Session
from proveskill.summary import finish, write_summary

SESSION = pytest.StashKey[Session]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options; ``proveskill verify`` offers them under shorter names."""
    group = parser.getgroup("proveskill", "skill packs (Markdown fences run on PostgreSQL)")
    add = group.addoption
    add("--proveskill-server", metavar="KIND", help="embedded, container or a postgresql:// URL")
    add("--proveskill-image", metavar="IMAGE", help="image of the container server")
    add("--proveskill-adapter", metavar="NAME", help="variant of the pack, named in skill.yaml")
    add("--proveskill-report", metavar="FILE", type=Path, help="write the report as JSON")
    add("--proveskill-jobs", metavar="N", type=int, help="sections executed at once (cores)")
    add("--proveskill-timeout", metavar="SECONDS", type=float, help="limit of one fence")


def pytest_configure(config: pytest.Config) -> None:
    """Attach the state of this run."""
    config.stash[SESSION] = Session(config)
    config.pluginmanager.register(config.stash[SESSION], "proveskill-session")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Let the processes of pytest-xdist share this process's servers."""
    config = session.config
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        for argument in config.args:
            path = Path(argument.partition("::")[0])
            try:
                config.stash[SESSION].pack_of(path).servers.share()
            except ManifestError:
                continue


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect ``*.md`` of a skill folder: one that holds a SKILL.md, at any depth."""
    if file_path.suffix != ".md" or not _in_skill(file_path):
        return None
    state = parent.config.stash[SESSION]
    try:
        state.pack_of(file_path).fixtures  # noqa: B018 - reads and checks them
    except ManifestError as error:
        raise pytest.UsageError(str(error)) from None
    file: Any = MarkdownFile.from_parent(parent, path=file_path)
    file.proveskill = state
    return file  # type: ignore[no-any-return]


def _in_skill(path: Path) -> bool:
    return any((folder / SKILL).is_file() for folder in path.parents)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start executing what was selected."""
    if not session.config.option.collectonly:
        snippets = [item for item in session.items if isinstance(item, SnippetItem)]
        session.config.stash[SESSION].start(snippets)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the fence's own time and its record for the JSON report into pytest's report."""
    report = yield
    if isinstance(item, SnippetItem) and call.when == "call":
        verdict, snippet = item.verdict, item.step.snippet
        failure = verdict.failure if verdict else None
        report.duration = verdict.seconds if verdict else 0.0
        report.proveskill = {
            "id": snippet.id,
            "section": item.plan.section.id,
            "file": item.step.filename,
            "line": snippet.line,
            "language": snippet.language,
            "adapter": item.config.stash[SESSION].pack_of(item.path).adapter,
            "verdict": verdict.name if verdict else "failed",
            "seconds": round(report.duration, 4),
            "reason": verdict.reason if verdict else None,
            "error": failure.as_json(rerun_command(item)) if failure else None,
        }
    if call.excinfo is not None and isinstance(call.excinfo.value, SnippetFailed):
        report.proveskill_failure = asdict(call.excinfo.value.failure)
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the fences of a section in one process, whatever ``--dist`` says of tests."""
    from proveskill.distribution import SectionScheduling

    return SectionScheduling(config, log) if config.getoption("dist") == "load" else None


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Close everything, write the report and settle the exit status."""
    state = session.config.stash[SESSION]
    session.exitstatus = finish(state, session, exitstatus)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the table by section, the totals and where the time went."""
    write_summary(config.stash[SESSION], terminalreporter)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close everything once more, for runs that ended before they began."""
    if (state := config.stash.get(SESSION, None)) is not None:
        state.close()
