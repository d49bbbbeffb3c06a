"""Activations in ONNX operators keep their digits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx_graphs import run
from random_weights import TOLERANCE

import fastmlp as fm
from fastmlp.declarations.activations import ACTIVATIONS
from fastmlp.declarations.custom import CustomActivation
from fastmlp.export.onnx.file import make_model
from fastmlp.kernels.reference.activations import activation_forward

PLAIN = [known for known in ACTIVATIONS.values() if not isinstance(known, CustomActivation)]


@pytest.mark.parametrize("optimized", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "activation", [*PLAIN, fm.LeakyReLU(-0.4), fm.ELU(2.5)], ids=lambda known: str(known.kernel)
)
def test_activations_keep_their_digits(activation: Any, dtype: str, optimized: bool) -> None:
    most = 37 if dtype == "float32" else 300
    sizes = np.concatenate([np.logspace(-most, most, 2000), np.linspace(0.01, 120.0, 3000)])
    x = np.concatenate([sizes, -sizes, [0.0]])[:, np.newaxis]
    # A softmax takes a row: x and 0.
    width = 2 if activation.name == "softmax" else 1
    X = np.hstack([x, np.zeros_like(x)])[:, :width].astype(dtype)
    loss = "cce" if width == 2 else "mse"
    layers = [fm.Dense(width, use_bias=False), fm.Activation(activation)]
    model = fm.Sequential(layers, loss=loss, dtype=dtype, backend="numpy").build(width)
    model.parameters["0.weight"][...] = np.eye(width)
    with np.errstate(all="ignore"):
        expected = activation_forward(X, activation.kernel)
    [found, *_] = run(make_model(model.freeze()), X, optimized=optimized).values()
    normal = np.isfinite(expected) & (np.abs(expected) > 4 * np.finfo(dtype).tiny)
    assert normal.mean() > 0.2
    assert np.isfinite(found[np.isfinite(expected)]).all()
    with np.errstate(all="ignore"):
        relative = np.abs(found.astype(np.float64) / expected - 1.0)[normal & (np.abs(X) < 85.0)]
    assert relative.max() < TOLERANCE[dtype]
    # Further out some leave 0 a little earlier.
    tiny = np.isfinite(expected) & ~normal
    assert np.abs(found[tiny] - expected[tiny]).max(initial=0) < 1e-35


def test_a_registered_activation_is_refused_by_name(tmp_path: Path) -> None:
    fm.register_activation("onnx_square", lambda z: z * z, lambda z: 2 * z)
    model = fm.Sequential([fm.Dense(2, "onnx_square"), fm.Dense(1)], backend="numpy").build(3)
    with pytest.raises(ValueError, match="'onnx_square' is a registered Python function"):
        model.freeze().export_onnx(tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())
