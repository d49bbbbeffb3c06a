"""Modules of any nesting are traced; what cannot be taken is refused by name."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from taken_checks import assert_taken, rows
from torch_modules import MODULES, NOTHING, F, Forward, X, nn, outputs, taken, torch, trained_norm

import fastmlp as fm


@pytest.mark.parametrize("affine", [True, False])
def test_batch_norm(affine: bool) -> None:
    norm = trained_norm(5, affine=affine, momentum=0.3, eps=1e-3)
    first = trained_norm(6, momentum=None)
    linear = nn.Linear(6, 5, bias=False)
    network = nn.Sequential(first, linear, norm, nn.ReLU(), nn.Linear(5, 1))
    model = taken(network)
    assert model.layers[2] == fm.BatchNorm(0.3, 1e-3)
    assert_taken(model, X, outputs(network))


class Block(nn.Module):  # type: ignore[misc,unused-ignore]
    """Branches of any kind around random layers."""

    def __init__(self, rng: np.random.Generator, width: int) -> None:
        super().__init__()
        self.inner = chain(rng, width, width, int(rng.integers(1, 3)))
        self.other = nn.Linear(width, width)
        self.way = rng.integers(4)
        self.width = 2 * width if self.way == 0 else width

    def forward(self, x: Any) -> Any:
        if self.way == 0:
            return torch.cat([x, self.inner(x)], dim=1)
        if self.way == 1:
            return self.other(x) + self.inner(x)
        if self.way == 2:
            return F.silu(x + self.inner(x) + self.other(x))
        return self.inner(x) * 0.5 + x


def chain(rng: np.random.Generator, n_in: int, n_out: int, depth: int) -> Any:
    """Random layers in nested Sequentials."""
    layers: list[Any] = []
    width = n_in
    for _ in range(depth):
        units = int(rng.integers(4, 24))
        layers.append(nn.Linear(width, units, bias=bool(rng.integers(2))))
        if rng.integers(2):
            layers.append(trained_norm(units, affine=bool(rng.integers(2))))
        choice = MODULES[rng.integers(len(MODULES))]
        layers += [copy.deepcopy(choice), copy.deepcopy(NOTHING[rng.integers(len(NOTHING))])]
        width = units
    return nn.Sequential(nn.Sequential(*layers), nn.Linear(width, n_out))


@pytest.mark.parametrize("number", range(20))
def test_random_networks(number: int) -> None:
    rng = np.random.default_rng(number)
    start = chain(rng, 6, 7, int(rng.integers(1, 4)))
    block = Block(rng, 7)
    second = Block(rng, block.width)
    end = chain(rng, second.width, int(rng.integers(1, 5)), 1)
    dtype = ["float32", "float64"][number % 2]
    network = nn.Sequential(start, block, second, end).to(getattr(torch, dtype))
    x = rows(3000, 6, dtype, seed=number)
    assert_taken(taken(network), x, outputs(network, x))


def test_single_modules_and_subclasses() -> None:
    class Mine(nn.Linear):  # type: ignore[misc,unused-ignore]
        def reset_parameters(self) -> None:
            nn.init.uniform_(self.weight, -2, 2)
            nn.init.zeros_(self.bias)

    class Doubled(nn.Linear):  # type: ignore[misc,unused-ignore]
        def forward(self, x: Any) -> Any:
            return 2 * super().forward(x)

    for module in (
        nn.Linear(6, 2),
        Mine(6, 3),
        Doubled(6, 2),
        nn.Sequential(Doubled(6, 3), nn.ReLU()),
    ):
        assert_taken(taken(module), X, outputs(module))


def test_parametrized_weights_are_taken_as_they_are() -> None:
    layer = torch.nn.utils.parametrizations.weight_norm(nn.Linear(6, 3))
    network = nn.Sequential(layer, nn.ReLU())
    assert_taken(taken(network), X, outputs(network))


@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
def test_compiled_modules() -> None:
    network = nn.Sequential(nn.Linear(6, 3), nn.Tanh())
    assert_taken(taken(torch.compile(network)), X, outputs(network))


def test_the_module_stays_as_it_is() -> None:
    network = nn.Sequential(nn.Linear(6, 5), trained_norm(5), nn.Dropout(0.5), nn.Linear(5, 2))
    network.train()
    network[1].eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    random = torch.get_rng_state()
    model = taken(network)
    assert [module.training for module in network.modules()] == [True, True, False, True, True]
    assert torch.equal(torch.get_rng_state(), random)
    model.parameters["0.weight"][:] = 0
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name])


class Cube(nn.Module):  # type: ignore[misc,unused-ignore]
    def forward(self, x: Any) -> Any:
        return x**3


def hooked() -> Any:
    network = nn.Sequential(nn.Linear(6, 2))
    network[0].register_forward_hook(lambda module, x, y: y + 1)
    return network


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (nn.Sequential(nn.Linear(6, 3), nn.LayerNorm(3)), r"1 \(LayerNorm\) cannot be taken; what"),
        (nn.Sequential(nn.Linear(6, 3), nn.PReLU()), r"1 \(PReLU\) cannot be taken"),
        (nn.Sequential(nn.Linear(6, 3), nn.LogSoftmax(1)), r"1 \(LogSoftmax\) .* put Softmax"),
        (nn.Sequential(nn.Linear(6, 3), nn.Softmax(0)), r"1 \(Softmax\) .* dim=0; columns are dim"),
        (nn.Sequential(nn.Linear(6, 3), nn.GELU("tanh")), r"1 \(GELU\) .* approximate form"),
        (nn.Sequential(nn.Linear(6, 3), nn.Softplus(2)), r"1 \(Softplus\) .* another beta"),
        (nn.Sequential(nn.Linear(6, 3), nn.Softplus(1, 5)), r"\(Softplus\) .* threshold below 20"),
        (nn.Sequential(nn.Linear(6, 3), nn.ELU(-1.0)), r"1 \(ELU\) .* alpha must be"),
        (nn.Sequential(nn.Linear(6, 3), nn.Dropout(1.0)), r"1 \(Dropout\) .* rate must be"),
        (nn.Sequential(nn.Flatten(0), nn.Linear(6, 3)), r"0 \(Flatten\) .* rows must stay rows"),
        (nn.Sequential(nn.Linear(6, 3), Cube()), r"pow_1 \(pow\) cannot be taken"),
        (nn.Sequential(nn.LazyLinear(3)), r"0 \(LazyLinear\) .* run the module on a batch first"),
        (nn.Conv1d(6, 3, 1), r"0 \(Conv1d\) cannot be taken"),
        (
            nn.Sequential(nn.Linear(6, 3), nn.BatchNorm1d(3, track_running_stats=False)),
            r"1 \(BatchNorm1d\) .* no running statistics",
        ),
        (nn.Sequential(nn.BatchNorm1d(6, momentum=0.0)), r"0 \(BatchNorm1d\) .* momentum must be"),
        (nn.Sequential(nn.ReLU()), "give n_features"),
        (hooked(), r"0 \(Linear\) .* has forward hooks"),
    ],
)
def test_modules_that_cannot_be_taken(module: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        taken(module)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda m, x: m.a(m.a(x)), r"a \(Linear\) .* used in two places"),
        (lambda m, x: F.linear(m.a(x), m.a.weight), r"a \(Linear\) .* used in two places"),
        (lambda m, x: F.log_softmax(m.a(x), dim=1), "put Softmax in its place"),
        (lambda m, x: m.a(x).log_softmax(1), "put Softmax in its place"),
        (lambda m, x: m.a(x) * x, r"mul \(mul\) .* two paths can be added or concatenated"),
        (lambda m, x: x - m.a(x), r"sub \(sub\) .* two paths can be added"),
        (lambda m, x: torch.cat([x, m.a(x)]), r"cat \(cat\) .* dim=1 or -1"),
        (lambda m, x: m.a(x)[:, :2], r"getitem \(getitem\) cannot be taken"),
        (lambda m, x: m.a(x).mean(1), r"mean \(Tensor.mean\) cannot be taken"),
        (lambda m, x: 1 / m.a(x), r"truediv \(truediv\) cannot be taken"),
        (lambda m, x: F.dropout(m.a(x)), r"dropout \(dropout\) .* also drops in evaluation"),
        (lambda m, x: (m.a(x), x), "what forward returns cannot be taken: it is no single"),
        (lambda m, x: m.a(m.a(x).squeeze(1)), r"squeeze \(Tensor.squeeze\) .* rows must stay"),
        (lambda m, x: m.a(x).view(3, -1), r"view \(Tensor.view\) .* rows must stay rows"),
        (lambda m, x: m.a(x).view(-1), "the module's output for 32 rows has the shape"),
        (lambda m, x: torch.stack([x, m.a(x)]), r"stack \(stack\) cannot be taken"),
        (lambda m, x: F.softmax(m.a(x), 0), r"softmax \(softmax\) .* dim=0"),
        (lambda m, x: m.a(x) + torch.ones(3, 6), r"add \(add\) .* constant has the shape \(3, 6\)"),
    ],
)
def test_forwards_that_cannot_be_taken(function: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        taken(Forward(function, a=nn.Linear(6, 6)))


def test_two_inputs() -> None:
    class Two(nn.Module):  # type: ignore[misc,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(6, 3), nn.Linear(6, 3)

        def forward(self, x: Any, z: Any) -> Any:
            return self.a(x) + self.b(z)

    with pytest.raises(ValueError, match="module with one input can be taken; .* reads x, z"):
        taken(Two())
