"""Functions and modules of PyTorch that are known, in modules and in forwards."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from taken_checks import assert_taken, kinds
from torch_modules import MODULES, NOTHING, F, Forward, X, nn, outputs, taken, torch


@pytest.mark.parametrize("module", MODULES, ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_activations(module: Any, dtype: str) -> None:
    network = nn.Sequential(nn.Linear(6, 9), module, nn.Linear(9, 4), copy.deepcopy(module))
    network = network.to(getattr(torch, dtype))
    model = taken(network)
    assert (model.dtype, kinds(model)) == (dtype, ["Dense", "Dense"])
    x = X.astype(dtype)
    assert_taken(model, x, outputs(network, x))


@pytest.mark.parametrize("module", NOTHING, ids=repr)
def test_what_does_nothing_in_evaluation(module: Any) -> None:
    network = nn.Sequential(module, nn.Linear(6, 5), nn.ReLU(), module, nn.Linear(5, 2))
    network.train()
    model = taken(network)
    kept = isinstance(module, nn.Dropout) and module.p > 0
    assert kinds(model).count("Dropout") == 2 * kept
    assert_taken(model, X, outputs(network))


FUNCTIONS: list[Callable[[Any, Any], Any]] = [
    lambda m, x: F.relu(m.a(x)),
    lambda m, x: torch.relu(m.a(x)),
    lambda m, x: m.a(x).relu(),
    lambda m, x: F.leaky_relu(m.a(x), 0.3),
    lambda m, x: F.elu(m.a(x), alpha=0.7),
    lambda m, x: F.selu(m.a(x)),
    lambda m, x: F.gelu(m.a(x)),
    lambda m, x: F.silu(m.a(x)),
    lambda m, x: F.mish(m.a(x)),
    lambda m, x: F.softplus(m.a(x)),
    lambda m, x: F.softmax(m.a(x), dim=1),
    lambda m, x: torch.softmax(m.a(x), -1),
    lambda m, x: m.a(x).softmax(dim=-1),
    lambda m, x: torch.sigmoid(m.a(x)),
    lambda m, x: torch.tanh(m.a(x)).exp(),
    lambda m, x: m.a(F.dropout(x, 0.5, training=m.training)),
    lambda m, x: F.relu_(m.a(x)),
    lambda m, x: m.b(torch.flatten(m.a(x), 1)),
    lambda m, x: m.b(m.a(x).view(x.size(0), -1)),
    lambda m, x: m.b(m.a(x).reshape(x.shape[0], -1)),
    lambda m, x: m.b(m.a(x).view(-1, 6)),
    lambda m, x: x + m.a(x),
    lambda m, x: torch.add(m.a(x), x),
    lambda m, x: m.b(x + F.relu(m.a(x))) + x,
    lambda m, x: torch.cat([x, m.a(x)], dim=1),
    lambda m, x: torch.cat((m.a(x), torch.tanh(m.b(x)), x), -1),
    lambda m, x: m.a(x) + m.b(x),
    lambda m, x: m.a((x - m.mean) / m.deviation),
    lambda m, x: m.a((x - m.mean) / torch.sqrt(m.deviation**2 + 1)),
    lambda m, x: 2 - m.a(x) * 3,
    lambda m, x: -m.a(x) / 2 + m.mean,
    lambda m, x: torch.sigmoid(m.a(x)) * 2 - 1,
    lambda m, x: m.a(x.float()).clone(),
    lambda m, x: m.a(x * torch.tensor(2) + torch.arange(6)),
    lambda m, x: F.linear(x, m.a.weight, m.a.bias),
    lambda m, x: torch.tanh(x @ m.a.weight.t() + m.a.bias),
    lambda m, x: m.c(x).squeeze(1),
    lambda m, x: torch.sigmoid(m.c(x).squeeze(-1)),
    lambda m, x: 1 - m.c(m.a(x)).flatten(),
    lambda m, x: m.c(x).view(-1),
]


@pytest.mark.parametrize("function", FUNCTIONS, ids=range(len(FUNCTIONS)))
def test_forwards(function: Callable[[Any, Any], Any]) -> None:
    a, b, c = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 1)
    mean, deviation = torch.randn(6), torch.rand(6) + 0.5
    module = Forward(function, a=a, b=b, c=c, mean=mean, deviation=deviation)
    assert_taken(taken(module), X, outputs(module))
