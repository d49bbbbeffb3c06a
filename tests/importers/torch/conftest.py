"""Random weights of PyTorch's modules are the same in each run."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def seed() -> None:
    pytest.importorskip("torch").manual_seed(0)
