"""Requests to a keeper: one connection and two lines of JSON each, over a Unix socket."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from proveskill.servers._model import ServerError


def ask(keeper: Path, operation: str, **arguments: Any) -> Any:
    """Send a request to the socket `keeper`, return the answer's value.

    Raises ServerError: what the keeper could not do, or that it has ended.
    """
    request = json.dumps({"operation": operation, **arguments}) + "\n"
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(keeper))
            connection.sendall(request.encode())
            with connection.makefile("rb") as stream:
                line = stream.readline()
    except OSError as error:
        raise ServerError(f"the server keeper cannot be reached ({error}); {_HINT}") from error
    if not line:
        raise ServerError(f"the server keeper ended before it answered; {_HINT}")
    answer = json.loads(line)
    if "error" in answer:
        raise ServerError(answer["error"])
    return answer["value"]


def read_request(connection: socket.socket) -> dict[str, Any] | None:
    """The request that stands on a connection; None when the other side has gone."""
    with connection.makefile("rb") as stream:
        line = stream.readline()
    if not line:
        return None
    request: dict[str, Any] = json.loads(line)
    return request


def answer(connection: socket.socket, value: Any = None, error: str | None = None) -> None:
    """Answer a request, with a value or with the message of an error."""
    body = {"value": value} if error is None else {"error": error}
    connection.sendall((json.dumps(body) + "\n").encode())


_HINT = "it may have been killed, or the run that started it is over; run again"
