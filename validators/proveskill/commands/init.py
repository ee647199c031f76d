"""``proveskill init``."""

from __future__ import annotations

import argparse

DESCRIPTION = (
    "Write a first skill.yaml from what the skills in a folder are made of. Never overwrites one."
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("path", nargs="?", default=".", metavar="PATH", help="the folder")


def run(options: argparse.Namespace) -> int:
    """Start it; return the exit status."""
    from proveskill.init_command import init

    return init(options)
