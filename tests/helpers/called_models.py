"""Calls of models that are trained, and of what users register for them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from called import (
    HALF,
    LONG,
    NEAR,
    NUMBERS,
    TASKS,
    WEIGHTS,
    WIDTH,
    X,
    call,
    said,
    trained,
    without_seconds,
)

import fastmlp as fm


@call
def models_in_use(folder: Path, backend: str) -> Any:
    found: list[Any] = []
    for task, (_, y) in TASKS.items():
        model = trained(backend, task)
        found += [
            *(model.predict(X), model.predict(X[:1]), model.predict(X.astype("f8"))),
            *(model.predict(X.tolist()), model.predict(LONG)),
            *(model.predict(HALF), model.predict(np.arange(WIDTH)[None])),
            *(model.evaluate(X, y), model.evaluate(X, y, WEIGHTS), model.evaluate(X[:1], y[:1])),
            *(model.gradients(X, y, WEIGHTS), model.gradients(X, y, training=False)),
            *(model.activations(X), model.activations(X, training=True)),
            *(model.train_step(X, y), model.train_step(X[:3], y[:3], np.ones(3))),
        ]
        if task != "regression":
            found.append(model.predict_classes(X))
        found += [str(model.explain(X[0], y[0])), str(model.explain(X[:1]))]
        found.append(_table(model.explain(X[1], y[1])))
        found.append(dict(model.explain(X[1]).find("forward", "0.output").values))
        found.append(dict(model.parameters))
    return found


def _table(explanation: Any) -> str:
    from rich.console import Console

    console = Console(file=io.StringIO(), width=120)
    console.print(explanation.table())
    console.print(explanation)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


@call
def models_as_objects(folder: Path, backend: str) -> Any:
    model = trained(backend)
    summary, printed, _ = said(model.summary)
    kept = model.get_weights()
    model.save(folder / "m.safetensors")
    again = fm.load(folder / "m.safetensors", backend=backend)
    expected = again.predict(X)
    model.reset()
    fresh = dict(model.parameters)
    model.set_weights(kept)
    spec = fm.Sequential.from_spec(
        [WIDTH, 8, "relu", 1, "sigmoid"], backend=backend, random_state=0
    )
    other = fm.Sequential.from_spec(
        [(WIDTH, False, "relu", 1.0), (3, True, "elu", 0.5), (1, False, "linear", 1.0)],
        backend=backend,
        random_state=0,
    )
    objects = [model, model.history, spec, other, model.layers, model.optimizer, model.loss]
    return [
        *(summary, printed, expected, fresh, dict(model.parameters), dict(model.buffers)),
        *(dict(spec.parameters), dict(other.parameters), repr(objects)),
        *(model.classes, model.epochs_left),
    ]


@call
def registered_functions(folder: Path, backend: str) -> Any:
    import warnings

    half = np.float64(1 / 3)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "'callers_.*' has no derivative", UserWarning)
        fm.register_activation("callers_bump", lambda z: fm.math.exp(-half * z * z))
        fm.register_activation(
            "callers_log", lambda z: fm.math.log1p(z * z), lambda z: 2 * z / (1 + z * z)
        )
        fm.register_loss("callers_loss", lambda p, y: fm.math.log1p((p - y) ** 2))
    layers = [fm.Dense(4, "callers_bump"), fm.Dense(4, "callers_log"), fm.Dense(1)]
    model = fm.Sequential(layers, loss="callers_loss", backend=backend, random_state=0)
    history = model.fit(X, NUMBERS, epochs=2, verbose=0)
    small = model.freeze().quantize(NEAR)
    member = fm.Dense(4, "callers_bump").activation_function.member
    return [
        dict(model.parameters),
        without_seconds(history),
        model.evaluate(X, NUMBERS),
        small(X),
        member,
    ]
