"""The command line: which commands there are, and their exit statuses.

Only the command that is called is imported: see :mod:`proveskill.commands`.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from typing import Any

from proveskill.exit_status import EXPLAINED, OK, USAGE
from proveskill.model import ManifestError
from proveskill.servers import ServerError

_COMMANDS = {
    "init": "write a first skill.yaml for the skills in a folder",
    "verify": "run every fence of a pack",
    "sections": "list the sections of a pack, search them, or print one",
    "mutants": "change every value that the text states, and see whether its proof notices",
    "receipt": "write what a run has proven into the skill, or check it",
    "mcp": "serve the sections of a pack to an assistant, over stdio",
    "channels": "write what assistants and installers read of a pack",
    "render": "turn a report that was stored into JUnit, SARIF, Markdown or a badge",
    "site": "make a site of the pack, with the verdict of every fence and sentence",
    "matrix": "verify a pack over sets of versions",
}
_RUN_THE_PACK = {"verify", "mutants", "matrix"}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()  # not at the end of the process, where a closed pipe is an error
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
        description="Run every code fence of an Agent Skill, and prove its sentences, on a real "
        "PostgreSQL.",
        epilog=EXPLAINED,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(
        title="commands", required=True, metavar="COMMAND", parser_class=_CommandParser
    )
    for name, summary in _COMMANDS.items():
        commands.add_parser(name, help=summary, command=name)
    return parser


class _CommandParser(argparse.ArgumentParser):
    """Gets its options from the module of its command, when that is the one that is called."""

    def __init__(self, *, command: str, **settings: Any) -> None:
        super().__init__(**settings)
        self._command = command

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse what stands behind the name of the command."""
        module = import_module(f"proveskill.commands.{self._command}")
        self.description = module.DESCRIPTION
        if self._command in _RUN_THE_PACK:
            self.epilog = EXPLAINED
            self.formatter_class = argparse.RawDescriptionHelpFormatter
        module.add_options(self)
        self.set_defaults(run=module.run)
        return super().parse_known_args(args, namespace)
