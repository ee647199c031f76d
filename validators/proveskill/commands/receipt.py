"""``proveskill receipt``."""

from __future__ import annotations

import argparse

DESCRIPTION = (
    "Write VERIFIED.json in each skill from the report of a run over the whole pack: what was "
    "proven, on which versions, and the digests of all files of the skill. A failed run, a part of "
    "the pack, or a text that has changed since is refused."
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("path", nargs="?", default=".", metavar="PATH", help="the pack")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--from", metavar="REPORT", dest="report", help="of verify --report")
    what.add_argument("--check", action="store_true", help="exit 1 if a file has changed since")


def run(options: argparse.Namespace) -> int:
    """Start it; return the exit status."""
    from proveskill.receipt_command import receipt

    return receipt(options)
