"""``proveskill verify``."""

from __future__ import annotations

import argparse

from proveskill.commands.outputs import add_output_options
from proveskill.zygote_process import spawn_early

DESCRIPTION = "Run every fence of a pack, each section in a fresh process and database."


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options; most of them are those of the pytest plugin under shorter names."""
    add = parser.add_argument
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
    add_output_options(parser)
    add("--jobs", type=int, metavar="N", help="sections executed at once (default: the cores)")
    add("--timeout", type=float, metavar="SECONDS", help="limit of one fence")
    add("-k", metavar="EXPR", dest="keyword", help="only what matches, as in pytest -k")
    add("-x", action="store_true", dest="first", help="stop at the first failure")
    add("--lf", action="store_true", help="only what failed last time")
    add("-v", action="count", default=0, dest="verbose", help="a line a fence, whole failures")


def run(options: argparse.Namespace) -> int:
    """Start it; return the exit status."""
    spawn_early()  # the fork server starts up beside the import of pytest
    from proveskill.verify_command import verify

    return verify(options)
