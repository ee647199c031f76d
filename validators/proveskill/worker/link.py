"""Messages over a socket: a length, then that many bytes.

``multiprocessing.connection`` would do the same, but importing it doubles what each fork copies.
"""

from __future__ import annotations

import os
import socket
import struct

_LENGTH = struct.Struct("!I")


class Link:
    """One end of a socket pair. Raises ``EOFError`` when the other end is gone, or ``OSError``."""

    def __init__(self, fd: int) -> None:
        os.set_inheritable(fd, False)
        self._socket = socket.socket(fileno=fd)
        self._received = bytearray()

    def fileno(self) -> int:
        """Return the descriptor, for selectors."""
        return self._socket.fileno()

    def send(self, message: bytes) -> None:
        """Send a message of at most 4 GiB."""
        self._socket.sendall(_LENGTH.pack(len(message)) + message)

    def receive(self) -> bytes:
        """Wait for a message and return it."""
        while (message := self._whole()) is None:
            self._read(0)
        return message

    def poll(self) -> bytes | None:
        """Return a message if a whole one has come, without waiting for the rest of one."""
        if (message := self._whole()) is None:
            self._read(socket.MSG_DONTWAIT)
            message = self._whole()
        return message

    def close(self) -> None:
        """Close this end."""
        self._socket.close()

    def _read(self, flags: int) -> None:
        try:
            chunk = self._socket.recv(1 << 16, flags)
        except BlockingIOError:
            return
        if not chunk:
            raise EOFError
        self._received += chunk

    def _whole(self) -> bytes | None:
        if len(self._received) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._received)
        end = _LENGTH.size + length
        if len(self._received) < end:
            return None
        message = bytes(self._received[_LENGTH.size : end])
        del self._received[:end]
        return message
