"""Calls of fits and of what takes part in them."""

from __future__ import annotations

import itertools
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from called import (
    NEAR,
    NUMBERS,
    TASKS,
    TWO,
    WEIGHTS,
    WORDS,
    N,
    X,
    call,
    network,
    said,
    trained,
    without_seconds,
)

import fastmlp as fm
from fastmlp.training import metrics

OPTIMIZERS = (
    fm.SGD(fm.ExponentialDecay(0.01, 0.9), momentum=0.9, nesterov=True),
    fm.RMSprop(fm.InverseTimeDecay(1e-3, 0.1), clip_value=0.5),
    fm.Adam(fm.CosineDecay(1e-3, 4), clip_norm=0.1),
    fm.AdamW(fm.OneCycle(1e-3, 3)),
    fm.AdaGrad(fm.StepDecay(1e-3, 0.5, 2)),
    fm.Nadam(fm.ReduceOnPlateau(1e-3, patience=1)),
    fm.Ftrl(fm.Constant(0.1), l1=1e-3, l2=1e-3),
)


@call
def fit(folder: Path, backend: str) -> Any:
    found = []
    for optimizer, dtype in zip(OPTIMIZERS, itertools.cycle(["float32", "float64"]), strict=False):
        model = network(backend, optimizer=optimizer, dtype=dtype)
        seen: list[Any] = []
        callbacks = [
            fm.EarlyStopping(patience=2),
            fm.CSVLogger(folder / "log.csv"),
            fm.ModelCheckpoint(folder / "m.safetensors"),
            fm.LambdaCallback(
                on_epoch_end=lambda model, epoch, logs, seen=seen: seen.append(dict(logs))
            ),
        ]
        history = model.fit(
            *(X, WORDS),
            epochs=3,
            batch_size=16,
            validation_split=0.2,
            sample_weight=WEIGHTS,
            class_weight="balanced",
            callbacks=callbacks,
            verbose=0,
        )
        history.to_csv(folder / "h.csv")
        history.to_json(folder / "h.json")
        found += [dict(model.parameters), dict(model.buffers), without_seconds(history)]
        assert len(seen) == len(history)
    return found


@call
def fit_of_networks_for_tables(folder: Path, backend: str) -> Any:
    first = {"parametrization": "ntk", "initializer": "std", "bias_initializer": "he+5"}
    layers = [
        *(fm.PeriodicEmbedding(columns=[0]), fm.Scale(), fm.Dense(6, **first)),
        *(fm.ParametricActivation("mish"), fm.Dropout(fm.FlatAnneal(0.2))),
        *(fm.Dropout(fm.CosineDecay(0.1, 3)), fm.Dense(1), fm.Clip(-1.0, 1.0)),
    ]
    optimizer = fm.AdamW(fm.CosLog(0.02), weight_decay=fm.FlatCosine(0.02))
    bins = [fm.PiecewiseLinearEmbedding(3), fm.Dense(1)]
    models = [
        fm.Sequential(layers, optimizer=optimizer, backend=backend, random_state=0),
        fm.Sequential(bins, backend=backend, random_state=0),
    ]
    fm.fit_many(models, X, NUMBERS, epochs=2, n_jobs=1)
    return [[dict(model.parameters), model.predict(X)] for model in models]


@call
def fit_of_other_losses(folder: Path, backend: str) -> Any:
    losses = [
        *(("linear", fm.Huber(1e-20)), ("linear", fm.Quantile(0.9)), ("linear", fm.MAE())),
        *(("exp", fm.Poisson()), ("softplus", fm.MSE()), ("selu", fm.MSE())),
        *((fm.ELU(0.5), "mse"), (fm.LeakyReLU(0.2), "mse"), ("mish", "mse"), ("silu", "mse")),
    ]
    found = []
    for activation, loss in losses:
        last = fm.Dense(1, activation, initializer="zeros")
        model = fm.Sequential([fm.BatchNorm(), last], loss=loss, backend=backend, random_state=0)
        history = model.fit(X, np.abs(NUMBERS), epochs=2, batch_size=None, verbose=0)
        found += [dict(model.parameters), without_seconds(history)]
    smoothed = fm.Sequential(
        [fm.Dense(3, "softmax")],
        loss=fm.CategoricalCrossentropy(0.1),
        backend=backend,
        random_state=0,
    )
    two = fm.Sequential(
        [fm.Dense(1, "sigmoid")], loss=fm.BinaryCrossentropy(0.1), backend=backend, random_state=0
    )
    for model, y in ((smoothed, WORDS), (two, TWO)):
        found.append(without_seconds(model.fit(X, y, epochs=2, verbose=0)))
        found.append(model.evaluate(X, y))
    return found


@call
def fit_of_chunks_and_embeddings(folder: Path, backend: str) -> Any:
    codes = np.column_stack([np.arange(N) % 4, X])
    layers = [fm.Embedding(4, 2, column=0), fm.Dense(5, "elu"), fm.Dense(3, "softmax")]
    model = fm.Sequential(layers, backend=backend, random_state=0)
    chunks = [(codes[:30], WORDS[:30]), (codes[30:], WORDS[30:], WEIGHTS[30:])]
    model.fit(chunks, epochs=2, batch_size=8, validation_data=(codes, WORDS), verbose=0)
    return [dict(model.parameters), model.predict(codes), without_seconds(model.history)]


@call
def fit_of_sparse_rows(folder: Path, backend: str) -> Any:
    from scipy.sparse import csr_matrix

    wide = csr_matrix((X > 0.3).astype("f4"))
    layers = [fm.WideAndDeep(1, "sigmoid", deep=[fm.Dense(4, "relu")], wide_optimizer=fm.Ftrl())]
    model = fm.Sequential(layers, backend=backend, random_state=0)
    model.fit((wide, X), TWO, epochs=2, verbose=0)
    predictor = model.freeze()
    return [
        dict(model.parameters),
        model.evaluate((wide, X), TWO),
        predictor((wide, X)),
        str(model.explain((wide[0], X[0]), True)),
    ]


@call
def fit_that_prints(folder: Path, backend: str) -> Any:
    model = network(backend, fm.Dense(1))
    _, out, _ = said(lambda: model.fit(X, NUMBERS, epochs=3, verbose=2))
    _, bar, _ = said(
        lambda: model.fit(X, NUMBERS, epochs=2, verbose=0, callbacks=[fm.ProgressBar()])
    )
    # The last word of a line is how long its epoch took.
    return [line.rsplit("  ", 1)[0] for line in out.splitlines()], bar


@call
def fit_that_is_recorded(folder: Path, backend: str) -> Any:
    import warnings

    found = []
    for arrays in (False, True):
        model, recorder = network(backend), fm.Recorder(arrays=arrays)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", fm.TrainingWarning)
            model.fit(X * 1e3, WORDS, epochs=3, callbacks=[recorder], verbose=0)
        found += [recorder.weights, recorder.gradients, recorder.activations, recorder.warnings]
    return found


@call
def fit_that_diverges(folder: Path, backend: str) -> Any:
    model = network(backend, fm.Dense(1, initializer="he"), optimizer=fm.SGD(1e30))
    try:
        model.fit(X, NUMBERS, epochs=3, verbose=0)
    except fm.DivergenceError as error:
        return str(error), dict(model.parameters)
    raise AssertionError("it should not have been finite")


@call
def fit_that_is_resumed(folder: Path, backend: str) -> Any:
    class Break(fm.Callback):
        def on_epoch_end(self, model: Any, epoch: int, logs: Any) -> None:
            if epoch == 1:
                raise KeyboardInterrupt

    model, path = network(backend), folder / "m.safetensors"
    with suppress(KeyboardInterrupt):
        model.fit(X, WORDS, epochs=4, callbacks=[fm.ModelCheckpoint(path), Break()], verbose=0)
    stopper = fm.EarlyStopping("loss", patience=9, restore_best=False)
    model = fm.resume(path, X, WORDS, backend=backend, callbacks=[stopper], verbose=0)
    return dict(model.parameters), without_seconds(model.history)


@call
def measures(folder: Path) -> Any:
    found: list[Any] = []
    for task, (_, y) in TASKS.items():
        for rows in (slice(None), slice(0, 1), slice(0, 2)):
            outputs = trained("numpy", task).predict(X)[rows]
            if task == "regression":
                found.append(metrics.regression_metrics(y[rows], outputs))
                found.append(metrics.regression_details(y[rows], outputs))
                found.append(metrics.regression_metrics(y[rows] * 0, outputs * 0 + 1e-200))
                continue
            codes = y[rows] if task == "multilabel" else np.unique(y, return_inverse=True)[1][rows]
            found.append(metrics.classification_metrics(task, codes, outputs))
            if task != "multilabel":
                found.append(metrics.classification_details(codes, outputs))
    return found


@call
def parts_by_themselves(folder: Path) -> Any:
    """Methods that fits and pictures do not call, or not with all that they take."""
    history = fm.History()
    history.append(0, {"loss": np.float32(0.1), "val_loss": np.float64(1e-320)})
    history.extend(history)
    again = fm.History.from_dict(history.to_dict())
    base = fm.Callback()
    for name in ("on_fit_data", "on_epoch_begin", "on_progress"):
        getattr(base, name)(None, 0)
    for name in ("on_fit_begin", "on_fit_end"):
        getattr(base, name)(None)
    base.on_epoch_end(None, 0, {})
    every = fm.LambdaCallback(*[lambda *arguments: None] * 4)
    network("numpy").fit(NEAR, WORDS, epochs=1, callbacks=[every], verbose=0)
    loss = fm.CategoricalCrossentropy(0.1)
    return [
        *(again["loss"], list(again.keys()), list(again.values()), list(again.items())),
        *(
            len(again),
            repr(again),
            repr(loss),
            loss.goes_with(fm.Dense(2, "softmax").activation_function),
        ),
        *(fm.kernels.available_backends(), fm.ELU(0.3).member),
        [(optimizer.touched_rows_exact, optimizer.rule) for optimizer in OPTIMIZERS],
    ]
