"""Activation functions of the Python files, at every size of numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from python_files import difference, predictor_of, written
from random_weights import TOLERANCE

import fastmlp as fm
from fastmlp.declarations.activations import ACTIVATIONS
from fastmlp.export.python.activations import ACTIVATIONS as FUNCTIONS


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_activations_at_every_size(name: str, dtype: str, tmp_path: Path) -> None:
    """Through weights of 1 the activation itself; no number gives a warning."""
    predictor = predictor_of(fm.Activation(name), fm.Dense(4, use_bias=False), n=4, dtype=dtype)
    module = written(predictor, tmp_path)
    limits = np.finfo(dtype)
    sizes = [0.0, limits.smallest_subnormal, limits.tiny, 1e-8, 1e-3, 0.5, 3.0, 6.0, 12.0, 40.0]
    sizes += [90.0, 700.0, 1e4, limits.max / 2]
    grid = np.array([sign * size for size in sizes for sign in (1, -1)], dtype)
    X = np.stack([grid, grid[::-1], np.roll(grid, 3), np.roll(grid, 8)], axis=1)
    with np.errstate(all="raise"):
        outputs = module.predict(X)
    right = predictor(X)
    # Where the products meet infinity, it is met in both.
    np.testing.assert_array_equal(np.isfinite(outputs), np.isfinite(right))
    for given, expected in zip(outputs, right, strict=True):
        if np.isfinite(expected).all() and expected.any():
            assert difference(given, expected) <= TOLERANCE[dtype]
    if name not in ("linear", "tanh", "exp"):
        assert f"def {name}(z" in (tmp_path / "net.py").read_text()
    others = {f"def {other}(" for other in FUNCTIONS if other != name}
    needed = {f"def {other}(" for other in FUNCTIONS.get(name, FUNCTIONS["relu"]).needs}
    found = {other for other in others if other in (tmp_path / "net.py").read_text()}
    assert found == needed


def test_far_left_gelu_keeps_its_digits(tmp_path: Path) -> None:
    model = fm.Sequential([fm.Dense(1, "gelu")], dtype="float64", backend="numpy").build(1)
    model.parameters["0.weight"][...] = 1.0
    module = written(model.freeze(), tmp_path)
    # -9 Phi(-9), to 16 digits, from mpmath.
    assert module.predict([-9.0])[0] == pytest.approx(-9 * 1.128588405953840e-19, rel=1e-13)
