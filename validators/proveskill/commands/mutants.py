"""``proveskill mutants``."""

from __future__ import annotations

import argparse

DESCRIPTION = """\
Run each proof with wrong values in place of those that the text states: a number plus one and
doubled, another word of the same column, another error class. A mutant that survives is a value
that nothing checks. Those of a whole pack have a budget in skill.yaml. What was tried is
remembered: run the command again to go on.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("path", nargs="?", default=".", metavar="PATH", help="a folder with skill.yaml")
    add("--adapter", metavar="NAME", help="the variant of the pack (default: the first)")
    add("--jobs", type=int, metavar="N", help="proofs run at once (default: the cores)")
    add("--seconds", type=float, default=600.0, metavar="N", help="stop after this time (600)")
    add("--fresh", action="store_true", help="forget what earlier runs have tried")
    add("--report", metavar="FILE", help="write the results as JSON")
    add("-k", metavar="TEXT", dest="keyword", help="only proofs or statements whose id contains it")


def run(options: argparse.Namespace) -> int:
    """Start it; return the exit status."""
    from proveskill.mutants_command import mutants

    return mutants(options)
