"""Networks trained by PyTorch: what is taken computes the same, the rest is refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from taken_checks import assert_taken
from torch_modules import F, X, nn, outputs, taken, torch, trained_norm

import fastmlp as fm


def test_both_backends_and_a_file(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    network = nn.Sequential(nn.Linear(6, 16), trained_norm(16), nn.ReLU(), nn.Linear(16, 3))
    model = fm.from_torch(network, output_activation="softmax", classes=["b", "c", "a"])
    assert model.backend == "numba"
    expected = torch.softmax(torch.from_numpy(outputs(network)), 1).numpy()
    assert_taken(model, X, expected)
    labels = np.array(["b", "c", "a"])[expected.argmax(axis=1)]
    np.testing.assert_array_equal(model.predict_classes(X), labels)
    model.freeze().save(tmp_path / "predictor.safetensors")
    predictor = fm.load_predictor(tmp_path / "predictor.safetensors")
    np.testing.assert_array_equal(predictor.predict_classes(X), labels)
    model.fit(X, labels, epochs=1, verbose=0)


def test_training_goes_on_as_in_pytorch() -> None:
    network = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 2)).double()
    x, y = X.astype(np.float64), np.random.default_rng(1).integers(0, 2, 2000)
    model = taken(network, output_activation="softmax", optimizer=fm.SGD(0.1))
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    for _ in range(5):
        optimizer.zero_grad()
        loss = F.cross_entropy(network(torch.from_numpy(x)), torch.from_numpy(y))
        loss.backward()
        optimizer.step()
        assert model.train_step(x, y) == pytest.approx(loss.item(), abs=1e-12)
    expected = torch.softmax(torch.from_numpy(outputs(network, x)), 1).numpy()
    assert_taken(model, x, expected)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_becomes_float32(dtype: str) -> None:
    network = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 2))
    network = network.to(getattr(torch, dtype))
    model = taken(network)
    assert model.dtype == "float32"
    assert_taken(model, X, outputs(network.float()))


def test_the_dtype_can_be_chosen() -> None:
    network = nn.Sequential(nn.Linear(6, 8), nn.ELU(), nn.Linear(8, 2)).double()
    model = taken(network, dtype="float32")
    assert model.dtype == "float32"
    assert_taken(model, X, outputs(network, X.astype(np.float64)))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("model.pt", r"'model.pt' \(str\); read a file with torch.load first"),
        (Path("model.pt"), "read a file with torch.load first"),
        (3, r"takes a torch.nn.Module, or a state dict with layers=\[...\], got 3 \(int\)"),
        (fm.Dense(3), "got Dense"),
    ],
)
def test_what_is_neither(source: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        fm.from_torch(source)


def test_arguments() -> None:
    network = nn.Sequential(nn.Linear(6, 1), nn.Softplus())
    assert taken(network, loss="poisson").loss == fm.Poisson()
    with pytest.raises(TypeError, match="los"):
        taken(network, los="mse")
    with pytest.raises(ValueError, match="'softmax' would follow 'softplus'"):
        taken(network, output_activation="softmax")
    with pytest.raises(ValueError, match="this network ends in softplus"):
        taken(network, classes=["a", "b"])
