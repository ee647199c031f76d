"""What the exit status of a command says, as numbers and for ``--help``."""

from __future__ import annotations

OK, WRONG, USAGE, SERVER_FAILED = 0, 1, 2, 3

EXPLAINED = """\
exit status:
  0  all holds
  1  something in the pack is wrong: a fence failed, a mark is stale, nothing was found
  2  the command or the manifest is wrong
  3  the server could not be started
"""
