"""The keys of `driver_features`, checked when the configuration is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlspec.adapters.psqlpy import PsqlpyDriverFeatures
from sqlspec.config import DRIVER_FEATURE_LIFECYCLE_HOOKS
from sqlspec.exceptions import ImproperConfigurationError
from sqlspec.utils.module_loader import OptionalDependencyFlag

from psqlpy_adapter import words

INTERNAL = ("_statement_cache_holder", "active_extensions", "storage_capabilities")
"""What SQLSpec itself stores there, and hands to a configuration derived from another."""
OWN = "_psqlpy_adapter"
"""Beginning of what this package stores there; a derived configuration makes its own."""
POOLS_TRANSACTIONS = ("transaction", "statement")


def _function(key: str, value: Any) -> Any:
    if not callable(value):
        raise words.refusal(key, value, "a function")
    return value


def _hooks(key: str, value: Any) -> Any:
    hooks = value if isinstance(value, list | tuple) else [value]
    for hook in hooks:
        _function(key, hook)
    return value


def _location(key: str, value: Any) -> Any:
    if not isinstance(value, str | Mapping):
        raise words.refusal(key, type(value).__name__, "a connection string or a mapping of keys")
    return value


def _events_backend(key: str, value: Any) -> str:
    name: str = words.word(("notify", "notify-queue", "poll-queue"))(key, value)
    return name.replace("-", "_")


def _flag(key: str, value: Any) -> Any:
    # SQLSpec's own default, which a configuration derived from another hands over.
    return value if isinstance(value, OptionalDependencyFlag) else words.flag(key, value)


CHECKS: dict[str, words.Check] = {
    **dict.fromkeys(PsqlpyDriverFeatures.__annotations__, _flag),
    **dict.fromkeys(DRIVER_FEATURE_LIFECYCLE_HOOKS, _hooks),
    "on_connection_create": _function,
    "pooler_mode": words.word(("session", "transaction", "statement", "auto")),
    "direct_dsn": _location,
    "json_serializer": _function,
    "json_deserializer": _function,
    "events_backend": _events_backend,
}


def read_features(driver_features: Mapping[str, Any] | None) -> dict[str, Any]:
    """The features, unchanged but for the writing of words. Raises ImproperConfigurationError."""
    features: dict[str, Any] = {}
    for key, value in dict(driver_features or {}).items():
        if key.startswith(OWN):
            continue
        if key in INTERNAL or value is None:
            features[key] = value
            continue
        check = CHECKS.get(key)
        if check is None:
            raise ImproperConfigurationError(
                f"{key!r} is no key of driver_features{words.closest(key, CHECKS)} "
                f"(keys: {', '.join(sorted(CHECKS))})"
            )
        features[key] = check(key, value)
    is_bouncer = features.get("pgbouncer") or features.get("pgbouncer_mode")
    if is_bouncer and features.get("pooler_mode") == "session":
        raise ImproperConfigurationError(
            "'pgbouncer' is True, which means pooling of transactions, and 'pooler_mode' is "
            "'session'; give one of them"
        )
    return features


def pools_transactions(features: Mapping[str, Any]) -> bool:
    """Whether a pooler in front of the server lends it for a transaction at a time."""
    return features.get("pooler_mode") in POOLS_TRANSACTIONS
