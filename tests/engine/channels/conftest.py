"""A small pack that says who publishes it."""

from __future__ import annotations

from pathlib import Path

import pytest
from channel_packs import make_pack


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return make_pack(tmp_path / "hello")
