"""A small table that no linear model learns: a category, a number with gaps, and three targets."""

from __future__ import annotations

from typing import Any

import numpy as np

N = 300
_RNG = np.random.default_rng(0)
_SIZE = _RNG.uniform(-2, 2, N).round(3)
_COLOR = _RNG.choice(["red", "green", "blue"], N)
_ROOMS = _RNG.uniform(10, 12, N).round(2)
_BENT = np.where(_COLOR == "red", 1, -1) * np.abs(_SIZE) + 0.2 * (_ROOMS - 11)

BENT: dict[str, list[Any]] = {
    "size": _SIZE.tolist(),
    "color": [str(color) for color in _COLOR],
    "rooms": [None if place % 9 == 4 else value for place, value in enumerate(_ROOMS.tolist())],
}
TARGETS: dict[str, list[Any]] = {
    "large": [("no", "yes")[int(value > -0.4)] for value in _BENT],
    "kind": [("low", "middle", "high")[int(value > -0.8) + int(value > 0.7)] for value in _BENT],
    "price": (1000 + 100 * _BENT).round(2).tolist(),
}
