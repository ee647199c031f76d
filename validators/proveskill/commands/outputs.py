"""The options that name what CI systems read, of the commands that can write it."""

from __future__ import annotations

import argparse


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """Declare an option for each of :data:`proveskill.model.OUTPUTS`."""
    add = parser.add_argument
    add("--junit", metavar="FILE", help="write JUnit XML, with the file and line of each case")
    add("--sarif", metavar="FILE", help="write SARIF 2.1.0, for code scanning")
    add("--summary", metavar="FILE", help="write a summary in Markdown")
    add("--badge", metavar="FILE", help="write a badge in SVG")
