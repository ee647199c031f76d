"""Proofs of references/tls.md: which modes fall back to plaintext, and the matrix."""

from __future__ import annotations

import logging
import warnings

import psqlpy
import pytest
from proveskill import proves
from psqlpy import SslMode
from psqlpy_adapter import PsqlpyConfig as DropIn
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.exceptions import DatabaseConnectionError
from tls_tools import (
    BY_ADDRESS,
    CA,
    MODES,
    NO_TLS,
    OTHER_CA,
    TLS,
    VERIFYING,
    Between,
    ask,
    spoken,
)

STARTUP = b"user\x00"
"""A key of the first message, which TLS hides."""


@proves(
    "`SslMode.{one}` and `SslMode.{other}` go on in plaintext when the server, or somebody in "
    "between, answers that it has no TLS.",
    "A `ca_file` does not change that, and no error or warning tells you:",
    adapter="stock",
)
async def test_verifying_modes_fall_back(one: str, other: str, caplog) -> None:
    assert {one, other} == VERIFYING
    with warnings.catch_warnings(record=True) as warned, caplog.at_level(logging.WARNING):
        warnings.simplefilter("always")
        for mode in (MODES[one], MODES[other]):
            for ca in (None, CA):
                assert await spoken(PsqlpyConfig, NO_TLS, ssl_mode=mode, ca_file=ca) == "plaintext"
                async with Between() as between:
                    url = between.dsn(TLS, "localhost")
                    assert await ask(PsqlpyConfig, dsn=url, ssl_mode=mode, ca_file=ca) == 42
                    assert STARTUP in between.heard
    assert [str(warning.message) for warning in warned] == []
    assert caplog.messages == []


@proves(
    "`?sslmode={word}` in a DSN falls back as well:",
    "Use `{mode}`, which does not fall back:",
    adapter="stock",
)
async def test_the_word_of_a_dsn_falls_back_and_require_does_not(word: str, mode: str) -> None:
    assert word == "verify-full"
    assert await spoken(PsqlpyConfig, f"{NO_TLS}?sslmode={word}", ca_file=CA) == "plaintext"
    assert mode == "Require"
    assert await spoken(PsqlpyConfig, NO_TLS, ssl_mode=MODES[mode], ca_file=CA) is None
    async with Between() as between:
        url = between.dsn(TLS, "localhost")
        with pytest.raises(psqlpy.Error, match="server does not support TLS"):
            await ask(PsqlpyConfig, dsn=url, ssl_mode=MODES[mode], ca_file=CA)
        assert STARTUP not in between.heard


@proves("On the drop-in no mode that verifies speaks plaintext:")
async def test_the_drop_in_does_not_fall_back() -> None:
    for mode in VERIFYING:
        with pytest.raises(DatabaseConnectionError, match="does not support TLS"):
            await ask(DropIn, dsn=NO_TLS, ssl_mode=MODES[mode], ca_file=CA)
        async with Between() as between:
            url = between.dsn(TLS, "localhost")
            with pytest.raises(DatabaseConnectionError, match="does not support TLS"):
                await ask(DropIn, dsn=url, ssl_mode=MODES[mode], ca_file=CA)
            assert STARTUP not in between.heard


@proves(
    "What each mode does with a server that has TLS and refuses plaintext, "
    "and with one that has none:"
)
async def test_one_server_refuses_plaintext_and_the_other_tls() -> None:
    with pytest.raises(Exception, match="TLS connections only"):
        await ask(PsqlpyConfig, dsn=TLS, ssl_mode=SslMode.Disable)
    assert await ask(PsqlpyConfig, dsn=TLS, ssl_mode=SslMode.Require, ca_file=CA) == 42
    with pytest.raises(Exception, match="server does not support TLS"):
        await ask(PsqlpyConfig, dsn=NO_TLS, ssl_mode=SslMode.Require, ca_file=CA)
    assert await ask(PsqlpyConfig, dsn=NO_TLS, ssl_mode=SslMode.Disable) == 42


@proves(
    'With a `ca_file`, "TLS" means that the authority and the host name were checked, '
    "whatever the mode's name.",
    adapter="stock",
)
async def test_with_an_authority_every_mode_of_tls_checks_all() -> None:
    for name in [None, *MODES]:
        mode = MODES.get(name)
        found = await spoken(PsqlpyConfig, TLS, ssl_mode=mode, ca_file=CA)
        if found == "TLS":
            for url, authority in ((TLS, OTHER_CA), (BY_ADDRESS, CA)):
                assert await spoken(PsqlpyConfig, url, ssl_mode=mode, ca_file=authority) is None
        else:
            assert name == "Disable"


@proves(
    "`{one}` and `{other}` without `ca_file` never try TLS, even where the server has it.",
    adapter="stock",
)
async def test_modes_that_never_try_tls(one: str, other: str) -> None:
    silent = set()
    for name, mode in MODES.items():
        async with Between() as between:
            url = between.dsn(TLS, "localhost")
            await spoken(PsqlpyConfig, url, ssl_mode=mode)
            silent |= set() if between.asked else {name}
        if name in (one, other):
            assert await spoken(PsqlpyConfig, TLS, ssl_mode=mode) == "plaintext"
    assert {one, other} == silent - {"Disable"} - VERIFYING


@proves("`{mode}` without `ca_file` encrypts, and believes any certificate.", adapter="stock")
async def test_require_alone_believes_any_certificate(mode: str) -> None:
    assert await spoken(PsqlpyConfig, TLS, ssl_mode=MODES[mode]) == "TLS"
    assert await spoken(PsqlpyConfig, BY_ADDRESS, ssl_mode=MODES[mode]) == "TLS"


@proves(
    "`{message}` means: `{key}` is missing.",
    "The same message comes from `?sslmode={word}` in a DSN without `{key}` or `{mode}`.",
    adapter="stock",
)
async def test_what_the_message_about_tls_means(
    message: str, key: str, word: str, mode: str
) -> None:
    for verifying in VERIFYING:
        with pytest.raises(psqlpy.Error, match=message):
            await ask(PsqlpyConfig, dsn=TLS, ssl_mode=MODES[verifying])
        assert await ask(PsqlpyConfig, dsn=TLS, ssl_mode=MODES[verifying], **{key: CA}) == 42
    url = f"{TLS}?sslmode={word}"
    with pytest.raises(psqlpy.Error, match=message):
        await ask(PsqlpyConfig, dsn=url)
    assert await ask(PsqlpyConfig, dsn=url, **{key: CA}) == 42
    assert await ask(PsqlpyConfig, dsn=url, **{mode: SslMode.Require}) == 42
