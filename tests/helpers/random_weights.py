"""Numbers for networks that are not trained, and how near to them other forms must come."""

from __future__ import annotations

import numpy as np

import fastmlp as fm

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


def randomize(model: fm.Sequential, rng: np.random.Generator, size: float = 1.0) -> None:
    """Give other values to what starts as zeros or ones; dense weights are random as they are."""
    for name, values in (*model.parameters.items(), *model.buffers.items()):
        if name.endswith((".gamma", ".running_var")):
            values[...] = rng.uniform(0.5, 2.0, values.shape)
        elif not name.endswith(".weight") or values.ndim == 1:
            values[...] = size * rng.normal(size=values.shape)
