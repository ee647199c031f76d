"""The command ``proveskill``: thin over pytest, which does the running."""

from __future__ import annotations

import argparse
import difflib
import json
import os
import platform
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from proveskill.fixture_index import read_fixtures
from proveskill.manifest import Manifest, ManifestError, choose_adapter, find_manifest
from proveskill.markdown import read_document
from proveskill.model import Section
from proveskill.servers import ServerError

OK, WRONG, USAGE, NO_SERVER = 0, 1, 2, 3

# Fences run in workers, which capture for themselves: in this process nothing is left for the
# parts of pytest that watch over test functions, and the last two end every run with a full
# garbage collection.
_UNUSED_PARTS = (
    "--capture=no",
    *("-p", "no:logging"),
    *("-p", "no:warnings"),
    *("-p", "no:doctest"),
    *("-p", "no:unittest"),
    *("-p", "no:unraisableexception"),
    *("-p", "no:threadexception"),
)

_EPILOG = """\
exit status:
  0  all holds
  1  something in the pack is wrong: a fence failed, a mark is stale, nothing was found
  2  the command or the manifest is wrong
  3  the server could not be started
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except (ManifestError, ServerError) as error:
        print(f"error: {error}", file=sys.stderr)
        status = USAGE
    except BrokenPipeError:  # the reader of our output, such as head, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = OK
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="proveskill",
        description="Run every code fence of an Agent Skill against a real PostgreSQL.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_verify(commands)
    _add_sections(commands)
    return parser


def _add_verify(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    verify = commands.add_parser(
        "verify",
        help="run every fence of a pack",
        description="Run every fence of a pack, each section in a fresh process and database.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = verify.add_argument
    path_help = "a folder with skill.yaml or SKILL.md, one of its files, or FILE.md::SECTION::N"
    add("path", nargs="?", default=".", metavar="PATH", help=path_help)
    add("--server", metavar="KIND", help="embedded (default), container, or a postgresql:// URL")
    add("--image", metavar="IMAGE", help="image of the container server")
    add("--adapter", metavar="NAME", help="a variant that skill.yaml names")
    add("--report", metavar="FILE", help="write the report as JSON")
    add("--jobs", type=int, metavar="N", help="sections executed at once (default: the cores)")
    add("--timeout", type=float, metavar="SECONDS", help="limit of one fence")
    add("-k", metavar="EXPR", dest="keyword", help="only what matches, as in pytest -k")
    add("-x", action="store_true", dest="first", help="stop at the first failure")
    add("--lf", action="store_true", help="only what failed last time")
    add("-v", action="count", default=0, dest="verbose", help="a line a fence, whole failures")
    verify.set_defaults(run=_verify)


def _verify(options: argparse.Namespace) -> int:
    target, separator, item = options.path.partition("::")
    manifest = find_manifest(Path(target))
    _check(manifest, options)
    paths = _skill_paths(manifest, Path(target))
    arguments = [f"{path}{separator}{item}" for path in paths]
    arguments += ["--disable-plugin-autoload", "-p", "proveskill.plugin", "--noconftest"]
    # A foreign folder's own pytest settings are not ours to obey, nor its cache ours to write.
    arguments += ["-c", os.devnull, f"--rootdir={manifest.root}", "-rfEs", "--no-header"]
    arguments += ["--continue-on-collection-errors", *_UNUSED_PARTS]
    if manifest.file is None and not options.lf:
        arguments += ["-p", "no:cacheprovider"]
    for name in ("server", "image", "adapter", "report", "jobs", "timeout"):
        if (value := getattr(options, name)) is not None:
            arguments.append(f"--proveskill-{name}={value}")
    if options.keyword:
        arguments += ["-k", options.keyword]
    arguments += ["-x"] * options.first + ["--lf"] * options.lf
    arguments += ["-" + "v" * options.verbose] if options.verbose else []
    print(_headline(manifest, options), flush=True)
    watch = _Watch()
    signal.signal(signal.SIGTERM, watch.terminate)
    status = int(pytest.main(arguments, plugins=[watch]))
    if status == pytest.ExitCode.NO_TESTS_COLLECTED:
        what = f"nothing matches -k {options.keyword!r}" if options.keyword else "no fence found"
        print(f"error: {target}: {what}: nothing was proven", file=sys.stderr)
        return USAGE if options.keyword else WRONG
    if status == pytest.ExitCode.USAGE_ERROR or watch.internal_error:
        return USAGE
    return watch.signal + 128 if watch.signal else status


def _check(manifest: Manifest, options: argparse.Namespace) -> None:
    """Find what is wrong with the command before anything is collected or started."""
    replace(manifest.server, kind=options.server or manifest.server.kind)
    choose_adapter(manifest, options.adapter)
    read_fixtures(manifest.fixtures)
    if options.report and not Path(options.report).resolve().parent.is_dir():
        raise ManifestError(f"cannot write the report {options.report}: no such folder")


def _headline(manifest: Manifest, options: argparse.Namespace) -> str:
    adapter = options.adapter or next(iter(manifest.adapters), None)
    kind = options.server or manifest.server.kind
    server = "a server at an address" if "://" in kind else f"server {kind}"
    parts = [server, f"adapter {adapter}" if adapter else "", f"Python {platform.python_version()}"]
    return f"{manifest.name} {manifest.version or ''}: {', '.join(filter(None, parts))}"


class _Watch:
    """Tells apart what pytest's exit status does not."""

    def __init__(self) -> None:
        self.internal_error = False
        self.signal = 0

    def terminate(self, number: int, _frame: object) -> None:
        """Treat SIGTERM as Ctrl-C, so that everything is closed in order."""
        self.signal = number
        raise KeyboardInterrupt

    def pytest_internalerror(self) -> None:
        """Note a bug of the engine or of pytest."""
        self.internal_error = True

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Note Ctrl-C, but not a run that the engine itself gave up."""
        if excinfo.type is KeyboardInterrupt:  # pytest.exit() and others derive from it
            self.signal = self.signal or signal.SIGINT


def _skill_paths(manifest: Manifest, target: Path) -> list[Path]:
    """Return what pytest is to collect: the target, or the skills below it."""
    target = target.resolve()
    if target == manifest.root or target == manifest.file:
        return list(manifest.skills)
    if target.is_file() or any(s == target or s in target.parents for s in manifest.skills):
        return [target]
    return [skill for skill in manifest.skills if target in skill.parents]


def _add_sections(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    sections = commands.add_parser(
        "sections",
        help="list the sections of a pack, or print one",
        description="List the sections of a pack, or print one: sections . configuration#pool",
    )
    sections.add_argument("path", nargs="?", default=".", metavar="PATH", help="the pack")
    sections.add_argument("section", nargs="?", metavar="ID", help="print this section")
    sections.add_argument("--json", action="store_true", help="machine-readable")
    sections.set_defaults(run=_sections)


def _sections(options: argparse.Namespace) -> int:
    manifest = find_manifest(Path(options.path))
    found = [
        section
        for file in manifest.files()
        for section in read_document(file, manifest.name_of(file)).sections
        if section.snippets or not section.id.endswith("#top")
    ]
    if options.section is not None:
        found = _choose(found, options.section)
        if not options.json:
            print(_text_of(found[0]), end="")
            return OK
    if options.json:
        print(json.dumps([_record(section, manifest) for section in found], indent=2))
        return OK
    width = max((len(section.id) for section in found), default=0)
    for section in found:
        print(f"{section.id:<{width}}  {len(section.snippets):>3} fences  {section.title}")
    return OK


def _choose(sections: list[Section], wanted: str) -> list[Section]:
    chosen = [section for section in sections if section.id == wanted]
    if not chosen:
        near = difflib.get_close_matches(wanted, [section.id for section in sections], 3, 0.3)
        hint = f"; near: {', '.join(near)}" if near else ""
        raise ManifestError(f"no section {wanted!r}{hint}; 'proveskill sections' lists them")
    return chosen


def _text_of(section: Section) -> str:
    lines = section.file.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    return "".join(lines[section.line - 1 : section.end_line])


def _record(section: Section, manifest: Manifest) -> dict[str, object]:
    return {
        "id": section.id,
        "title": section.title,
        "file": os.path.relpath(section.file, manifest.root),
        "line": section.line,
        "end_line": section.end_line,
        "snippets": [
            {"id": s.id, "line": s.line, "language": s.language} for s in section.snippets
        ],
    }
