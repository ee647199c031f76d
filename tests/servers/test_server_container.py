"""The container server, where a Docker daemon can be reached.

PROVESKILL_TEST_IMAGE names the image; tests/servers/make_image.py makes one without a registry.
"""

from __future__ import annotations

import os

import docker
import psycopg
import pytest
from docker.errors import DockerException
from proveskill.servers import Database, ServerError, Servers, ServerSpec
from server_runs import StartRun, wait_until

IMAGE = os.environ.get("PROVESKILL_TEST_IMAGE", "")


@pytest.fixture(scope="module")
def daemon() -> docker.DockerClient:
    try:
        return docker.from_env()
    except DockerException as error:
        pytest.skip(f"no Docker daemon answers: {error}")


@pytest.fixture
def container_spec(daemon: docker.DockerClient, spec: ServerSpec) -> ServerSpec:
    if not IMAGE:
        pytest.skip("PROVESKILL_TEST_IMAGE names no image; see tests/servers/make_image.py")
    return ServerSpec("container", image=IMAGE, extensions=spec.extensions, schema=spec.schema)


def _containers(daemon: docker.DockerClient, token: str) -> list[str]:
    found = daemon.containers.list(
        all=True, ignore_removed=True, filters={"label": f"proveskill.run={token}"}
    )
    return [other.name for other in found]


def _token(database: Database) -> str:
    return database.name.split("_")[1]


def test_a_container_serves_databases(container_spec: ServerSpec) -> None:
    with Servers(container_spec) as servers:
        with psycopg.connect(servers.create_database().url) as connection:
            assert connection.execute("SELECT count(*) FROM item").fetchone() == (1,)
            assert connection.execute("SHOW fsync").fetchone() == ("off",)
        description = servers.describe()
        assert description["server"] == "container"
        assert description["extensions"]["vector"]


def test_a_container_and_its_volumes_are_removed(
    daemon: docker.DockerClient, container_spec: ServerSpec
) -> None:
    with Servers(container_spec) as servers:
        token = _token(servers.create_database())
        container = daemon.containers.get(f"proveskill-{token}")
        volumes = {mount["Name"] for mount in container.attrs["Mounts"]}
        assert volumes
    assert _containers(daemon, token) == []
    assert volumes.isdisjoint(volume.name for volume in daemon.volumes.list())


def test_a_container_goes_with_a_killed_owner(
    daemon: docker.DockerClient, container_spec: ServerSpec, start_run: StartRun
) -> None:
    run = start_run(container_spec)
    token = _token(run.database)
    assert _containers(daemon, token)
    run.process.kill()
    run.process.wait()
    wait_until(lambda: not _containers(daemon, token) and not run.remains(), "the removal")


def test_a_container_that_is_being_made_goes_with_the_run(
    daemon: docker.DockerClient, container_spec: ServerSpec
) -> None:
    before = {other.id for other in daemon.containers.list(all=True, ignore_removed=True)}

    def made() -> set[str]:
        others = daemon.containers.list(
            all=True, ignore_removed=True, filters={"label": "proveskill.run"}
        )
        return {other.id for other in others} - before

    servers = Servers(container_spec)
    servers.share()
    servers.warm()
    wait_until(made, "the container")
    servers.close()
    wait_until(lambda: not made(), "the removal")


def test_an_image_that_is_not_there_is_an_error_that_names_it(daemon: docker.DockerClient) -> None:
    image = "127.0.0.1:1/no-such-image:none"
    with (
        Servers(ServerSpec("container", image=image)) as servers,
        pytest.raises(ServerError, match=f"no image {image} .*docker pull"),
    ):
        servers.create_database()


def test_no_docker_daemon_is_an_error_that_offers_other_servers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with (
        Servers(ServerSpec("container", image="any")) as servers,
        pytest.raises(ServerError, match="start the Docker daemon, or use --server embedded"),
    ):
        servers.create_database()
