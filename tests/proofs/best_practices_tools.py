"""What proofs of best-practices.md and troubleshooting.md look at: backends, packets, failures."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Awaitable
from contextlib import suppress
from pathlib import Path
from typing import Any

from relay import Relay

OPEN = """SELECT count(*) FROM pg_stat_activity
    WHERE application_name = %s AND datname = current_database()"""


async def failure(work: Awaitable[Any]) -> Any:
    """What awaiting raises, a panic of Rust included; None when it raises nothing."""
    try:
        await work
    except BaseException as error:  # noqa: BLE001 - to be looked at
        return error
    return None


def run_apart(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a program of its own, for what can freeze or kill a process."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    environment = {**os.environ, "RUST_BACKTRACE": "0"}  # a backtrace takes a second
    return subprocess.run(command, capture_output=True, text=True, timeout=14, env=environment)


def cores() -> int:
    """The physical cores of this machine."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    found = re.findall(r"physical id\s*: (\d+).*?cpu cores\s*: (\d+)", text, re.DOTALL)
    return sum(int(number) for number in dict(found).values())


class Tap(Relay):
    """A relay that keeps what the clients send, packet by packet."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.packets: list[bytes] = []

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_client = writer.get_extra_info("peername")[:2] == self._place
        with suppress(OSError):
            while chunk := await reader.read(65536):
                if from_client:
                    self.packets.append(chunk)
                if not self.is_mute:
                    writer.write(chunk)
                    await writer.drain()
        writer.close()
