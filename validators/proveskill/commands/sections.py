"""``proveskill sections``."""

from __future__ import annotations

import argparse

DESCRIPTION = (
    "List the sections of a pack, or print one: sections . configuration#pool. --write puts them "
    "as data into each skill: sections.json."
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("path", nargs="?", default=".", metavar="PATH", help="the pack")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("section", nargs="?", metavar="ID", help="print this section")
    what.add_argument("--search", metavar="WORDS", help="the ten that fit best; exit 1 for none")
    what.add_argument("--write", action="store_true", help="write sections.json in each skill")
    what.add_argument("--check", action="store_true", help="exit 1 if sections.json is outdated")
    parser.add_argument("--json", action="store_true", help="machine-readable")


def run(options: argparse.Namespace) -> int:
    """Start it; return the exit status."""
    from proveskill.sections_command import sections

    return sections(options)
