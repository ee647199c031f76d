"""``proveskill site``."""

from __future__ import annotations

import argparse

DESCRIPTION = (
    "Make a site of the Markdown of a pack: below every fence what it printed and returned, behind "
    "every sentence a mark that opens its proof. Nothing is run: the verdicts are those of a "
    "report that `proveskill verify --report FILE` has written. A link that leads nowhere fails."
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("path", nargs="?", default=".", metavar="PATH", help="a folder with skill.yaml or SKILL.md")
    add("--report", default="report.json", metavar="FILE", help="the report (%(default)s)")
    add("--docs", metavar="FOLDER", help="more pages, with a conf.py and index.rst for Sphinx")
    add("--out", default="site", metavar="FOLDER", help="where the site goes (%(default)s)")


def run(options: argparse.Namespace) -> int:
    """Start it; return the exit status."""
    from proveskill.site_command import site

    return site(options)
