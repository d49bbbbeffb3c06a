"""Tables and fitted transformers of scikit-learn at random, and predictors in all their forms."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c_harness import compile_header
from modules import load_module
from random_weights import randomize

import fastmlp as fm
from fastmlp.kernels.typing import Array

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)

SCALERS: list[Any] = [
    *(StandardScaler(), StandardScaler(with_mean=False), StandardScaler(with_std=False)),
    *(MinMaxScaler((-1, 2)), MaxAbsScaler(), RobustScaler(), "passthrough"),
]
ENCODERS: list[Any] = [
    OneHotEncoder(),
    OneHotEncoder(drop="first", sparse_output=False),
    OneHotEncoder(drop="if_binary", handle_unknown="ignore"),
    OneHotEncoder(handle_unknown="ignore", dtype=np.float32),
    OneHotEncoder(min_frequency=30, handle_unknown="infrequent_if_exist"),
    OneHotEncoder(max_categories=3, handle_unknown="ignore", drop="first"),
    OneHotEncoder(min_frequency=0.2, handle_unknown="infrequent_if_exist", drop="if_binary"),
    OrdinalEncoder(),
    OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-2),
    OrdinalEncoder(min_frequency=30),
]


def table(rng: np.random.Generator, n: int = 200) -> tuple[Array, list[int], list[int]]:
    """Rows of measurements and of categories in any order, and the columns of each kind."""
    columns = [rng.normal(rng.uniform(-5, 5), rng.uniform(0.5, 4), n) for _ in range(4)]
    columns += [
        rng.integers(0, 2, n).astype(float),
        rng.choice([-1.5, 0.25, 7.0], n),
        np.minimum(rng.geometric(0.4, n), 7).astype(float),
        rng.integers(-3, 3, n).astype(float),
    ]
    order = rng.permutation(len(columns))
    X = np.column_stack([columns[place] for place in order])
    numbers = [place for place, kind in enumerate(order) if kind < 4]
    return X, numbers, [place for place in range(len(order)) if place not in numbers]


def spread(X: Array, y: Array) -> Array:
    """A score of each column, whatever y is."""
    return np.std(X, axis=0)


def of_numbers(rng: np.random.Generator, depth: int = 0) -> Any:
    """What measurements go through."""
    kind = rng.integers(0, 6 if depth < 2 else 2)
    scaler = SCALERS[rng.integers(len(SCALERS))]
    if kind < 2:
        return scaler
    if kind == 2:
        return make_pipeline(of_numbers(rng, depth + 1), FunctionTransformer(), scaler)
    if kind == 3:
        return make_pipeline(scaler, SelectKBest(spread, k=1))
    if kind == 4:
        parts = [("a", of_numbers(rng, depth + 1)), ("b", scaler)]
        return FeatureUnion(parts, transformer_weights={"a": 0.5})
    parts = [("first", of_numbers(rng, depth + 1), [0]), ("again", scaler, slice(0, 1))]
    return ColumnTransformer(parts, remainder=SCALERS[0])


def of_categories(rng: np.random.Generator) -> Any:
    """What categories go through."""
    encoder = ENCODERS[rng.integers(len(ENCODERS))]
    if rng.random() < 0.3:
        return make_pipeline("passthrough", encoder, MaxAbsScaler())
    if rng.random() < 0.3:
        return Pipeline([("encode", encoder), ("varies", VarianceThreshold())])
    return encoder


def preparation(rng: np.random.Generator, numbers: list[int], categories: list[int]) -> Any:
    """A transformer of the columns of both kinds, some of which it drops."""
    numbers, categories = (rng.permutation(part).tolist() for part in (numbers, categories))
    n_numbers, n_categories = rng.integers(1, 5), rng.integers(0, 5)
    parts: list[Any] = [
        ("numbers", of_numbers(rng), numbers[:n_numbers]),
        ("categories", of_categories(rng), categories[:n_categories]),
    ]
    if n_categories < 3:
        parts.append(("others", of_categories(rng), categories[n_categories:]))
    if rng.random() < 0.4:
        parts.append(("twice", StandardScaler(), numbers[:1]))
    if rng.random() < 0.3:
        parts.append(("left out", "drop", categories[-1:]))
    order = rng.permutation(len(parts))
    remainder = ["drop", "passthrough", StandardScaler()][rng.integers(3)]
    weights = {"numbers": 2.0} if rng.random() < 0.3 else None
    made: Any = ColumnTransformer(
        [parts[place] for place in order], remainder=remainder, transformer_weights=weights
    )
    if rng.random() < 0.3:
        return make_pipeline(made, StandardScaler(with_mean=False))
    return made


def dense_rows(transformer: Any, X: Any) -> Array:
    """Rows as a transformer makes them, as an array."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Found unknown categories")
        made = transformer.transform(X)
    return np.asarray(made.toarray() if hasattr(made, "toarray") else made, np.float64)


def network(width: int, dtype: str, layers: list[Any] | None = None, backend: str = "numpy") -> Any:
    """A network with random weights."""
    layers = layers or [fm.Dense(5, "tanh"), fm.Dense(3, "softmax")]
    model = fm.Sequential(layers, dtype=dtype, backend=backend, random_state=0).build(width)
    randomize(model, np.random.default_rng(width), 0.5)
    return model


def quiet_freeze(call: Any, *arguments: Any, **more: Any) -> tuple[Any, list[str]]:
    """A predictor, and what it has warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        predictor = call(*arguments, **more)
    return predictor, [str(each.message) for each in caught]


def every_form(predictor: Any, X: Array, folder: Path) -> dict[str, Array]:
    """The outputs of a predictor for rows: of itself, of its file, and of all exports."""
    predictor.save(folder / "p.safetensors")
    found = {"itself": predictor(X), "one row": np.stack([predictor(row) for row in X[:5]])}
    for backend in ("numpy", "numba"):
        loaded = fm.load_predictor(folder / "p.safetensors", backend=backend)
        assert loaded.feature_names == predictor.feature_names
        found[backend] = loaded(X)
    predictor.export_python(folder / "net.py")
    found["python"] = load_module(folder / "net.py").predict(X)
    for math in ("math.h", "inline"):
        header = folder / f"model_{math.removesuffix('.h')}.h"
        predictor.export_c(header, math=math)
        outputs, codes = compile_header(header, dtype=predictor.dtype)(X)
        assert not codes.any()
        found[f"c {math}"] = outputs
    if _has_onnx():
        from onnx_graphs import run

        predictor.export_onnx(folder / "model.onnx")
        made = run(folder / "model.onnx", np.ascontiguousarray(X, predictor.dtype))
        found["onnx"] = made[next(iter(made))]
    return found


def _has_onnx() -> bool:
    try:
        import onnxruntime  # noqa: F401
    except ImportError:
        return False
    return True
