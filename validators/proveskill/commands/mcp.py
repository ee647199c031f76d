"""``proveskill mcp``."""

from __future__ import annotations

import argparse

DESCRIPTION = (
    "A server of the Model Context Protocol on standard input and output: tools that list, search "
    "and read sections, and the skills themselves as resources."
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("path", nargs="?", default=".", metavar="PATH", help="the pack")


def run(options: argparse.Namespace) -> int:
    """Start it; return the exit status."""
    from proveskill.mcp_command import mcp

    return mcp(options)
