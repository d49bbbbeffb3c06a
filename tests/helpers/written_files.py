"""Every kind of file that the library writes, twice, so that one can replace the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import fastmlp as fm
from fastmlp.cli.report import write_json
from fastmlp.common.atomic_file import save_figure

Writer = Callable[[Path], None]

X = np.random.default_rng(0).normal(size=(60, 12))
Y = np.array(["no", "yes", "may be"])[np.arange(60) % 3]
PAIR = "net.py with net.npz"


def _model(seed: int) -> fm.Sequential:
    layers = [fm.Dense(8, "relu"), fm.BatchNorm(), fm.Dense(3, "softmax")]
    model = fm.Sequential(layers, backend="numpy", random_state=seed)
    model.fit(X, Y, epochs=3, verbose=0)
    return model


def _schema(seed: int) -> Any:
    columns = {f"column {k}": X[:, k] + seed for k in range(12)}
    return fm.infer_schema({**columns, "label": Y}, target="label")


def writers() -> dict[str, tuple[Writer, Writer]]:
    """Functions that write the first and the second file of a kind, the same bytes each time.

    The kind is the name of the file.
    """
    models = [_model(seed) for seed in (0, 1)]
    predictors = [model.freeze() for model in models]
    schemas = [_schema(seed) for seed in (0, 1)]
    numbers = [dict(enumerate((X[:3] + seed).tolist())) for seed in (0, 1)]
    found: dict[str, list[Writer]] = {
        "model.safetensors": [model.save for model in models],
        "predictor.safetensors": [predictor.save for predictor in predictors],
        "net.h": [predictor.export_c for predictor in predictors],
        "net.onnx": [predictor.export_onnx for predictor in predictors],
        "net.py": [predictor.export_python for predictor in predictors],
        "history.csv": [model.history.to_csv for model in models],
        "history.json": [model.history.to_json for model in models],
        "schema.json": [schema.to_json for schema in schemas],
        "metrics.json": [lambda path, n=n: write_json(path, n) for n in numbers],
        "curve.png": [lambda path, f=f: save_figure(f, path, 60) for f in map(_figure, models)],
        PAIR: [lambda path, p=p: p.export_python(path, "beside") for p in predictors],
    }
    return {kind: (first, second) for kind, (first, second) in found.items()}


def _figure(model: fm.Sequential) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2, 2))
    figure.subplots().plot(model.history["loss"])
    return figure


def name_of(kind: str) -> str:
    """The name of the file that a kind is written as; of two, the one that is named."""
    return kind.partition(" ")[0]
