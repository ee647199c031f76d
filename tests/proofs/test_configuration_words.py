"""Proofs of references/configuration.md: the keys that take members of enums."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import psqlpy_adapter
import pytest
from certificates import Certificates, tls_front
from configuration_taps import Tap, borrowings
from configuration_tools import (
    failure,
    greeting,
    keys_of,
    kind_of,
    value,
)
from proveskill import proves
from psqlpy import ConnRecyclingMethod, LoadBalanceHosts, SslMode, TargetSessionAttrs
from sqlspec.adapters.psqlpy import PsqlpyConfig, PsqlpyPoolParams
from sqlspec.exceptions import ImproperConfigurationError

READ_ONLY = "-c default_transaction_read_only=on"
WORDS = {
    "conn_recycling_method": "fast",
    "load_balance_hosts": "random",
    "ssl_mode": "require",
    "target_session_attrs": "read-write",
}


async def takes(dsn: str, **keys: Any) -> tuple[bool, bool]:
    """Whether keys take a server that can be written to, and one that cannot."""
    writable = await failure(**keys_of(dsn), **keys)
    read_only = await failure(**keys_of(dsn), **keys, options=READ_ONLY)
    return writable is None, read_only is None


@proves(
    "`{key}` | `{kind}` | `{default}` | `{write}`, `{read}` or `{both}` server",
    adapter="stock",
    table="Key | Type | Default | What it does",
)
async def test_the_server_that_is_wanted(
    dsn: str, key: str, kind: str, default: str, write: str, read: str, both: str
) -> None:
    assert await takes(dsn, **{key: getattr(TargetSessionAttrs, write)}) == (True, False)
    assert await takes(dsn, **{key: getattr(TargetSessionAttrs, read)}) == (False, True)
    assert await takes(dsn, **{key: getattr(TargetSessionAttrs, both)}) == (True, True)
    assert await takes(dsn) == (True, True)
    assert default == both
    assert await kind_of(key) == kind


async def hosts_taken(dsn: str, form: str, most: int, **keys: Any) -> tuple[bool, bool]:
    """Which of two hosts are taken by connections, each the first of its pool."""
    async with Tap.before(dsn) as first, Tap.before(dsn) as second:
        places = f"127.0.0.1:{first.port},127.0.0.1:{second.port}"
        for _ in range(most):
            await failure(dsn=form.format(places), **keys)
            if first.accepted and second.accepted:
                break
        return first.accepted > 0, second.accepted > 0


@proves(
    "`{key}` | `{kind}` | `{default}` | `{other}`: each connection takes the hosts in an order of "
    "its own",
    adapter="stock",
    table="Key | Type | Default | What it does",
)
async def test_the_order_of_hosts(dsn: str, key: str, kind: str, default: str, other: str) -> None:
    start, _, rest = dsn.partition("@")
    form = f"{start}@{{}}/{rest.partition('/')[2]}"
    assert await hosts_taken(dsn, form, 6) == (True, False)
    assert await hosts_taken(dsn, form, 6, **{key: getattr(LoadBalanceHosts, default)}) == (
        True,
        False,
    )
    assert await hosts_taken(dsn, form, 20, **{key: getattr(LoadBalanceHosts, other)}) == (
        True,
        True,
    )
    assert await kind_of(key) == kind


@proves(
    "`{key}` | `{kind}` | `{default}` | `{second}` and `{third}` ask a connection first: Pooling",
    adapter="stock",
    table="Key | Type | Default | What it does",
)
async def test_the_recycling_method(
    dsn: str, session: Any, key: str, kind: str, default: str, second: str, third: str
) -> None:
    assert await borrowings(dsn, session, {}) == (0, True)
    found = {
        name: await borrowings(dsn, session, {key: getattr(ConnRecyclingMethod, name)})
        for name in (default, second, third)
    }
    assert found == {default: (0, True), second: (1, False), third: (1, False)}
    assert len(found) == 3
    assert await kind_of(key) == kind


@proves(
    "`{key}` | `{kind}` | none | TLS", adapter="stock", table="Key | Type | Default | What it does"
)
async def test_the_tls_mode(key: str, kind: str) -> None:
    server = {"username": "somebody", "password": "x"}
    assert (await greeting(**server))["user"] == "somebody"
    assert await greeting(**server, **{key: SslMode.Require}) == {"tls": "requested"}
    assert await kind_of(key) == kind


@proves(
    "SQLSpec annotates these {count} keys as `{kind}`, but psqlpy refuses strings, and only when "
    "the pool opens:",
    adapter="stock",
)
async def test_words_are_refused_when_the_pool_opens(dsn: str, count: int, kind: str) -> None:
    assert len(WORDS) == count
    for key, word in WORDS.items():
        [annotated] = get_args(PsqlpyPoolParams.__annotations__[key])
        assert annotated.__name__ == kind
        config = PsqlpyConfig(connection_config={"dsn": dsn, key: word})
        with pytest.raises(TypeError, match="'str' object is not an instance of"):
            await config.provide_pool()


@proves("There is no `Auto` recycling:")
def test_there_is_no_automatic_recycling() -> None:
    members = {name for name in dir(ConnRecyclingMethod) if not name.startswith("_")}
    assert members == {"Fast", "Verified", "Clean"}
    with pytest.raises(AttributeError, match="Auto"):
        ConnRecyclingMethod.Auto  # noqa: B018


@proves(
    "Strings belong into a DSN: `?target_session_attrs={target}&load_balance_hosts={order}&"
    "sslmode={mode}`; there `{mode_again}` needs a `{file}` beside the DSN.",
    adapter="stock",
)
async def test_words_in_a_connection_string(
    dsn: str, tmp_path: Path, target: str, order: str, mode: str, mode_again: str, file: str
) -> None:
    start, _, rest = dsn.partition("@")
    form = f"{start}@{{}}/{rest.partition('/')[2]}"
    assert await hosts_taken(dsn, f"{form}?load_balance_hosts={order}", 20) == (True, True)
    wanted = f"{dsn}?target_session_attrs={target}"
    assert await failure(dsn=wanted) is None
    assert "does not allow writes" in str(await failure(dsn=wanted, options=READ_ONLY))
    assert mode == mode_again
    certificates = Certificates.make(tmp_path)
    context = certificates.server_context("localhost", wants_client=False)
    keys = keys_of(dsn)
    with tls_front(context, keys["host"], keys["port"]) as front:
        encrypted = f"{start}@localhost:{front.port}/{keys['db_name']}?sslmode={mode}"
        assert "no TLS implementation" in str(await failure(dsn=encrypted))
        assert not front.subjects
        authority = {file: str(certificates.ca_file)}
        assert await value("SELECT 42", dsn=encrypted, **authority) == 42
        assert len(front.subjects) == 1
    assert "does not support TLS" in str(await failure(dsn=f"{dsn}?sslmode={mode}", **authority))


@proves("The drop-in takes both, and refuses a wrong word when the config is made:")
async def test_the_drop_in_takes_words_and_members(dsn: str) -> None:
    members = {
        "conn_recycling_method": ConnRecyclingMethod.Fast,
        "load_balance_hosts": LoadBalanceHosts.Random,
        "ssl_mode": SslMode.Prefer,
        "target_session_attrs": TargetSessionAttrs.ReadWrite,
    }
    for keys in (members, {**WORDS, "ssl_mode": "prefer"}):
        config = psqlpy_adapter.PsqlpyConfig(connection_config={"dsn": dsn, **keys})
        async with config.provide_session() as session:
            assert await session.select_value("SELECT 42") == 42
        await config.close_pool()
    for key, word in WORDS.items():
        with pytest.raises(ImproperConfigurationError, match=f"'{key}' is '{word}x'"):
            psqlpy_adapter.PsqlpyConfig(connection_config={"dsn": dsn, key: f"{word}x"})
