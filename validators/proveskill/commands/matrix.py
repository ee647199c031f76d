"""``proveskill matrix``."""

from __future__ import annotations

import argparse

DESCRIPTION = """\
Verify a pack over the sets of versions that skill.yaml declares (key 'matrix'), each in an
environment of its own, and find the release at which an item breaks. The environments are made by
uv and kept in the user's cache.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("path", nargs="?", default=".", metavar="PATH", help="a folder with skill.yaml")
    add("--set", nargs="+", metavar="NAME", dest="sets", help="only these sets (default: all)")
    add("--report", metavar="FILE", help="write the report as JSON")
    add("--markdown", metavar="FILE", help="write the report as Markdown")
    bisect_help = "do (default) or do not look for the release at which an item breaks"
    add("--bisect", action=argparse.BooleanOptionalAction, default=True, help=bisect_help)


def run(options: argparse.Namespace) -> int:
    """Start it; return the exit status."""
    from proveskill.matrix_command import matrix

    return matrix(options)
