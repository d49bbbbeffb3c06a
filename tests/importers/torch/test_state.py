"""State dicts and their layers: which tensor goes where, and which fit nowhere."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from taken_checks import assert_taken
from torch_modules import F, X, nn, outputs, taken, torch, trained_norm

import fastmlp as fm

LAYERS = [
    fm.Dense(8, use_bias=False),
    fm.BatchNorm(),
    fm.Activation("relu"),
    fm.Residual([fm.Dense(5, "tanh"), fm.Dense(8)]),
    fm.Dropout(0.1),
    fm.Branch([fm.Dense(3)], [], merge="concat"),
    fm.Dense(2, "sigmoid"),
]


class Net(nn.Module):  # type: ignore[misc,unused-ignore]
    """The network of `LAYERS`."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Linear(6, 8, bias=False), trained_norm(8)
        self.block = nn.Sequential(nn.Linear(8, 5), nn.Tanh(), nn.Linear(5, 8))
        self.side, self.last = nn.Linear(8, 3), nn.Linear(11, 2)

    def forward(self, x: Any) -> Any:
        h = F.relu(self.norm(self.first(x)))
        h = h + self.block(h)
        return torch.sigmoid(self.last(torch.cat([self.side(h), h], 1)))


def test_state_dict() -> None:
    network = Net()
    model = taken(network.state_dict(), layers=LAYERS)
    assert model.layers == tuple(LAYERS)
    assert_taken(model, X, outputs(network))
    assert_taken(taken(network), X, outputs(network))


def test_arrays_need_no_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    network = nn.Sequential(nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 3))
    state = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    expected = torch.softmax(torch.from_numpy(outputs(network)), 1).numpy()
    monkeypatch.setitem(sys.modules, "torch", None)
    layers = [fm.Dense(4, "tanh"), fm.Dense(3)]
    model = taken(state, layers=layers, output_activation="softmax", classes=[3, 1, 2])
    assert_taken(model, X, expected)
    assert model.classes is not None
    assert model.classes.tolist() == [3, 1, 2]


STATE = {"a.weight": np.ones((4, 6)), "a.bias": np.ones(4), "b.weight": np.ones((2, 4))}
TWO = [fm.Dense(4), fm.Dense(2, use_bias=False)]


@pytest.mark.parametrize(
    ("state", "layers", "message"),
    [
        (STATE, None, r"holds weights alone; give layers=\["),
        (STATE, TWO[:1], r"layers have 1 with tensors \(0 Dense\), .* 2 modules \('a', 'b'\)"),
        (STATE, [fm.Dense(4), fm.Dense(2)], "layer 1. has a bias, .* none with b.weight; give it"),
        (STATE, [fm.Dense(4, use_bias=False), TWO[1]], "use_bias=False, .* bias with a.weight"),
        (
            STATE,
            [fm.Dense(5), TWO[1]],
            r"layer 0. needs a weight of shape \(5, n_in\), but a",
        ),
        (STATE, [fm.Dense(4), fm.BatchNorm()], "layer 1. needs b.running_mean, which the state"),
        ({**STATE, "a.scale": np.ones(1)}, TWO, "nothing to do with a.scale of the state dict"),
        ({**STATE, "b.weight": np.ones((2, 3))}, TWO, r"1.weight has the shape \(3, 2\)"),
        ({**STATE, "b.weight": np.full((2, 4), np.inf)}, TWO, "1.weight has values that are NaN"),
        ({**STATE, "b.weight": np.ones((2, 4), int)}, TWO, "b.weight must hold floating-point"),
        ({"state_dict": STATE, "epoch": 3}, TWO, r"checkpoint pass .* checkpoint\['state_dict'\]"),
        (STATE, [fm.WideAndDeep(1, deep=[fm.Dense(2)])], r"WideAndDeep \(layer 0\) has no counter"),
    ],
)
def test_state_dicts_that_do_not_fit(state: Any, layers: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        taken(state, layers=layers)
