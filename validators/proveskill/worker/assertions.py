"""Stands in for ``_pytest.assertion.rewrite`` in rewritten code, until an assert fails.

Rewritten asserts call pytest's functions only to explain a failure. Importing them then, and not
before every first assert, keeps pytest out of the workers.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    from _pytest.assertion import rewrite

    return getattr(rewrite, name)
