"""The command line: options, help, exit statuses.

Commands are imported when they are called: the fork server starts up beside the import of pytest.
"""

from __future__ import annotations

import argparse
import os
import sys

from proveskill.model import ManifestError
from proveskill.servers import ServerError

OK, USAGE = 0, 2

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
        description="Run every code fence of an Agent Skill, and prove its sentences, on a real "
        "PostgreSQL.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_verify(commands)
    _add_sections(commands)
    _add_mutants(commands)
    _add_matrix(commands)
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
    add("paths", nargs="*", default=["."], metavar="PATH", help=path_help)
    add("--server", metavar="KIND", help="embedded (default), container, or a postgresql:// URL")
    add("--image", metavar="IMAGE", help="image of the container server")
    add("--adapter", metavar="NAME", help="a variant that skill.yaml names, or both")
    add("--require-proofs", action="store_true", help="fail for every unproven statement")
    add("--report", metavar="FILE", help="write the report as JSON")
    add("--jobs", type=int, metavar="N", help="sections executed at once (default: the cores)")
    add("--timeout", type=float, metavar="SECONDS", help="limit of one fence")
    add("-k", metavar="EXPR", dest="keyword", help="only what matches, as in pytest -k")
    add("-x", action="store_true", dest="first", help="stop at the first failure")
    add("--lf", action="store_true", help="only what failed last time")
    add("-v", action="count", default=0, dest="verbose", help="a line a fence, whole failures")
    verify.set_defaults(run=_verify)


def _verify(options: argparse.Namespace) -> int:
    from proveskill.zygote_process import spawn_early

    spawn_early()
    from proveskill.verify_command import verify

    return verify(options)


def _add_mutants(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    mutants = commands.add_parser(
        "mutants",
        help="change every value that the text states, and see whether its proof notices",
        description="Run each proof with wrong values in place of those that the text states: a "
        "number plus one and doubled, another word of the same column, another error class. A "
        "mutant that survives is a value that nothing checks. Those of a whole pack have a budget "
        "in skill.yaml. What was tried is remembered: run the command again to go on.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = mutants.add_argument
    add("path", nargs="?", default=".", metavar="PATH", help="a folder with skill.yaml")
    add("--adapter", metavar="NAME", help="the variant of the pack (default: the first)")
    add("--jobs", type=int, metavar="N", help="proofs run at once (default: the cores)")
    add("--seconds", type=float, default=600.0, metavar="N", help="stop after this time (600)")
    add("--fresh", action="store_true", help="forget what earlier runs have tried")
    add("--report", metavar="FILE", help="write the results as JSON")
    add("-k", metavar="TEXT", dest="keyword", help="only proofs or statements whose id contains it")
    mutants.set_defaults(run=_mutants)


def _mutants(options: argparse.Namespace) -> int:
    from proveskill.mutants_command import mutants

    return mutants(options)


def _add_matrix(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    matrix = commands.add_parser(
        "matrix",
        help="verify a pack over sets of versions",
        description="Verify a pack over the sets of versions that skill.yaml declares (key "
        "'matrix'), each in an environment of its own, and find the release at which an item "
        "breaks. The environments are made by uv and kept in the user's cache.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = matrix.add_argument
    add("path", nargs="?", default=".", metavar="PATH", help="a folder with skill.yaml")
    add("--set", nargs="+", metavar="NAME", dest="sets", help="only these sets (default: all)")
    add("--report", metavar="FILE", help="write the report as JSON")
    add("--markdown", metavar="FILE", help="write the report as Markdown")
    bisect_help = "do (default) or do not look for the release at which an item breaks"
    add("--bisect", action=argparse.BooleanOptionalAction, default=True, help=bisect_help)
    matrix.set_defaults(run=_matrix)


def _matrix(options: argparse.Namespace) -> int:
    from proveskill.matrix_command import matrix

    return matrix(options)


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
    from proveskill.sections_command import sections

    return sections(options)
