"""A table full of what people write, as a dict of columns."""

from __future__ import annotations

from typing import Any

import numpy as np

N = 300
_RNG = np.random.default_rng(0)
_SIZE = np.append(103.8, _RNG.normal(100, 30, N - 1)).round(1)
_KIND = _RNG.choice(["flat", "house", "hut"], N)
_DAYS = np.datetime64("2020-01-01") + _RNG.integers(0, 900, N).astype("m8[D]")


def _columns() -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {
        "number": list(range(1000, 1000 + N)),
        "size": [f"{size} m2" for size in _SIZE],
        "kind": [str(kind) for kind in _KIND],
        "sold": [str(day) for day in _DAYS],
        "rooms": [float(rooms) for rooms in _RNG.integers(1, 6, N)],
        "garden": [("no", "yes")[value] for value in _RNG.integers(0, 2, N)],
        "empty": [None] * N,
    }
    found["size"][3], found["kind"][5], found["rooms"][7] = "n/a", None, None
    return found


HOUSES = _columns()


def price() -> list[Any]:
    """Numbers, one of them missing."""
    found = 2 * _SIZE + 50 * (_KIND == "house") + np.random.default_rng(1).normal(0, 5, N)
    return [None, *found[1:].tolist()]


def dear() -> list[str]:
    """Two classes."""
    return ["cheap"] + ["dear" if value > 230 else "cheap" for value in price()[1:]]
