"""``proveskill channels``."""

from __future__ import annotations

import argparse

DESCRIPTION = (
    "Write the plugin files of Claude Code, Codex, Cursor and Gemini CLI, and AGENTS.md, llms.txt "
    "and llms-full.txt, from skill.yaml (channels) and the skills."
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("path", nargs="?", default=".", metavar="PATH", help="a folder with skill.yaml")
    either = parser.add_mutually_exclusive_group()
    check_help = "write nothing; exit 1 when a file is not up to date"
    either.add_argument("--check", action="store_true", help=check_help)
    web_help = "also write the root of a web site that offers the skills (.well-known/agent-skills)"
    either.add_argument("--web", metavar="FOLDER", help=web_help)


def run(options: argparse.Namespace) -> int:
    """Start it; return the exit status."""
    from proveskill.channels_command import channels

    return channels(options)
