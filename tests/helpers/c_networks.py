"""Networks that are exported as C, rows for them, and what they should give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from random_weights import TOLERANCE, randomize

import fastmlp as fm
from fastmlp.declarations.activations import TRAITS
from fastmlp.export.c.frame import total_features
from fastmlp.kernels.typing import Array
from fastmlp.program.program import categories

ACTIVATIONS = tuple(name for name in TRAITS if name != "linear")
OK, NULL, NOT_FINITE, CATEGORY = range(4)


def predictor(layers: list[Any], n_features: Any, dtype: str = "float32", seed: int = 0) -> Any:
    """A network with random weights, biases and statistics, frozen; it predicts with NumPy."""
    model = fm.Sequential(layers, dtype=dtype, backend="numpy", random_state=seed)
    model.build(n_features)
    randomize(model, np.random.default_rng(seed), 0.5)
    return model.freeze()


def classifier(dtype: str) -> Any:
    return predictor(
        [fm.Dense(64, "relu"), fm.Dense(32, "relu"), fm.Dense(3, "softmax")], 20, dtype
    )


def every_activation(dtype: str) -> Any:
    branches: list[list[Any]] = [[fm.Activation(name)] for name in ACTIVATIONS]
    branches += [[fm.Activation(fm.LeakyReLU(-0.3))], [fm.Activation(fm.ELU(2.5))], []]
    model = fm.Sequential(
        [fm.Dense(4, use_bias=False), fm.Branch(*branches)], dtype=dtype, backend="numpy"
    ).build(4)
    model.parameters["0.weight"][...] = np.eye(4)
    return model.freeze()


def mixed(dtype: str) -> Any:
    """Each operation: embeddings, columns, sums, parts side by side, scales, no bias."""
    deep = [
        fm.Embedding(5, 3, column=1),
        fm.Embedding(4, 2, column=4),
        fm.Residual([fm.Dense(8, "leaky_relu"), fm.BatchNorm(), fm.Dense(10, "elu")]),
        fm.BatchNorm(),
        fm.Branch([fm.Dense(3, "tanh")], [fm.BatchNorm(), fm.Activation("gelu")]),
        fm.Dense(7, "softmax", use_bias=False),
    ]
    network = [fm.WideAndDeep(2, "sigmoid", deep=deep, wide=[0, 5, 2, 6])]
    # Embeddings read columns of the input, of which five more stay as they are.
    return predictor(network, 7, dtype)


def rows_for(frozen: Any, n: int, seed: int = 1) -> Array:
    """Random rows of one array, with codes where embeddings read them."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(0.0, 2.0, (n, total_features(frozen.n_features)))
    start = frozen.n_features[0] if isinstance(frozen.n_features, tuple) else 0
    for column, count in categories(frozen.program).items():
        rows[:, start + column] = rng.integers(0, count, n)
    return rows.astype(frozen.dtype)


def reference(frozen: Any, rows: Array) -> Array:
    if isinstance(frozen.n_features, tuple):
        n_wide = frozen.n_features[0]
        rows = (rows[:, :n_wide], rows[:, n_wide:])  # type: ignore[assignment]
    with np.errstate(all="ignore"):
        outputs: Array = frozen(rows)
    return outputs


def assert_equal(outputs: Array, expected: Array, dtype: str) -> None:
    """To the contract's tolerance, and NaN and infinity in the same places."""
    for special in (np.isnan, np.isposinf, np.isneginf):
        np.testing.assert_array_equal(special(outputs), special(expected))
    finite = np.isfinite(expected)
    scale = np.abs(expected[finite]).max()
    assert np.abs(outputs[finite] - expected[finite]).max() <= TOLERANCE[dtype] * scale


def export(frozen: Any, folder: Path, math: str = "math.h", prefix: str = "model") -> Path:
    path = folder / f"{prefix}.h"
    frozen.export_c(path, prefix=prefix, math=math)
    return path


def extreme_numbers(dtype: str) -> Array:
    """Around each bound of the functions, the ends of the format, and everything between."""
    with np.errstate(all="ignore"):
        special = np.array(
            [
                *(0.0, 1e30, 1e4, 1e-8, 1e-40, 1e-45, 1e-300, 5e-324, 1e300, 3e38, 1e-3, 20.0),
                *(87.3, 88.7, 88.8, 89.0, 103.0, 103.9, 104.1, 709.7, 710.0, 745.0, 745.2, 746.1),
            ]
        ).astype(dtype)
    special = special[np.isfinite(special)]
    rng = np.random.default_rng(2)
    spread = 10.0 ** rng.uniform(-30, 2.9, 3000)
    even = np.linspace(0.0, 30.0, 3001)
    half = np.concatenate([special, spread, even, rng.uniform(0.0, 800.0, 500)])
    return np.concatenate([half, -half]).astype(dtype)


def labeled(names: tuple[str, ...] | None = None, labels: list[Any] | None = None) -> Any:
    model = fm.Sequential([fm.Dense(4, "relu"), fm.Dense(3, "softmax")], random_state=0)
    rng = np.random.default_rng(0)
    labels = ["low", "middle", "top"] if labels is None else labels
    model.fit(rng.normal(size=(30, 2)), np.array(labels * 10), epochs=1, verbose=0)
    frozen = model.freeze()
    frozen.feature_names = names
    return frozen
