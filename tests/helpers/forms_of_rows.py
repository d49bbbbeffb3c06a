"""Small predictors, and the forms in which the same rows may be handed to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from random_weights import randomize

import fastmlp as fm

Array = np.ndarray[Any, Any]
N_FEATURES = 5


def cube(z: Any) -> Any:
    return z * z * z / (1.0 + z * z)


def cube_slope(z: Any) -> Any:
    return z * z * (z * z + 3.0) / ((1.0 + z * z) * (1.0 + z * z))


def layers_of(name: str) -> list[Any]:
    return {
        "plain": [fm.Dense(33, "relu"), fm.Dense(16, "tanh"), fm.Dense(3, "softmax")],
        "one output": [fm.Dense(8, "gelu"), fm.Dense(1, "sigmoid")],
        "one layer": [fm.Dense(2)],
        "own activation": [fm.Dense(9, "test_base_cube"), fm.Dense(2)],
        "softmax inside": [fm.Dense(7, "softmax"), fm.Dense(2, "exp")],
        "scales left": [fm.Dense(6, "relu"), fm.BatchNorm(), fm.Residual([fm.Dense(6, "elu")])],
        "branches": [fm.Branch([fm.Dense(3, "selu")], [], [fm.Activation("mish")]), fm.Dense(2)],
        "plain two inputs": [
            fm.WideAndDeep(3, "softmax", deep=[fm.Dense(33, "relu"), fm.Dense(16, "tanh")])
        ],
        "wide part": [fm.WideAndDeep(2, "softmax", deep=[fm.Dense(4, "silu")], wide=[0, 3])],
    }[name]


NETWORKS = [
    *("plain", "one output", "one layer", "own activation", "softmax inside"),
    *("scales left", "branches", "wide part"),
]


def predictor_of(
    layers: list[Any], backend: str, dtype: str = "float32", n_features: Any = N_FEATURES
) -> fm.Predictor:
    model = fm.Sequential(layers, backend=backend, dtype=dtype, random_state=0).build(n_features)
    randomize(model, np.random.default_rng(1))
    return model.freeze()


def whole_numbers(n: int, n_features: int = N_FEATURES, dtype: str = "float32") -> Array:
    """Rows that every type of number holds exactly."""
    return np.random.default_rng(2).integers(0, 9, (n, n_features)).astype(dtype)


def unaligned(X: Array) -> Array:
    return np.frombuffer(b" " + X.tobytes(), X.dtype, offset=1).reshape(X.shape)


def spread(X: Array) -> Array:
    """The same numbers with others between them, in both directions."""
    whole = np.full((*(2 * length for length in X.shape[:-1]), 2 * X.shape[-1]), -7, X.dtype)
    part = whole[tuple(slice(None, None, 2) for _ in X.shape)]
    part[...] = X
    return part


def backwards(X: Array) -> Array:
    every = tuple(slice(None, None, -1) for _ in X.shape)
    return X[every].copy()[every]


def read_only(X: Array) -> Array:
    X = X.copy()
    X.flags.writeable = False
    return X


FORMS: dict[str, Callable[[Array], Any]] = {
    "list": lambda X: X.tolist(),
    "list of whole numbers": lambda X: X.astype(int).tolist(),
    "tuple": lambda X: tuple(map(tuple, X)) if X.ndim == 2 else tuple(X),
    "list of arrays": list,
    "float64": lambda X: X.astype("f8"),
    "float32": lambda X: X.astype("f4"),
    "float16": lambda X: X.astype("f2"),
    "uint8": lambda X: X.astype("u1"),
    "int64": lambda X: X.astype("i8"),
    "objects": lambda X: X.astype("O"),
    "other byte order": lambda X: X.astype(X.dtype.newbyteorder()),
    "long double": lambda X: X.astype(np.longdouble),
    "Fortran": np.asfortranarray,
    "spread": spread,
    "backwards": backwards,
    "unaligned": unaligned,
    "read-only": read_only,
    "matrix": lambda X: X.view(type("Subclass", (np.ndarray,), {})),
    "masked": np.ma.masked_array,
}
SHAPES = [(), (1,), (2,), (8,), (9,), (300,)]
