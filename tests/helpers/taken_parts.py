"""Parts of networks to be taken."""

from __future__ import annotations

import numpy as np
from taken_checks import rows

from fastmlp.importers.parts import (
    Scale,
    Step,
    dense,
)
from fastmlp.kernels.typing import Array

RNG = np.random.default_rng(3)
X = rows(2000, 4, "float64")


def linear(n_in: int, n_out: int) -> Step:
    return dense(RNG.normal(size=(n_in, n_out)), RNG.normal(size=n_out))


def apply(step: Step, x: Array) -> Array:
    return x @ step.tensors["weight"] + step.tensors["bias"]


def scale(factor: object, shift: object) -> Scale:
    return Scale(np.asarray(factor, np.float64), np.asarray(shift, np.float64))
