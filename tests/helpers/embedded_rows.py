"""Rows with columns of codes, and networks that embed them."""

from __future__ import annotations

from typing import Any

import fastmlp as fm


def model_of(layers: list[Any], backend: str, dtype: str = "float64", **more: Any) -> fm.Sequential:
    return fm.Sequential(layers, backend=backend, dtype=dtype, random_state=3, **more)
