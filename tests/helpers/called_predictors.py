"""Calls of predictors, in floating point and in 8 bits, and of all that they are exported as."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
from called import (
    NEAR,
    NUMBERS,
    TASKS,
    WIDTH,
    N,
    X,
    call,
    files,
    network,
    trained,
)

import fastmlp as fm


@call
def predictors(folder: Path, backend: str) -> Any:
    found: list[Any] = []
    for task in TASKS:
        model = trained(backend, task)
        predictor = model.freeze()
        found.append(model.feature_names)
        predictor.save(folder / f"{task}.safetensors")
        again = fm.load_predictor(folder / f"{task}.safetensors", backend=backend)
        out = np.empty((N, predictor.n_outputs), "f4")
        found += [
            *(predictor(X[0]), predictor(X[:3]), predictor(X), predictor(X.astype("f8"))),
            *(predictor(X.astype("f8") / 1e10), predictor(X[0].tolist()), predictor(X.tolist())),
            *(predictor(X, out=out), out.copy(), again(X), repr(predictor)),
        ]
        if task != "regression":
            found += [predictor.predict_classes(X), predictor.predict_classes(X[0])]
        found += list(predictor.weights.values())
    return found


@call
def folded_scalers(folder: Path, backend: str) -> Any:
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    found = []
    for scaler in (StandardScaler(), MinMaxScaler()):
        rows = np.delete(X, 0, axis=1).astype("f8")
        model = network(backend, fm.Dense(1))
        model.fit(scaler.fit_transform(rows), NUMBERS, epochs=1, verbose=0)
        found.append(model.freeze(scaler)(rows))
    return found


@call
def exports(folder: Path) -> Any:
    for task, units in itertools.product(TASKS, ("float32", "float64")):
        last, y = TASKS[task]
        model = network("numpy", last, dtype=units)
        model.fit(X, y, epochs=1, verbose=0)
        predictor = model.freeze()
        name = folder / f"{task}_{units}"
        predictor.export_c(name.with_suffix(".h"), prefix="net")
        predictor.export_c(name.with_suffix(".inline.h"), math="inline")
        predictor.export_onnx(name.with_suffix(".onnx"))
        predictor.export_python(name.with_suffix(".py"))
        predictor.export_python(folder / f"{task}_{units}_beside.py", weights="beside")
    written = files(folder)
    # A ZIP archive has the time in it.
    return {name: content for name, content in written.items() if not name.endswith(".npz")}


@call
def int8(folder: Path) -> Any:
    found: list[Any] = []
    for task, (_, y) in TASKS.items():
        small = trained("numpy", task).freeze().quantize(X, y)
        out = np.empty((N, small.n_outputs), "f4")
        found += [small(X), small(X[0]), small(X * 1e30), small(X, out=out), str(small.report)]
        found += [repr(small), small.n_features, small.feature_names]
        if task != "regression":
            found += [small.predict_classes(X), small.classes]
        small.export_c(folder / f"{task}.h", prefix="tiny")
        path = folder / f"{task}_at_once.h"
        trained("numpy", task).freeze().export_c(path, quantize="int8", calibration=X)
    curves = fm.Sequential(
        [fm.Dense(4, "exp"), fm.Dense(4, "softmax"), fm.Dense(4, "mish"), fm.Dense(1, "softplus")],
        backend="numpy",
        random_state=0,
    )
    predictor = curves.build(WIDTH).freeze()
    found += [predictor.quantize(NEAR)(X), predictor.quantize(NEAR[:1])(X)]
    return found, files(folder)
