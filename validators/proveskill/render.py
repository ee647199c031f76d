"""Failures -> text: the one place where a person's view of a failure is made."""

from __future__ import annotations

import linecache
import shlex
import shutil
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from _pytest._code.code import ReprFileLocation, TerminalRepr
from _pytest._io import TerminalWriter

from proveskill.model import Failure

_MOST_LINES = 15
_MOST_BYTES = 700
_CONTEXT = 2


@dataclass
class FailureText(TerminalRepr):
    """A failure as pytest prints it: at most 15 lines and 700 bytes, all of it with ``-v``."""

    failure: Failure
    rerun: str
    verbose: bool = False

    @property
    def reprcrash(self) -> ReprFileLocation:
        """What the one-line summary says."""
        headline = self.failure.message.partition("\n")[0]
        message = f"{self.failure.type}: {headline}"
        return ReprFileLocation(self.failure.file, self.failure.line, message)

    def toterminal(self, tw: TerminalWriter) -> None:
        """Write it, the failing line in red on a terminal."""
        for line in self.lines():
            marked = line.startswith((">", "E"))
            tw.line(line, red=marked, bold=line.startswith(">"))

    def lines(self) -> list[str]:
        """Return the lines of the message."""
        failure = self.failure
        state = f" [{failure.sqlstate}]" if failure.sqlstate else ""
        message = failure.message.splitlines() or [""]
        head = [f"{failure.file}:{failure.line}: {failure.type}{state}"]
        body = [f"E   {line}" for line in message if line.strip()]
        unsaid = {k: v for k, v in failure.values.items() if v not in failure.message}
        body += [f"E     {key}: {value}" for key, value in unsaid.items()]
        tail = [f"again: {self.rerun}"]
        excerpt = excerpt_of(failure.file, failure.line)
        output = [_cut(f"|   {line}", 100) for line in failure.output.strip().splitlines()]
        if self.verbose:
            return list(map(visible, [*head, *excerpt, *body, *output, *tail]))
        return _fit(
            *([visible(line) for line in part] for part in (head, excerpt, body, output, tail))
        )

    def __str__(self) -> str:
        """Return the text, for reports that are passed between processes."""
        return "\n".join(self.lines())


def excerpt_of(file: str, line: int) -> list[str]:
    """Return the lines of a fence around a line, that one marked with ``>``."""
    source = linecache.getlines(str(Path(file).resolve()))
    first = line
    while first > 1 and line - first < _CONTEXT and not _is_fence(source, first - 1):
        first -= 1
    last = line if line >= len(source) or _is_fence(source, line + 1) else line + 1
    return [
        _cut(f"{'>' if number == line else ' '} {number:>4}  {source[number - 1].rstrip()}", 100)
        for number in range(first, min(last, len(source)) + 1)
    ]


def _is_fence(source: list[str], line: int) -> bool:
    text = source[line - 1].lstrip(" >\t") if line <= len(source) else "```"
    return text.startswith(("```", "~~~"))


def visible(line: str) -> str:
    """Escape control characters, which could colour or overwrite a log."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def _fit(
    head: list[str], excerpt: list[str], body: list[str], output: list[str], tail: list[str]
) -> list[str]:
    """Cut body and output, in that order of worth, until the message is small enough."""
    room = _MOST_LINES - len(head) - len(excerpt) - len(tail)
    kept = body[:room] + output[-max(0, room - len(body)) :] if room > len(body) else body[:room]
    fixed = sum(len(line.encode()) + 1 for line in [*head, *excerpt, *tail])
    lines: list[str] = []
    for line in kept:
        left = _MOST_BYTES - fixed - sum(len(done.encode()) + 1 for done in lines)
        if left < 12:
            break
        lines.append(_cut(line, left - 1))
    return [*head, *excerpt, *lines, *tail]


def _cut(text: str, size: int) -> str:
    """Shorten a text to a number of bytes."""
    encoded = text.encode()
    if len(encoded) <= size:
        return text
    return encoded[: size - 3].decode("utf-8", "ignore") + "…"


def rerun_command(item: pytest.Item) -> str:
    """Return the command that runs one item again, as typed in the current folder."""
    shown = shown_path(item.path, Path(item.config.invocation_params.dir))
    return rerun_target(item.config, f"{shown}::{item.nodeid.partition('::')[2]}")


def rerun_target(config: pytest.Config, target: str) -> str:
    """Return the command that verifies a part of a pack with the options of this run."""
    options = []
    for name in ("server", "adapter", "run"):
        value = config.getoption(f"proveskill_{name}", None)
        if value is not None:
            options.append(f"--{name} {shlex.quote(_without_password(value))}")
    here = Path(config.invocation_params.dir)
    return " ".join([_command(here), "verify", shlex.quote(target), *options])


def shown_path(path: Path, here: Path) -> str:
    """Return a path as a person in a folder would type it: relative below it, else absolute."""
    path = path.resolve()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


@cache
def _command(here: Path) -> str:
    """Return what starts this command: its bare name only where that finds this installation."""
    ours = Path(sys.executable).parent / "proveskill"
    found = shutil.which("proveskill")
    if not ours.exists() or (found and Path(found).samefile(ours)):
        return "proveskill"
    # Not resolve(): the interpreter of a virtual environment is a link out of it.
    return str(ours.relative_to(here) if ours.is_relative_to(here) else ours)


def _without_password(url: str) -> str:
    head, at, tail = url.rpartition("@")
    if not at or "://" not in head:
        return url
    scheme, _, user = head.partition("://")
    return f"{scheme}://{user.partition(':')[0]}@{tail}"
