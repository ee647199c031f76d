"""``proveskill mcp``: serve a pack to an assistant over standard input and output."""

from __future__ import annotations

import argparse
import signal
from pathlib import Path

from proveskill.exit_status import OK
from proveskill.manifest import find_manifest
from proveskill.model import ManifestError


def mcp(options: argparse.Namespace) -> int:
    """Serve until the input ends; return the exit status. Raises ``ManifestError``."""
    manifest = find_manifest(Path(options.path))
    try:
        from proveskill.mcp_server import make_server
    except ImportError as error:
        raise ManifestError(
            f"the package mcp, 2.3 or newer, is not installed ({error}): "
            "pip install 'proveskill[mcp]'"
        ) from None
    try:
        make_server(manifest).run("stdio")
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return OK
