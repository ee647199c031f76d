"""The container server: an image with PostgreSQL, run by Docker through testcontainers."""

from __future__ import annotations

import os
import secrets
import threading
import time

# The keeper removes the container whatever happens, so the image of a second reaper need not
# be fetched. All are read when testcontainers is imported.
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
os.environ.setdefault("TC_POOLING_INTERVAL", "0.1")
os.environ.setdefault("TC_MAX_TRIES", "600")

from docker import DockerClient
from docker.errors import DockerException, ImageNotFound, NotFound
from requests.exceptions import RequestException
from testcontainers.community.postgres import PostgresContainer

from proveskill.servers._address import Address
from proveskill.servers._model import ServerError

USER = "postgres"
PORT = 5432
LABEL = "proveskill.run"
COMMAND = (
    "postgres -c fsync=off -c synchronous_commit=off -c full_page_writes=off "
    "-c max_connections=200 -c timezone=UTC"
)
PATIENCE = 10.0
"""Seconds to wait for a container that is being made while the run ends."""


class Container:
    """A container named and labelled after the run's `token`; `stop` removes it for certain."""

    def __init__(self, image: str, token: str) -> None:
        self._image = image
        self._token = token
        self._name = f"proveskill-{token}"
        self._lock = threading.Lock()
        self._creating = False
        self._closed = False
        self._finished = threading.Event()
        self._client: DockerClient | None = None

    def start(self) -> Address:
        """Fetch the image if it is not here, run it, wait until it serves. ServerError."""
        password = secrets.token_hex(16)
        try:
            container = PostgresContainer(
                self._image,
                username=USER,
                password=password,
                dbname="postgres",
                driver=None,
                name=self._name,
                labels={LABEL: self._token},
                command=COMMAND,
            )
            client = container.get_docker_client().client
            self._client = client
        except (DockerException, RequestException) as error:
            raise _no_daemon(error) from error
        _fetch(client, container.image)
        with self._lock:
            if self._closed:
                raise ServerError("the run is ending, so no container is started any more")
            self._creating = True
        try:
            container.start()
            host, port = container.get_container_host_ip(), container.get_exposed_port(PORT)
        except (DockerException, RequestException, TimeoutError, RuntimeError) as error:
            raise self._failure(client, error) from error
        finally:
            self._finished.set()
        return Address.local(USER, password, port, "127.0.0.1" if host == "localhost" else host)

    def stop(self) -> None:
        """Remove the container with its volumes, also one that is just being made."""
        with self._lock:
            self._closed = True
            if not self._creating:
                return
        deadline = time.monotonic() + PATIENCE
        while not self._remove():
            if self._finished.is_set() or time.monotonic() > deadline:
                # It may have been made between the look and the end.
                self._remove()
                return
            self._finished.wait(0.05)

    def _remove(self) -> bool:
        """Remove the container by its name; False when there is none."""
        assert self._client is not None
        try:
            self._client.containers.get(self._name).remove(force=True, v=True)
        except NotFound:
            return False
        return True

    def _failure(self, client: DockerClient, error: Exception) -> ServerError:
        try:
            log = client.containers.get(self._name).logs(tail=8).decode("utf-8", "replace")
        except DockerException:
            log = ""
        return ServerError(
            f"the container of image {self._image} does not start: {error}\n{log}"
            "check that the image holds PostgreSQL and runs with `docker run`, choose another "
            "image, or use --server embedded"
        )


def _fetch(client: DockerClient, image: str) -> None:
    """Pull `image` unless Docker has it. Raises ServerError."""
    try:
        try:
            client.images.get(image)
        except ImageNotFound:
            client.images.pull(image)
    except (DockerException, RequestException) as error:
        raise ServerError(
            f"Docker has no image {image} and cannot fetch it: {error}; "
            f"try `docker pull {image}`, name an image that is there, or use --server embedded"
        ) from error


def _no_daemon(error: Exception) -> ServerError:
    return ServerError(
        f"Docker does not answer: {error}; start the Docker daemon, "
        "or use --server embedded, or --server postgresql://USER@HOST/DATABASE"
    )
