"""Where tests of compiled code keep it."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Where scripts of a test keep kernels; empty at first."""
    return tmp_path / "cache"
