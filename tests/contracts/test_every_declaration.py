"""Networks of every activation and loss that is declared learn alike on both backends."""

from __future__ import annotations

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.declarations.activations import TRAITS, get_activation
from fastmlp.declarations.losses import OWN_LOSSES, Loss

pytest.importorskip("numba")

DTYPES = pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-9), ("float32", 1e-3)])

X = np.random.default_rng(0).normal(size=(120, 5))
# Two classes, and numbers that any loss takes.
Y = (np.sin(X[:, 0]) + X[:, 1] > 0).astype(int)


def assert_alike(layers: list[fm.Layer], loss: str, dtype: str, tolerance: float) -> None:
    results = []
    for backend in ("numpy", "numba"):
        model = fm.Sequential(
            layers, loss, fm.Adam(0.01), dtype=dtype, backend=backend, random_state=0
        )
        losses = model.fit(X, Y, epochs=12, batch_size=20, verbose=0)["loss"]
        assert losses[-1] < 0.9 * losses[0]
        results.append((losses, model.predict(X)))
    (expected, outputs), (found, found_outputs) = results
    np.testing.assert_allclose(found, expected, rtol=tolerance)
    np.testing.assert_allclose(found_outputs, outputs, rtol=0, atol=tolerance)


@DTYPES
@pytest.mark.parametrize("name", TRAITS)
def test_activations(name: str, dtype: str, tolerance: float) -> None:
    assert_alike([fm.Dense(8, name), fm.Dense(1, "sigmoid")], "auto", dtype, tolerance)


@DTYPES
@pytest.mark.parametrize("loss", OWN_LOSSES, ids=lambda loss: loss.name)
def test_losses(loss: Loss, dtype: str, tolerance: float) -> None:
    # The last that it goes with: numbers only where it goes with nothing else.
    output = [name for name in TRAITS if loss.goes_with(get_activation(name))][-1]
    units = 2 if get_activation(output).is_rowwise else 1
    layers = [fm.Dense(8, "tanh"), fm.Dense(units, output)]
    assert_alike(layers, loss.name, dtype, tolerance)
