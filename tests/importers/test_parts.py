"""Parts of a network that is taken, and the error for what is none."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
from taken_checks import assert_taken
from taken_parts import RNG, X, apply, linear

import fastmlp as fm
from fastmlp.importers.assembly import take
from fastmlp.importers.parts import (
    batch_norm,
    cannot_take,
)

EXACT: dict[str, Any] = {"dtype": "float64", "backend": "numpy"}


def test_batch_norm_without_gamma_and_beta() -> None:
    mean, variance = RNG.normal(size=4), RNG.uniform(0.5, 2, size=4)
    last = linear(4, 2)
    model = take([batch_norm(mean, variance, None, None, 0.2, 1e-3), last], None, **EXACT)
    assert model.layers[0] == fm.BatchNorm(0.2, 1e-3)
    assert_taken(model, X, apply(last, (X - mean) / np.sqrt(variance + 1e-3)))


def test_no_library_is_imported_to_refuse_what_is_none_of_its_own() -> None:
    code = """
import sys
import fastmlp as fm
for take in (fm.from_torch, fm.from_sklearn, fm.from_keras):
    try:
        take(object())
    except TypeError as error:
        assert "takes a" in str(error), error
fm.from_torch({"weight": __import__("numpy").ones((1, 2))}, layers=[fm.Dense(1, use_bias=False)])
assert not {"torch", "sklearn", "keras"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_error_for_what_cannot_be_taken() -> None:
    error = cannot_take("conv1 (Conv2d)", "it is two-dimensional", ["Linear", "ReLU"])
    assert str(error) == (
        "conv1 (Conv2d) cannot be taken: it is two-dimensional; what can be: Linear, ReLU"
    )
