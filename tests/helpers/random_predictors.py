"""Random networks and rows, for what must be the same in every form that a network can take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from random_weights import randomize

import fastmlp as fm
from fastmlp.declarations.activations import ACTIVATIONS
from fastmlp.declarations.custom import CustomActivation
from fastmlp.kernels.typing import Array
from fastmlp.model.copying import copy_of
from fastmlp.network.layers import Layer

# In an order of their own, so that networks do not change with that of the declarations.
_ORDER = (
    *("leaky_relu", "elu", "relu", "tanh", "sigmoid", "softmax", "linear", "selu"),
    *("gelu", "silu", "mish", "softplus", "exp"),
)
_OWN = {name for name, known in ACTIVATIONS.items() if not isinstance(known, CustomActivation)}
NAMES = [*_ORDER, *sorted(_OWN.difference(_ORDER))]

activations = st.one_of(
    st.sampled_from(NAMES),
    st.sampled_from([fm.LeakyReLU(0.3), fm.LeakyReLU(-0.5), fm.ELU(0.4)]),
)
# A softmax over one unit is refused, and exp of exp leaves every dtype.
hidden = activations.filter(lambda activation: activation not in ("exp", "softmax"))
widths = st.one_of(st.integers(1, 20), st.sampled_from([32, 33, 64]))


@st.composite
def blocks(draw: Any, depth: int = 1) -> list[Layer]:
    """A few layers one after the other."""
    kind = draw(st.sampled_from(["dense", "dense", "norm", "residual", "branch", "softmax"]))
    dense = fm.Dense(draw(widths), draw(hidden), use_bias=draw(st.booleans()))
    if kind == "norm":
        return [
            fm.Dense(draw(widths)),
            fm.BatchNorm(),
            fm.Activation(draw(hidden)),
            fm.Dropout(0.2),
        ]
    if kind == "residual" and depth:
        inner = draw(blocks(0))
        return [dense, fm.Residual([*inner, fm.Dense(dense.units)])]
    if kind == "branch" and depth:
        first, second = draw(blocks(0)), draw(blocks(0))
        return [fm.Branch(first, [fm.BatchNorm(), *second], [])]
    if kind == "softmax":
        return [fm.Dense(draw(st.integers(2, 9)), "softmax"), fm.BatchNorm()]
    return [dense]


@dataclass(frozen=True)
class Network:
    """A network that is not trained, but whose numbers are all other than at the start."""

    layers: list[Layer]
    n_features: Any
    seed: int
    codes: int | None

    def model(self, dtype: str, backend: str = "numpy") -> fm.Sequential:
        """The same numbers for either dtype."""
        drawn = fm.Sequential(self.layers, dtype="float32", backend=backend, random_state=self.seed)
        drawn.build(self.n_features)
        randomize(drawn, np.random.default_rng(self.seed))
        return drawn if dtype == "float32" else copy_of(drawn, dtype)

    def rows(self, n: int, dtype: str) -> Any:
        """Ordinary rows, then as many extreme ones: huge, tiny, denormal, zero, of one number."""
        rng = np.random.default_rng(self.seed + 1)
        tiny = 1e-40 if dtype == "float32" else 1e-310
        sizes = np.array([1e-30, tiny, 0.0, 30.0, 1e3, 1e8, 1e30, -1e4])

        def part(width: int) -> Array:
            x = rng.normal(size=(2 * n, width)) * 2
            x[n:] *= rng.choice(sizes, (n, 1))
            # One column of each is ordinary or constant.
            x[n:, rng.integers(width)] = rng.choice([0.0, 1.0, -3.5, 1e-3], n)
            if width > 1:
                x[n::7] = x[n::7, :1]
            return x.astype(dtype)

        if isinstance(self.n_features, tuple):
            return part(self.n_features[0]), part(self.n_features[1])
        X = part(self.n_features)
        if self.codes is not None:
            X[:, 0] = rng.integers(0, self.codes, 2 * n)
        return X


@st.composite
def networks(draw: Any) -> Network:
    """Networks of every layer, activation and kind of input."""
    seed = draw(st.integers(0, 2**20))
    n_features: Any = draw(st.integers(1, 24))
    layers = [layer for _ in range(draw(st.integers(0, 3))) for layer in draw(blocks())]
    outputs = draw(st.integers(1, 64))
    last = draw(activations)
    if last == "softmax":
        outputs = max(2, outputs)
    kind = draw(st.sampled_from(["plain", "plain", "plain", "wide", "two inputs", "embedding"]))
    codes = None
    if kind in ("wide", "two inputs"):
        deep = layers or [fm.Dense(3, "tanh")]
        layers = [fm.WideAndDeep(outputs, last, deep=deep)]
        if kind == "two inputs":
            n_features = (draw(st.integers(1, 12)), n_features)
    else:
        layers.append(fm.Dense(outputs, last))
    if kind == "embedding":
        codes = draw(st.integers(1, 7))
        layers.insert(0, fm.Embedding(codes, draw(st.integers(1, 5)), column=0))
    return Network(layers, n_features, seed, codes)
