"""``proveskill render``."""

from __future__ import annotations

import argparse

from proveskill.commands.outputs import add_output_options

DESCRIPTION = (
    "Turn a report that verify --report has written into what CI systems read. Without an option, "
    "print the summary in Markdown. The exit status is that of the command, whatever the report "
    "says."
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("report", metavar="REPORT.json", help="the report")
    add_output_options(parser)
    annotations_help = "print workflow commands, which GitHub shows at the lines of a change"
    parser.add_argument("--annotations", action="store_true", help=annotations_help)


def run(options: argparse.Namespace) -> int:
    """Start it; return the exit status."""
    from proveskill.render_command import render

    return render(options)
