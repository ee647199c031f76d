"""Go each path of the README from empty folders, and print how long it takes: ``make newcomer``.

Timed is what a person waits for, downloads included, and not the answers to questions. The
assistants themselves are there already, as in ``package.json``; so is a clone of this repository.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from installs import NO_NPM, SKILL, Tools, contents, copy_checkout, install_tools
from readme import WITH_NPM, WITH_PYTHON, WITHOUT_A_TOOL, command_of, own_pack


def main() -> None:
    """Print a line for each path; fail when one does not lead where the README says."""
    tools = install_tools()
    if tools is None:
        sys.exit(NO_NPM)
    with tempfile.TemporaryDirectory(prefix="newcomer-") as scratch:
        source = copy_checkout(Path(scratch, "pack"))
        for assistant, place in WITH_NPM.items():
            _timed(assistant, command_of(assistant, source), tools, place)
        # uvx comes with this environment; what it downloads does not.
        uvx = Path(sys.executable).with_name("uvx")
        bring = f"python3 -m venv .venv && .venv/bin/pip install --quiet {source}/examples && "
        bring += command_of(WITH_PYTHON, source).replace("uvx", str(uvx), 1)
        _timed(WITH_PYTHON, bring, tools, "project/.agents/skills")
        _timed(WITHOUT_A_TOOL, command_of(WITHOUT_A_TOOL, source), tools, "project/.agents/skills")
        _time_own_pack(source, tools)


def _timed(name: str, command: str, tools: Tools, place: str) -> None:
    def arrived(user: Path) -> None:
        assert contents((user / place / SKILL.name).resolve()) == contents(SKILL), name

    _show(name, [command], tools, {}, arrived)


def _time_own_pack(source: Path, tools: Tools) -> None:
    skill, commands = own_pack()
    lines = [line.partition("#")[0].strip().replace("PATH", str(source)) for line in commands]
    _show("a pack of your own", lines, tools, {"my-skill/SKILL.md": skill}, lambda _user: None)


def _show(
    name: str, lines: list[str], tools: Tools, files: dict[str, str], check: Callable[[Path], None]
) -> None:
    """Run lines in an empty project of a person with an empty home, and print their seconds."""
    with tempfile.TemporaryDirectory(prefix="newcomer-") as scratch:
        user = Path(scratch)
        for folder in ("home", "project"):
            (user / folder).mkdir()
        for file, text in files.items():
            (user / "project" / file).parent.mkdir(parents=True)
            (user / "project" / file).write_text(text, encoding="utf-8")
        for line in lines:
            begun = time.monotonic()
            said = tools.shell(line, user / "project", user / "home", seconds=900)
            seconds = time.monotonic() - begun
            print(f"{seconds:7.1f} s  {name}: {line}", flush=True)
            if "-v" in sys.argv[1:]:
                print(said, flush=True)
        check(user)


if __name__ == "__main__":
    main()
