"""Factors of learning rate and weight decay: PyTorch's parameter groups, in both backends."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from optimizer_examples import EXAMPLES

import fastmlp as fm

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
Y = X[:, 0] - X[:, 1] ** 2
LAYERS = [
    fm.Scale(learning_rate_factor=6.0, weight_decay_factor=2.0),
    fm.Dense(5, bias_learning_rate_factor=0.1, bias_weight_decay_factor=0.0),
    fm.BatchNorm(learning_rate_factor=0.5),
    fm.ParametricActivation("tanh", learning_rate_factor=0.2, weight_decay_factor=0.1),
    fm.Dense(1, learning_rate_factor=3.0),
]
RATE, DECAY = 0.02, 0.3
# Of the learning rate and of the weight decay.
FACTORS = {
    "0.scale": (6.0, 2.0),
    "1.bias": (0.1, 0.0),
    "2.gamma": (0.5, 1.0),
    "2.beta": (0.5, 1.0),
    "3.weight": (0.2, 0.1),
    "4.weight": (3.0, 1.0),
}


def network(optimizer: Any, backend: str, layers: Any = LAYERS) -> fm.Sequential:
    return fm.Sequential(
        layers, optimizer=optimizer, dtype="float64", backend=backend, random_state=3
    )


def test_the_numbers_of_pytorch(backend: str) -> None:
    torch = pytest.importorskip("torch")
    model = network(fm.AdamW(RATE, weight_decay=DECAY), backend).build(4)
    tensors = {n: torch.tensor(v.copy(), requires_grad=True) for n, v in model.parameters.items()}
    groups = []
    for name, tensor in tensors.items():
        rate, decay = FACTORS.get(name, (1.0, 1.0))
        groups.append({"params": [tensor], "lr": RATE * rate, "weight_decay": DECAY * decay})
    other = torch.optim.AdamW(groups)
    for start in range(0, 60, 20):
        rows = slice(start, start + 20)
        for name, gradient in model.gradients(X[rows], Y[rows]).items():
            tensors[name].grad = torch.tensor(gradient)
        other.step()
        model.train_step(X[rows], Y[rows])
    for name, tensor in tensors.items():
        expected = tensor.detach().numpy()
        np.testing.assert_allclose(model.parameters[name], expected, rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_optimizer_takes_them(name: str, backend: str) -> None:
    """As if each parameter had an optimizer of its own."""
    factor = 0.25
    slow, plain = (
        fm.Dense(1, use_bias=False, learning_rate_factor=factor),
        fm.Dense(1, use_bias=False),
    )
    optimizer = EXAMPLES[name]
    models = [network(optimizer, backend, [layer]).build(4) for layer in (slow, plain)]
    schedule = optimizer.schedule
    rate = float(np.ravel(schedule.rates(0, 1, schedule.start()))[0])
    models.append(network(replace(optimizer, learning_rate=rate * factor), backend, [plain]))
    models[2].build(4)
    for model in models:
        model.train_step(X, Y)
    weights = [model.parameters["0.weight"] for model in models]
    assert not np.allclose(weights[0], weights[1], rtol=1e-6)
    np.testing.assert_allclose(weights[0], weights[2], rtol=1e-12)


def test_backends_agree() -> None:
    pytest.importorskip("numba")
    models = []
    for backend in ("numpy", "numba"):
        model = network(fm.AdamW(fm.OneCycle(0.05, 4), weight_decay=DECAY), backend)
        model.fit(X, Y, epochs=4, batch_size=16, verbose=0)
        models.append(model)
    for name, expected in models[0].parameters.items():
        np.testing.assert_allclose(models[1].parameters[name], expected, rtol=1e-9, err_msg=name)


def test_parameters_are_parted_by_their_factors() -> None:
    plain = network("adam", "numpy", [fm.Scale(), fm.Dense(5), fm.BatchNorm(), fm.Dense(1)])
    assert len(plain.build(4).training_state.program.groups) == 1
    groups = network("adam", "numpy").build(4).training_state.program.groups
    assert [group.factors.rate for group in groups] == [6.0, 1.0, 0.1, 0.5, 0.2, 3.0, 1.0]
    assert all(a.stop == b.start for a, b in pairwise(groups))


def test_vectors_of_categories() -> None:
    codes = np.column_stack([np.arange(12) % 3, np.arange(12.0)])
    layers = [fm.Embedding(3, 2, 0, learning_rate_factor=0.5), fm.Dense(1)]
    moved = []
    for layer in (layers[0], fm.Embedding(3, 2, 0)):
        model = network(fm.SGD(0.01), "numpy", [layer, layers[1]]).build(2)
        before = model.parameters["0.weight"].copy()
        model.train_step(codes, np.ones(12))
        moved.append(model.parameters["0.weight"] - before)
    np.testing.assert_allclose(moved[0], moved[1] / 2, rtol=1e-9)


def test_explain_tells_them(backend: str) -> None:
    model = network(fm.AdamW(RATE, weight_decay=DECAY), backend).build(4)
    model.train_step(X, Y)
    explained = model.explain(X[0], Y[0])
    step = explained.find("update", "0.scale")
    assert step.formula.endswith("rate = 0.12, weight_decay = 0.6")
    assert (
        "rate =" not in explained.find("update", "1.weight").formula.split(": ")[1].split(",")[-1]
    )
    before, after = step.values["w before"], step.values["w"]
    m_hat, v_hat = step.values["m_hat"], step.values["v_hat"]
    expected = before * (1 - 0.12 * 0.6) - 0.12 * m_hat / (np.sqrt(v_hat) + 1e-8)
    np.testing.assert_allclose(after, expected, rtol=1e-9)


@pytest.mark.parametrize("name", ["learning_rate_factor", "bias_learning_rate_factor"])
def test_a_rate_of_zero_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be a finite number > 0"):
        fm.Dense(3, **{name: 0})
    with pytest.raises(ValueError, match="weight_decay_factor"):
        fm.Scale(weight_decay_factor=-1.0)
