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
    _add_init(commands)
    _add_verify(commands)
    _add_sections(commands)
    _add_mutants(commands)
    _add_receipt(commands)
    _add_mcp(commands)
    _add_channels(commands)
    _add_render(commands)
    _add_site(commands)
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
    run_help = (
        "execute all fences, those for which everything is there, or none, and parse the rest"
    )
    add("--run", dest="run_mode", choices=["all", "possible", "parse"], help=run_help)
    add("--require-proofs", action="store_true", help="fail for every unproven statement")
    add("--report", metavar="FILE", help="write the report as JSON")
    _add_outputs(verify)
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


def _add_outputs(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--junit", metavar="FILE", help="write JUnit XML, with the file and line of each case")
    add("--sarif", metavar="FILE", help="write SARIF 2.1.0, for code scanning")
    add("--summary", metavar="FILE", help="write a summary in Markdown")
    add("--badge", metavar="FILE", help="write a badge in SVG")


def _add_render(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    render = commands.add_parser(
        "render",
        help="turn a report that was stored into JUnit, SARIF, Markdown or a badge",
        description="Turn a report that verify --report has written into what CI systems read. "
        "Without an option, print the summary in Markdown. The exit status is that of the "
        "command, whatever the report says.",
    )
    render.add_argument("report", metavar="REPORT.json", help="the report")
    _add_outputs(render)
    annotations_help = "print workflow commands, which GitHub shows at the lines of a change"
    render.add_argument("--annotations", action="store_true", help=annotations_help)
    render.set_defaults(run=_render)


def _render(options: argparse.Namespace) -> int:
    from proveskill.render_command import render

    return render(options)


def _add_init(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    init = commands.add_parser(
        "init",
        help="write a first skill.yaml for the skills in a folder",
        description="Write a first skill.yaml from what the skills in a folder are made of. Never "
        "overwrites one. Then run: proveskill verify PATH",
    )
    path_help = "the folder, which holds a SKILL.md or skills in folders (default: this one)"
    init.add_argument("path", nargs="?", default=".", metavar="PATH", help=path_help)
    init.set_defaults(run=_init)


def _init(options: argparse.Namespace) -> int:
    from proveskill.init_command import init

    return init(options)


def _add_receipt(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    receipt = commands.add_parser(
        "receipt",
        help="write what a run has proven into the skill, or check it",
        description="Write VERIFIED.json in each skill from the report of a run over the whole "
        "pack: what was proven, on which versions, and the digests of all files of the skill. A "
        "failed run, a part of the pack, or a text that has changed since is refused.",
    )
    receipt.add_argument("path", nargs="?", default=".", metavar="PATH", help="the pack")
    what = receipt.add_mutually_exclusive_group(required=True)
    what.add_argument("--from", metavar="REPORT", dest="report", help="of verify --report")
    what.add_argument("--check", action="store_true", help="exit 1 if a file has changed since")
    receipt.set_defaults(run=_receipt)


def _receipt(options: argparse.Namespace) -> int:
    from proveskill.receipt_command import receipt

    return receipt(options)


def _add_mcp(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    mcp = commands.add_parser(
        "mcp",
        help="serve the sections of a pack to an assistant, over stdio",
        description="A server of the Model Context Protocol on standard input and output: tools "
        "that list, search and read sections, and the skills themselves as resources.",
    )
    mcp.add_argument("path", nargs="?", default=".", metavar="PATH", help="the pack")
    mcp.set_defaults(run=_mcp)


def _mcp(options: argparse.Namespace) -> int:
    from proveskill.mcp_command import mcp

    return mcp(options)


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
        help="list the sections of a pack, search them, or print one",
        description="List the sections of a pack, or print one: sections . configuration#pool. "
        "--write puts them as data into each skill: sections.json.",
    )
    sections.add_argument("path", nargs="?", default=".", metavar="PATH", help="the pack")
    what = sections.add_mutually_exclusive_group()
    what.add_argument("section", nargs="?", metavar="ID", help="print this section")
    what.add_argument("--search", metavar="WORDS", help="the ten that fit best; exit 1 for none")
    what.add_argument("--write", action="store_true", help="write sections.json in each skill")
    what.add_argument("--check", action="store_true", help="exit 1 if sections.json is outdated")
    sections.add_argument("--json", action="store_true", help="machine-readable")
    sections.set_defaults(run=_sections)


def _sections(options: argparse.Namespace) -> int:
    from proveskill.sections_command import sections

    return sections(options)


def _add_channels(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    channels = commands.add_parser(
        "channels",
        help="write what assistants and installers read of a pack",
        description="Write the plugin files of Claude Code, Codex, Cursor and Gemini CLI, and "
        "AGENTS.md, llms.txt and llms-full.txt, from skill.yaml (channels) and the skills.",
    )
    add = channels.add_argument
    add("path", nargs="?", default=".", metavar="PATH", help="a folder with skill.yaml")
    either = channels.add_mutually_exclusive_group()
    check_help = "write nothing; exit 1 when a file is not up to date"
    either.add_argument("--check", action="store_true", help=check_help)
    web_help = "also write the root of a web site that offers the skills (.well-known/agent-skills)"
    either.add_argument("--web", metavar="FOLDER", help=web_help)
    channels.set_defaults(run=_channels)


def _channels(options: argparse.Namespace) -> int:
    from proveskill.channels_command import channels

    return channels(options)


def _add_site(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    site = commands.add_parser(
        "site",
        help="make a site of the pack, with the verdict of every fence and sentence",
        description="Make a site of the Markdown of a pack: below every fence what it printed and "
        "returned, behind every sentence a mark that opens its proof. Nothing is run: the verdicts "
        "are those of a report that `proveskill verify --report FILE` has written. A link that "
        "leads nowhere fails.",
    )
    add = site.add_argument
    add("path", nargs="?", default=".", metavar="PATH", help="a folder with skill.yaml or SKILL.md")
    add("--report", default="report.json", metavar="FILE", help="the report (%(default)s)")
    add("--docs", metavar="FOLDER", help="more pages, with a conf.py and index.rst for Sphinx")
    add("--out", default="site", metavar="FOLDER", help="where the site goes (%(default)s)")
    site.set_defaults(run=_site)


def _site(options: argparse.Namespace) -> int:
    from proveskill.site_command import site

    return site(options)
