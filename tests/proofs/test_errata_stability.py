"""Proofs of references/errata.md: stability and features."""

from __future__ import annotations

import asyncio
from importlib.metadata import files, metadata
from pathlib import Path

import psqlpy
import pytest
from certificates import Certificates, tls_front
from configuration_tools import keys_of, value
from proveskill import proves
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import DataError


@proves(
    "A7 | psqlpy is mature | PyPI classifies version {version} as `{stage}`; a list for a vector "
    "panics in Rust",
    adapter="stock",
    table="claim | false | true",
)
async def test_a_beta_that_panics(config: PsqlpyConfig, version: str, stage: str) -> None:
    about = metadata("psqlpy")
    assert about["Version"] == version
    assert f"Development Status :: {stage}" in about.get_all("Classifier")
    with pytest.raises(BaseException, match="entered unreachable code") as raised:
        async with config.provide_session() as session:
            await session.select("SELECT id FROM embeddings WHERE vector = $1", ([0.0, 1.0, 0.0],))
    assert not isinstance(raised.value, Exception)
    assert raised.type.__module__.startswith("pyo3")


@proves(
    "A8 | a statement is cancelled like any coroutine | from its {run} run on, `asyncio.timeout` "
    "around it raises `{error}`",
    adapter="stock",
    table="claim | false | true",
)
async def test_what_a_timeout_raises(config: PsqlpyConfig, run: str, error: str) -> None:
    raised = []
    async with config.provide_session() as session:
        for _ in range(3):
            try:
                async with asyncio.timeout(0.05):
                    await session.select("SELECT pg_sleep(0.3)::text")
            except (TypeError, TimeoutError) as found:
                raised.append(type(found).__name__)
    assert raised == ["TimeoutError", error, error]
    assert ("first", "second", "third")[raised.index(error)] == run


@proves("I11 | asyncpg is written in C | it is {one} and {other}", table="claim | false | true")
def test_what_asyncpg_is_written_in(one: str, other: str) -> None:
    languages = {".pyx": "Cython", ".py": "Python", ".c": "C"}
    found = {languages.get(file.suffix) for file in files("asyncpg") or ()} - {None}
    assert found == {one, other}


@proves(
    "I13 | no feature is missing | it shows no client certificate and reads no `{unread}`",
    adapter="stock",
    table="claim | false | true",
)
async def test_features_that_are_missing(dsn: str, tmp_path: Path, unread: str) -> None:
    certificates = Certificates.make(tmp_path)
    keys = keys_of(dsn)
    for wants_client in (True, False):
        context = certificates.server_context("localhost", wants_client=wants_client)
        with tls_front(context, keys["host"], keys["port"]) as front:
            given = {**keys, "host": "localhost", "port": front.port}
            given["ca_file"] = str(certificates.ca_file)
            if wants_client:
                with pytest.raises(psqlpy.Error):
                    await value("SELECT 42", **given)
            else:
                assert await value("SELECT 42", **given) == 42
    with pytest.raises(DataError, match="Can't convert value from driver"):
        await value(f"SELECT 'a'::{unread}", dsn=dsn)
    assert await value(f"SELECT 'a'::{unread}::text", dsn=dsn) == "'a'"
