"""The owner's side of a keeper: starting it, and ending it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import suppress

from proveskill.servers._model import ServerError, ServerSpec
from proveskill.servers._run_directory import (
    LOG_NAME,
    SOCKET_NAME,
    SPEC_NAME,
    make_run_directory,
    remove_run_directory,
)

PATIENCE = 60.0
"""Seconds until a keeper that does not end is killed."""


class OwnedKeeper:
    """A keeper process that ends with this one. `socket` is where it takes requests.

    Raises ServerError when it cannot be started.
    """

    def __init__(self, spec: ServerSpec) -> None:
        self._owner = os.getpid()
        self.run = make_run_directory()
        self.socket = self.run / SOCKET_NAME
        reader, self._lifeline = os.pipe()
        try:
            (self.run / SPEC_NAME).touch(mode=0o600)
            (self.run / SPEC_NAME).write_text(json.dumps(spec.to_json()), encoding="utf-8")
            with socket.socket(socket.AF_UNIX) as listener:
                # Listening before the keeper runs: clients need not wait for it to come up.
                listener.bind(str(self.socket))
                self.socket.chmod(0o600)
                listener.listen(128)
                self._process = self._start(listener.fileno(), reader)
        except BaseException as error:
            os.close(self._lifeline)
            remove_run_directory(self.run)
            if isinstance(error, OSError):
                raise ServerError(
                    f"the server keeper cannot be started: {error}; "
                    "point TMPDIR to a writable place with about 100 MB to spare"
                ) from error
            raise
        finally:
            os.close(reader)
        # A forked child must not keep the servers alive when this process is gone.
        os.register_at_fork(after_in_child=self._let_go)

    def stop(self) -> None:
        """End the keeper and wait until it has cleaned up. For the owner only; once."""
        if os.getpid() != self._owner:
            return
        self._let_go()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        # Only a keeper that was killed leaves this to its owner.
        with suppress(OSError):
            remove_run_directory(self.run)

    def _start(self, listener: int, lifeline: int) -> subprocess.Popen[bytes]:
        module = "proveskill.servers.keeper"
        command = [sys.executable, "-P", "-m", module, str(self.run), str(listener), str(lifeline)]
        with (self.run / LOG_NAME).open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                pass_fds=(listener, lifeline),
                start_new_session=True,
            )

    def _let_go(self) -> None:
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
