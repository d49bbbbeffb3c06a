"""Calls of everything public, each with a result that can be compared: what contracts are tried on.

Data are harsh on purpose: subnormal and large numbers, units that saturate, so that arithmetic
overflows and underflows on the way where it can.
"""

from __future__ import annotations

import functools
import io
import itertools
import os
import re
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any

import numpy as np
from kernel_table import KERNELS, NASTY, Inputs

import fastmlp as fm
from fastmlp import cli, datasets
from fastmlp.kernels import available_backends, get_backend
from fastmlp.training import metrics

Array = np.ndarray
Call = Callable[[Path], Any]

CALLS: dict[str, Call] = {}
BACKENDS = available_backends()
N, WIDTH = 60, 5
_RNG = np.random.default_rng(0)
# Squares of the first column underflow, units that read the last one saturate.
X = (_RNG.normal(size=(N, WIDTH)) * [1e-30, 1.0, 0.1, 1.0, 300.0]).astype("f4")
X[:3, 0] = [1e-42, -1e-40, 0.0]
with np.errstate(all="ignore"):
    NEAR = X / 300
    HALF = NEAR.astype("f2")
    LONG = X[:1].astype("g") * np.longdouble("1e-4000")
NUMBERS = X[:, 1] - X[:, 3] + 1e-30
WORDS = np.array(["low", "mid", "top"])[np.digitize(NUMBERS, [-0.7, 0.7])]
TWO = WORDS == "top"
COLUMNS = np.column_stack([X[:, 1] > 0, X[:, 3] > 0]).astype(int)
WEIGHTS = np.where(np.arange(N) % 7 == 0, 0.0, 10.0 ** _RNG.uniform(-40, 0, N))


def call(function: Callable[..., Any]) -> Callable[..., Any]:
    """Register a call under its name; of one with a backend, a call for each."""
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    for backend in BACKENDS if "backend" in names else ("",):
        given = {"backend": backend} if backend else {}
        CALLS[f"{function.__name__} {backend}".strip()] = functools.partial(function, **given)
    return function


def network(backend: str, last: Any = None, **arguments: Any) -> Any:
    """A network, its labels those of the output; not trained."""
    layers = [
        fm.Dense(8, "tanh", l2=1e-3),
        fm.BatchNorm(),
        fm.Residual([fm.Dense(8, "gelu"), fm.Dropout(0.2)]),
        fm.Branch([fm.Dense(4, "sigmoid")], [fm.Dense(4, "softplus", l1=1e-3)]),
        last or fm.Dense(3, "softmax"),
    ]
    return fm.Sequential(layers, backend=backend, random_state=0, **arguments)


TASKS: dict[str, tuple[Any, Array]] = {
    "multiclass": (fm.Dense(3, "softmax"), WORDS),
    "binary": (fm.Dense(1, "sigmoid"), TWO),
    "multilabel": (fm.Dense(2, "sigmoid"), COLUMNS),
    "regression": (fm.Dense(1), NUMBERS),
}


@functools.cache
def _trained(backend: str, task: str) -> Any:
    last, y = TASKS[task]
    model = network(backend, last)
    model.fit(X, y, epochs=2, batch_size=16, verbose=0)
    # Outputs near 0 and 1, so that logarithms and products of them underflow.
    with np.errstate(all="ignore"):
        model.parameters["4.weight"][...] *= 40.0
    return model


def trained(backend: str, task: str = "multiclass") -> Any:
    """A copy of a trained model, which a call may change."""
    import copy

    return copy.deepcopy(_trained(backend, task))


@functools.cache
def plain_network(units: int = 1) -> Any:
    """A model without BatchNorm, as other libraries have them."""
    model = fm.Sequential(
        [fm.Dense(6, "relu"), fm.Dense(units, "softmax" if units > 1 else "linear")],
        backend="numpy",
        random_state=0,
    )
    return model.build(WIDTH)


def files(folder: Path) -> dict[str, bytes]:
    """All files below a folder but pictures and those that hold times."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix not in (".png", ".safetensors")
    }


def without_seconds(history: Any) -> dict[str, Any]:
    return {name: values for name, values in history.to_dict().items() if name != "seconds"}


def said(function: Callable[[], Any]) -> tuple[Any, str, str]:
    """What a function returns and prints."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        result = function()
    return result, out.getvalue(), err.getvalue()


# Models


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
    model = fm.resume(path, X, WORDS, backend=backend, verbose=0)
    return dict(model.parameters), without_seconds(model.history)


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


@call
def inspections(folder: Path, backend: str) -> Any:
    model = trained(backend, "binary")
    checked = fm.check_gradients(model, X[:9], TWO[:9], WEIGHTS[:9] + 1e-3, max_elements=4)
    found = fm.find_learning_rate(network(backend), X, WORDS, steps=30, batch_size=16)
    return [str(checked), checked.ok, str(found), found.rates, found.losses, found.smoothed]


# Predictors


@call
def predictors(folder: Path, backend: str) -> Any:
    found: list[Any] = []
    for task in TASKS:
        predictor = trained(backend, task).freeze()
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


# Networks of others


@functools.cache
def sklearn_estimators() -> list[Any]:
    """Estimators that scikit-learn has fitted."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows = NEAR[:, 1:].astype("f8")
    network = MLPClassifier((5,), learning_rate_init=0.1, max_iter=2000, random_state=0)
    return [
        network.fit(rows, WORDS),
        make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, WORDS),
        TransformedTargetRegressor(Ridge(), transformer=StandardScaler()).fit(rows, NUMBERS),
    ]


@call
def from_sklearn(folder: Path) -> Any:
    rows = X[:, 1:]
    return [fm.from_sklearn(e, backend="numpy").predict(rows) for e in sklearn_estimators()]


@functools.cache
def torch_modules() -> list[Any]:
    """Modules of PyTorch with weights that do not depend on how it is set."""
    import torch
    from torch import nn

    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Sequential(nn.Linear(WIDTH, 6), nn.GELU(), nn.Linear(6, WIDTH))

        def forward(self, x: Any) -> Any:
            return (x + self.inner(x)) * 0.5 - 1

    modules = [
        nn.Sequential(nn.Linear(WIDTH, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 3)),
        nn.Sequential(nn.Linear(WIDTH, 4, dtype=torch.float64), nn.Sigmoid()).double(),
        nn.Sequential(nn.Linear(WIDTH, 4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 1)).eval(),
        Scaled(),
    ]
    rng = np.random.default_rng(0)
    for module in modules:
        for tensor in (*module.parameters(), *module.buffers()):
            if tensor.is_floating_point():
                values = np.abs(rng.normal(size=tuple(tensor.shape)))
                tensor.data.copy_(torch.from_numpy(values))
    return modules


@call
def from_torch(folder: Path) -> Any:
    found: list[Any] = []
    for module in torch_modules():
        model = fm.from_torch(module, backend="numpy")
        found += [model.dtype, model.predict(NEAR), [type(x).__name__ for x in model.layers]]
        found.append([part.training for part in module.modules()])
    return found


@functools.cache
def keras_model() -> Any:
    """A model of Keras."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras

    rng = np.random.default_rng(0)
    model = keras.Sequential(
        [
            keras.layers.Input((WIDTH,), dtype="float32"),
            keras.layers.Dense(6, "gelu", dtype="float32"),
            keras.layers.BatchNormalization(dtype="float32"),
            keras.layers.Dense(3, "softmax", dtype="float32"),
        ]
    )
    model.set_weights([np.abs(rng.normal(size=w.shape)) for w in model.get_weights()])
    return model


@call
def from_keras(folder: Path) -> Any:
    model = fm.from_keras(keras_model(), backend="numpy")
    return model.dtype, model.predict(NEAR)


@functools.cache
def onnx_graph() -> str:
    """The path of a graph of a network with activations that have to be recognized."""
    import tempfile

    layers = [
        fm.Dense(6, "gelu"),
        fm.Dense(4, "mish"),
        fm.Dense(4, fm.ELU(0.3)),
        fm.Dense(3, "softmax"),
    ]
    model = fm.Sequential(layers, backend="numpy", random_state=0).build(WIDTH)
    path = Path(tempfile.mkdtemp()) / "graph.onnx"
    model.freeze().export_onnx(path)
    return str(path)


@call
def from_onnx(folder: Path) -> Any:
    model = fm.from_onnx(onnx_graph(), backend="numpy")
    return repr(model.layers), dict(model.parameters), model.predict(NEAR)


# Pictures


@functools.cache
def recorded() -> fm.Recorder:
    """A recorder of a fit."""
    recorder = fm.Recorder()
    network("numpy").fit(NEAR, WORDS, epochs=2, callbacks=[recorder], verbose=0)
    return recorder


def drawn(axes: Any) -> list[Any]:
    """What an Axes shows: data, texts and limits of colours, whatever it looks like."""
    found: list[Any] = [axes.get_xlabel(), axes.get_ylabel(), axes.get_title()]
    found += [line.get_xydata() for line in axes.lines]
    for collection in axes.collections:
        found += [np.asarray(collection.get_offsets()), collection.get_array()]
    found += [np.asarray(image.get_array()) for image in axes.images]
    found += [[patch.get_path().vertices for patch in axes.patches]]
    found += [text.get_text() for text in axes.texts]
    legend = axes.get_legend()
    return [*found, legend and [text.get_text() for text in legend.get_texts()]]


@call
def pictures(folder: Path) -> Any:
    from matplotlib import pyplot
    from matplotlib.figure import Figure

    model, numbers = trained("numpy"), trained("numpy", "regression")
    narrow = fm.Sequential(
        [fm.Dense(4, "tanh"), fm.Dense(2, "softmax")], backend="numpy", random_state=0
    )
    narrow.fit(X[:, 1:3], TWO, epochs=1, verbose=0)
    line = fm.Sequential([fm.Dense(1)], backend="numpy", random_state=0)
    line.fit(X[:, 1:3], NUMBERS, epochs=1, verbose=0)
    test = fm.find_learning_rate(model, X, WORDS, steps=20)
    recorder = recorded()
    drawings: list[Callable[[Any], Any]] = [
        lambda ax: fm.plot_learning_curves(model.history, "loss", ax),
        lambda ax: fm.plot_gradient_flow(recorder, ax),
        lambda ax: fm.plot_activation_histograms(model, X, ax=ax),
        lambda ax: fm.plot_activation_heatmap(model, X, ax=ax),
        lambda ax: fm.plot_weights(model, ax=ax),
        lambda ax: fm.plot_decision_boundary(narrow, X[:, 1:3], TWO, ax),
        lambda ax: fm.plot_decision_boundary(line, X[:, 1:3], NUMBERS, ax),
        lambda ax: fm.plot_feature_response(model, X, 4, ax),
        lambda ax: fm.plot_confusion_matrix(model, X, WORDS, normalize=True, ax=ax),
        lambda ax: fm.plot_confusion_matrix(WORDS, WORDS[::-1], ax=ax),
        lambda ax: fm.plot_predictions(numbers, X, NUMBERS, ax=ax),
        test.plot,
    ]
    found = []
    for draw in drawings:
        found.append(drawn(draw(Figure().subplots())))
        axes = draw(None)
        found.append(drawn(axes))
        pyplot.close(axes.figure)
    axes = model.history.plot()
    found += [drawn(part) for part in axes.figure.axes]
    pyplot.close(axes.figure)
    model.history.plot(folder / "curves.png")
    return found


# Kernels


def _arguments(kernel: Any) -> Iterator[dict[str, Any]]:
    for values, dtype in itertools.product(NASTY.values(), ("float32", "float64")):
        yield kernel.make(Inputs(dtype, values), 5, 7)


@call
def kernels(folder: Path, backend: str) -> Any:
    namespace = get_backend(backend)
    found: list[Any] = []
    for kernel in KERNELS:
        for arguments in _arguments(kernel):
            found.append((kernel.label, getattr(namespace, kernel.function)(**arguments)))
            found.append([arguments[name] for name in kernel.modified])
    return found


@call
def elementary_functions(folder: Path) -> Any:
    x = np.array([0.0, -0.0, 1e-320, 1e308, -1e308, np.inf, -np.inf, np.nan, -1.0, 88.8])
    y = np.array([0.0, -0.0, 1e-45, 3e38, -3e38, np.inf, -np.inf, np.nan, -1.0, 88.8], "f4")
    return [
        getattr(fm.math, name)(values)
        for name in fm.math.__all__
        for values in (x, y, x[2], x[3], y[2], 0.0)
    ]


# Tables and the command line


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
def crossed_columns(folder: Path) -> Any:
    import pandas

    frame = pandas.DataFrame({"a": WORDS, "b": X[:, 1], "c": np.arange(N) % 3})
    crossed = fm.preprocessing.CrossedColumns([("a", "b"), "c"], n_buckets=16, bins={"b": 3})
    # Where tables are asked for, scikit-learn refuses sparse columns of any transformer.
    crossed.set_output(transform="default")
    found = crossed.fit_transform(frame)
    names = crossed.get_feature_names_out()
    return [
        found.toarray(),
        names,
        crossed.bin_edges_,
        crossed.n_buckets_,
        crossed.fit(frame).transform(frame).toarray(),
    ]


@call
def data_sets(folder: Path) -> Any:
    return [tuple(datasets.load(name)) for name in ("iris", "diabetes", "digits")]


def table(path: Path) -> None:
    """A table with words, dates, empty cells and numbers far from 0."""
    rows = ["age,town,since,flag,small,y"]
    for i in range(90):
        age, town = "" if i % 17 == 0 else f"{20 + i % 50}.5", "ABC"[i % 3] if i % 13 else ""
        flag, since = ("true", "false")[i % 2], f"20{10 + i % 10}-0{1 + i % 9}-11"
        rows.append(f"{age},{town},{since},{flag},{(i % 7) * 1e-30},{['no', 'yes'][i % 3 > 0]}")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


def commands(folder: Path, *words: str) -> Any:
    code, out, err = said(lambda: cli.main(list(words)))
    return code, _without_times(out, folder), _without_times(err, folder)


def _without_times(text: str, folder: Path) -> list[str]:
    lines = text.replace(str(folder), "FOLDER").splitlines()
    # What ends in seconds, or tells of them within.
    lines = [re.sub(r"  [0-9.e-]+ s$", "", line) for line in lines]
    return [line for line in lines if not any(word in line for word in ("second", " us", " s "))]


@call
def command_line(folder: Path) -> Any:
    table(folder / "t.csv")
    data, model = ["--data", str(folder / "t.csv")], str(folder / "o" / "model.safetensors")
    quick = ["-e", "3", "-l", "6", "-o", "auto", "--output-dir", str(folder / "o")]
    found = [
        commands(folder, "train", *data, "--target", "y", *quick, "--show_loss"),
        commands(
            folder, "train", *data, "--target", "age", *quick[:-1], str(folder / "r"), "-en", "age"
        ),
        commands(folder, "train", "-d", "iris", *quick[:-1], str(folder / "i")),
        commands(folder, "predict", model, *data),
        commands(folder, "evaluate", model, *data),
        commands(folder, "inspect", model, "--no-latency"),
        commands(folder, "inspect", str(folder / "i" / "model.safetensors")),
    ]
    for kind, name in (("c", "a.h"), ("c-int8", "b.h"), ("onnx", "c.onnx"), ("python", "d.py")):
        rows = ["--calibration", str(folder / "t.csv")] if kind == "c-int8" else []
        words = ["export", model, "--format", kind, "-o", str(folder / name), *rows]
        found.append(commands(folder, *words))
    written = files(folder)
    for name in [name for name in written if re.search(r"history|metrics.*json", name)]:
        del written[name]
    return found, written


@call
def warm_up(folder: Path) -> Any:
    return said(fm.warmup) if "numba" in BACKENDS else None


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
