"""``proveskill init``."""

from __future__ import annotations

import argparse

DESCRIPTION = (
    "Write a first skill.yaml from what the skills in a folder are made of. Never overwrites one. "
    "Then run: proveskill verify PATH"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    path_help = "the folder, which holds a SKILL.md or skills in folders (default: this one)"
    parser.add_argument("path", nargs="?", default=".", metavar="PATH", help=path_help)


def run(options: argparse.Namespace) -> int:
    """Start it; return the exit status."""
    from proveskill.init_command import init

    return init(options)
