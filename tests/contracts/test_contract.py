"""Every name that users are promised, once, in both backends where it computes something.

What a name does in detail is tested elsewhere; here a name that is missing, renamed, or takes
other arguments is found.
"""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastmlp as fm
from fastmlp import kernels
from fastmlp.declarations.activations import get_activation
from fastmlp.declarations.losses import get_loss

# Promised, but not there yet: the tests of these names must fail.
NOT_YET: frozenset[str] = frozenset()

BACKENDS = ("numpy", "numba")


def names(*listed: str) -> Any:
    """Run a test for each name."""
    late = pytest.mark.xfail(strict=True, reason="not there yet")
    params = [pytest.param(name, marks=[late] if name in NOT_YET else []) for name in listed]
    return pytest.mark.parametrize("name", params)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


ROWS, FEATURES = 30, 4


@pytest.fixture
def X(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(ROWS, FEATURES))


@pytest.fixture
def y(X: np.ndarray) -> np.ndarray:
    numbers: np.ndarray = X[:, 0] + 0.1 * X[:, 1] ** 2
    return numbers


def model_of(layers: list[Any], backend: str, **arguments: Any) -> fm.Sequential:
    settings = {"random_state": 0, "dtype": "float64", "n_threads": 1} | arguments
    return fm.Sequential(layers, backend=backend, **settings)


def trained(
    layers: list[Any], X: Any, y: Any, backend: str, epochs: int = 2, **arguments: Any
) -> fm.Sequential:
    """A model after two epochs, whose losses are finite."""
    model = model_of(layers, backend, **arguments)
    history = model.fit(X, y, epochs=epochs, batch_size=10, verbose=0)
    assert len(history["loss"]) == epochs
    assert np.isfinite(history["loss"]).all()
    return model


def defaults(function: Callable[..., Any]) -> dict[str, Any]:
    """Arguments by name, with their defaults; the class itself where there is none."""
    parameters = inspect.signature(function).parameters
    return {name: parameter.default for name, parameter in parameters.items() if name != "self"}


REQUIRED = inspect.Parameter.empty


def assert_takes(function: Callable[..., Any], **expected: Any) -> None:
    """`function` takes these arguments, in this order, with these defaults; perhaps more behind."""
    found = defaults(function)
    assert list(found)[: len(expected)] == list(expected)
    assert {name: found[name] for name in expected} == expected


# Activations and losses

ACTIVATIONS = (
    *("relu", "leaky_relu", "tanh", "sigmoid", "softmax", "linear", "elu", "selu", "gelu"),
    *("silu", "mish", "softplus", "exp"),
)
LOSSES = ("mse", "mae", "huber", "quantile", "poisson", "bce", "cce")
FULL_NAMES = {"bce": "binary_crossentropy", "cce": "categorical_crossentropy"}


@names(*ACTIVATIONS)
def test_activations(name: str, backend: str, X: np.ndarray, y: np.ndarray) -> None:
    for spelled in (name, name.upper()):
        trained([fm.Dense(5, spelled), fm.Dense(1)], X, y, backend)
        trained([fm.Dense(5), fm.Activation(spelled), fm.Dense(1)], X, y, backend)


def test_slopes_can_be_set(backend: str) -> None:
    assert_takes(fm.LeakyReLU, slope=0.01)
    assert_takes(fm.ELU, alpha=1.0)
    for activation, below in ((fm.LeakyReLU(0.3), -0.3), (fm.ELU(0.5), 0.5 * math.expm1(-1))):
        model = model_of([fm.Dense(1, activation)], backend).build(1)
        model.parameters["0.weight"][...] = 1.0
        np.testing.assert_allclose(model.predict([[-1.0], [2.0]])[:, 0], [below, 2.0], rtol=1e-12)


def target(activation: str, loss: str, X: np.ndarray) -> np.ndarray:
    """What a network with this output and this loss can be trained on."""
    labels: np.ndarray = (X[:, 0] > 0).astype(int)
    if activation == "softmax":
        return labels + (X[:, 1] > 0)
    if activation == "sigmoid":
        return labels
    return np.abs(X[:, 0]) if activation in ("exp", "softplus") else X[:, 0]


def is_pair(activation: str, loss: str) -> bool:
    """The pairs of the contract, written down once more."""
    allowed = {
        "softmax": {"cce"},
        "sigmoid": {"bce", "mse", "mae", "huber"},
        "exp": {"poisson", "mse"},
        "softplus": {"poisson", "mse"},
    }
    return loss in allowed.get(activation, {"mse", "mae", "huber", "quantile"})


@names(*LOSSES)
def test_losses_with_every_output(name: str, backend: str, X: np.ndarray) -> None:
    for activation in ACTIVATIONS:
        layers = [fm.Dense(3 if activation == "softmax" else 1, activation)]
        y = target(activation, name, X)
        if is_pair(activation, name):
            trained(layers, X, y, backend, loss=name)
            trained(layers, X, y, backend, loss=FULL_NAMES.get(name, name).upper())
        else:
            with pytest.raises(ValueError, match="the pairs that do"):
                model_of(layers, backend, loss=name).fit(X, y, verbose=0)


def test_the_pairs_are_declared() -> None:
    for activation in ACTIVATIONS:
        for loss in LOSSES:
            declared = get_loss(loss).goes_with(get_activation(activation))
            assert declared == is_pair(activation, loss), (activation, loss)


LOSS_OBJECTS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "Huber": ({"delta": 1.0}, {"delta": 0.5}, "linear"),
    "Quantile": ({"q": 0.5}, {"q": 0.9}, "linear"),
    "CategoricalCrossentropy": ({"label_smoothing": 0.0}, {"label_smoothing": 0.1}, "softmax"),
    "BinaryCrossentropy": ({"label_smoothing": 0.0}, {"label_smoothing": 0.1}, "sigmoid"),
}


@names(*LOSS_OBJECTS)
def test_loss_objects(name: str, backend: str, X: np.ndarray) -> None:
    expected, other, activation = LOSS_OBJECTS[name]
    kind = getattr(fm, name)
    assert_takes(kind, **expected)
    layers = [fm.Dense(3 if activation == "softmax" else 1, activation)]
    y = target(activation, "", X)
    losses = [
        trained(layers, X, y, backend, loss=loss).history["loss"]
        for loss in (kind(), kind(**other))
    ]
    assert losses[0] != losses[1]


@pytest.mark.parametrize(
    ("activation", "loss"),
    [("softmax", "cce"), ("sigmoid", "bce"), ("linear", "mse"), ("exp", "mse")],
)
def test_the_loss_is_chosen_from_the_output(
    activation: str, loss: str, backend: str, X: np.ndarray
) -> None:
    layers = [fm.Dense(3 if activation == "softmax" else 1, activation)]
    y = target(activation, loss, X)
    chosen = trained(layers, X, y, backend).history["loss"]
    assert chosen == trained(layers, X, y, backend, loss=loss).history["loss"]


@names("register_activation")
def test_own_activations(name: str, backend: str, X: np.ndarray, y: np.ndarray) -> None:
    assert_takes(fm.register_activation, name=REQUIRED, forward=REQUIRED, derivative=None)
    fm.register_activation(
        "contract_bump",
        lambda z: z * fm.math.exp(-z * z),
        lambda z: (1 - 2 * z * z) * fm.math.exp(-z * z),
    )
    trained([fm.Dense(5, "contract_bump"), fm.Dense(1)], X, y, backend)
    with pytest.warns(UserWarning, match="numerical"):
        fm.register_activation("contract_cube", lambda z: z**3)
    trained([fm.Dense(5, "contract_cube"), fm.Dense(1)], X, y, backend)


@names("register_loss")
def test_own_losses(name: str, backend: str, X: np.ndarray, y: np.ndarray) -> None:
    assert_takes(fm.register_loss, name=REQUIRED, forward=REQUIRED, derivative=None)
    fm.register_loss("contract_fourth", lambda p, y: (p - y) ** 4, lambda p, y: 4 * (p - y) ** 3)
    trained([fm.Dense(1)], X, y, backend, loss="contract_fourth")


@names("exp", "log", "tanh", "erf")
def test_math(name: str) -> None:
    assert getattr(fm.math, name)(0.5) == pytest.approx(getattr(math, name)(0.5))


# Layers

LAYERS: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "Dense": (
        [fm.Dense(3, "tanh", "he", False, 0.1, 0.2), fm.Dense(1)],
        {
            "units": REQUIRED,
            "activation": "linear",
            "initializer": "auto",
            "use_bias": True,
            "l1": 0.0,
            "l2": 0.0,
        },
    ),
    "BatchNorm": ([fm.BatchNorm(), fm.Dense(1)], {"momentum": 0.1, "epsilon": 1e-5}),
    "Dropout": ([fm.Dropout(0.5), fm.Dense(1)], {"rate": REQUIRED}),
    "Activation": ([fm.Activation("tanh"), fm.Dense(1)], {"name": REQUIRED}),
    "Residual": (
        [
            fm.Residual([fm.Dense(4, "relu")]),
            fm.Residual([fm.Dense(2)], [fm.Dense(2)]),
            fm.Dense(1),
        ],
        {"layers": REQUIRED, "shortcut": None},
    ),
    "Branch": (
        [
            fm.Branch([fm.Dense(3)], [], [fm.Dense(2, "tanh")], merge="concat"),
            fm.Branch([fm.Dense(3)], [fm.Dense(3)], merge="add"),
            fm.Dense(1),
        ],
        {"paths": REQUIRED, "merge": "concat"},
    ),
    "Embedding": (
        [fm.Embedding(3, 2, 1), fm.Embedding(5, 1, 3), fm.Dense(1)],
        {"n_categories": REQUIRED, "dim": REQUIRED, "column": REQUIRED},
    ),
    "WideAndDeep": (
        [fm.WideAndDeep(1, deep=[fm.Dense(3, "relu")], wide=[0, 2], deep_columns=[1, 2])],
        {
            "units": REQUIRED,
            "activation": "linear",
            "deep": (),
            "wide": None,
            "deep_columns": None,
            "wide_optimizer": None,
        },
    ),
}


@names(*LAYERS)
def test_layers(name: str, backend: str, X: np.ndarray, y: np.ndarray, tmp_path: Path) -> None:
    layers, expected = LAYERS[name]
    found = defaults(getattr(fm, name))
    assert list(found) == list(expected)
    if name != "WideAndDeep":
        assert found == expected
    else:
        assert {**found, "deep": ()} == expected
    if name == "Embedding":
        X = np.floor(np.abs(X)) % 3
    model = trained(layers, X, y, backend)
    assert model.predict(X).shape == (ROWS, 1)
    model.save(tmp_path / "model.safetensors")
    loaded = fm.load(tmp_path / "model.safetensors")
    np.testing.assert_allclose(loaded.predict(X), model.predict(X), rtol=1e-9)


@pytest.mark.parametrize("layers", LAYERS)
def test_backends_agree(layers: str, X: np.ndarray, y: np.ndarray) -> None:
    pytest.importorskip("numba")
    if layers == "Embedding":
        X = np.floor(np.abs(X)) % 3
    results = [trained(LAYERS[layers][0], X, y, backend).predict(X) for backend in BACKENDS]
    np.testing.assert_allclose(results[0], results[1], rtol=1e-9, atol=1e-9)


def test_wide_and_deep_takes_two_inputs(backend: str, X: np.ndarray, y: np.ndarray) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    wide = (X > 1).astype(float)
    layer = fm.WideAndDeep(1, deep=[fm.Dense(3, "relu")], wide_optimizer=fm.Ftrl(l1=0.1))
    dense = trained([layer], (wide, X), y, backend).predict((wide, X))
    stored = sparse.csr_matrix(wide)
    np.testing.assert_allclose(
        trained([layer], (stored, X), y, backend).predict((stored, X)), dense, rtol=1e-9
    )
    model = model_of([layer], backend).build((4, 4))
    assert {"0.weight", "0.wide_weight", "0.bias", "0.0.weight", "0.0.bias"} == set(
        model.parameters
    )


INITIALIZERS: dict[str, Callable[[int, int], float]] = {
    "he": lambda n_in, n_out: math.sqrt(2 / n_in),
    "he_uniform": lambda n_in, n_out: math.sqrt(2 / n_in),
    "glorot": lambda n_in, n_out: math.sqrt(2 / (n_in + n_out)),
    "xavier": lambda n_in, n_out: math.sqrt(2 / (n_in + n_out)),
    "glorot_normal": lambda n_in, n_out: math.sqrt(2 / (n_in + n_out)),
    "lecun_normal": lambda n_in, n_out: math.sqrt(1 / n_in),
    "random": lambda n_in, n_out: 0.01,
    "zeros": lambda n_in, n_out: 0.0,
}


@names(*INITIALIZERS)
def test_initializers(name: str, backend: str) -> None:
    model = model_of([fm.Dense(200, initializer=name), fm.Dense(1)], backend).build(80)
    deviation = model.parameters["0.weight"].std()
    assert deviation == pytest.approx(INITIALIZERS[name](80, 200), rel=0.03)
    assert not model.parameters["0.bias"].any()


AUTO = {
    **dict.fromkeys(("relu", "leaky_relu", "elu", "gelu", "silu", "mish", "softplus"), "he"),
    "selu": "lecun_normal",
    **dict.fromkeys(("tanh", "sigmoid", "softmax", "linear", "exp"), "glorot"),
}


@names(*AUTO)
def test_auto_initializers(name: str) -> None:
    expected = INITIALIZERS[AUTO[name]](80, 200)
    for layers in (
        [fm.Dense(200, name)],
        [fm.Dense(200), fm.Activation(name)],
        [fm.Dense(200), fm.BatchNorm(), fm.Activation(name)],
    ):
        model = model_of([*layers, fm.Dense(1)], "numpy").build(80)
        assert model.parameters["0.weight"].std() == pytest.approx(expected, rel=0.03)


# Optimizers and schedules

OPTIMIZERS: dict[str, dict[str, Any]] = {
    "SGD": {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False},
    "RMSprop": {"learning_rate": 1e-3, "rho": 0.9},
    "Adam": {"learning_rate": 1e-3, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8},
    "AdamW": {
        "learning_rate": 1e-3,
        "beta_1": 0.9,
        "beta_2": 0.999,
        "epsilon": 1e-8,
        "weight_decay": 0.01,
    },
    "AdaGrad": {"learning_rate": 0.01},
    "Nadam": {"learning_rate": 2e-3},
    "Ftrl": {"learning_rate": 0.1, "l1": 0.0, "l2": 0.0, "beta": 1.0},
}


@names(*OPTIMIZERS)
def test_optimizers(name: str, backend: str, X: np.ndarray, y: np.ndarray) -> None:
    kind = getattr(fm, name)
    assert_takes(kind, **OPTIMIZERS[name])
    assert {"clip_value": None, "clip_norm": None}.items() <= defaults(kind).items()
    by_name = trained([fm.Dense(1)], X, y, backend, optimizer=name.lower())
    by_object = trained([fm.Dense(1)], X, y, backend, optimizer=kind())
    clipped = trained(
        [fm.Dense(1)], X, y, backend, optimizer=kind(0.01, clip_value=0.01, clip_norm=0.005)
    )
    weights = [m.parameters["0.weight"] for m in (by_name, by_object, clipped)]
    np.testing.assert_array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[1], weights[2])


def test_momentum_is_a_name(backend: str, X: np.ndarray, y: np.ndarray) -> None:
    by_name = trained([fm.Dense(1)], X, y, backend, optimizer="momentum")
    by_object = trained([fm.Dense(1)], X, y, backend, optimizer=fm.SGD(momentum=0.9))
    np.testing.assert_array_equal(by_name.parameters["0.weight"], by_object.parameters["0.weight"])


SCHEDULES: dict[str, tuple[dict[str, Any], tuple[Any, ...], list[float] | None]] = {
    "ExponentialDecay": (
        {"initial": REQUIRED, "rate": REQUIRED},
        (0.1, 0.5),
        [0.1, 0.05, 0.025, 0.0125],
    ),
    "InverseTimeDecay": (
        {"initial": REQUIRED, "rate": REQUIRED},
        (0.1, 1.0),
        [0.1, 0.05, 0.1 / 3, 0.025],
    ),
    "StepDecay": (
        {"initial": REQUIRED, "rate": REQUIRED, "every": REQUIRED},
        (0.1, 0.5, 2),
        [0.1, 0.1, 0.05, 0.05],
    ),
    "CosineDecay": (
        {"initial": REQUIRED, "epochs": REQUIRED, "final": 0.0},
        (0.1, 4),
        [0.1 * (1 + math.cos(math.pi * epoch / 4)) / 2 for epoch in range(4)],
    ),
    "OneCycle": ({"maximum": REQUIRED, "epochs": REQUIRED}, (0.1, 4), None),
    "ReduceOnPlateau": (
        {"initial": REQUIRED, "factor": 0.1, "patience": 10, "minimum": 0.0, "monitor": "loss"},
        (0.1,),
        [0.1] * 4,
    ),
}


@names(*SCHEDULES)
def test_schedules(name: str, backend: str, X: np.ndarray, y: np.ndarray) -> None:
    expected, arguments, rates = SCHEDULES[name]
    assert_takes(getattr(fm, name), **expected)
    optimizer = fm.SGD(getattr(fm, name)(*arguments))
    model = trained([fm.Dense(1)], X, y, backend, epochs=4, optimizer=optimizer)
    found = model.history["learning_rate"]
    assert len(found) == 4
    if rates is not None:
        assert found == pytest.approx(rates)
    else:
        assert max(found) <= 0.1
        assert found[-1] < found[0]


# Fit and what it leaves behind

FIT = {
    "X": REQUIRED,
    "y": None,
    "epochs": 10,
    "batch_size": 64,
    "validation_data": None,
    "validation_split": 0.0,
    "sample_weight": None,
    "class_weight": None,
    "shuffle": True,
    "callbacks": (),
    "verbose": 1,
}
METHODS: dict[str, dict[str, Any]] = {
    "build": {"n_features": REQUIRED},
    "fit": FIT,
    "predict": {"X": REQUIRED},
    "predict_classes": {"X": REQUIRED},
    "evaluate": {"X": REQUIRED, "y": REQUIRED},
    "train_step": {"X": REQUIRED, "y": REQUIRED},
    "summary": {},
    "save": {"path": REQUIRED},
    "reset": {},
    "gradients": {"X": REQUIRED, "y": REQUIRED, "sample_weight": None, "training": True},
    "activations": {"X": REQUIRED, "training": False},
    "explain": {"x": REQUIRED, "y": None},
}


@names(*METHODS)
def test_methods(name: str) -> None:
    assert_takes(getattr(fm.Sequential, name), **METHODS[name])


def test_sequential() -> None:
    assert_takes(
        fm.Sequential,
        layers=REQUIRED,
        loss="auto",
        optimizer="adam",
        dtype="float32",
        backend="auto",
        random_state=None,
        n_threads="auto",
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_threads", ["auto", 1, 2])
def test_dtypes_and_threads(
    dtype: str, n_threads: Any, backend: str, X: np.ndarray, y: np.ndarray
) -> None:
    model = trained([fm.Dense(3), fm.Dense(1)], X, y, backend, dtype=dtype, n_threads=n_threads)
    assert model.predict(X).dtype == dtype
    assert model.parameters["0.weight"].dtype == dtype


def test_any_backend(X: np.ndarray, y: np.ndarray) -> None:
    trained([fm.Dense(1)], X, y, "auto")
    with pytest.raises(ValueError, match="numba"):
        model_of([fm.Dense(1)], "torch")


def test_fit(backend: str, X: np.ndarray) -> None:
    labels = np.where(X[:, 0] > 0, "yes", "no")
    model = model_of([fm.Dense(3, "relu"), fm.Dense(2, "softmax")], backend)
    history = model.fit(
        X,
        labels,
        epochs=3,
        batch_size=None,
        validation_split=0.2,
        sample_weight=np.ones(ROWS),
        class_weight={"yes": 2.0, "no": 1.0},
        shuffle=False,
        callbacks=[],
        verbose=0,
    )
    expected = {"loss", "accuracy", "val_loss", "val_accuracy", "seconds", "learning_rate"}
    assert set(history.keys()) == expected
    assert all(len(history[name]) == 3 for name in expected)
    assert list(history.epochs) == [0, 1, 2]
    further = model.fit(X, labels, epochs=2, validation_data=(X, labels), verbose=0)
    assert len(further["loss"]) == 2
    assert len(model.history["loss"]) == 5
    model.fit(X, labels, epochs=1, class_weight="balanced", verbose=0)
    assert set(model.predict_classes(X)) <= {"yes", "no"}
    np.testing.assert_allclose(model.predict(X).sum(axis=1), 1.0)


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_verbose(
    verbose: int, X: np.ndarray, y: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    model_of([fm.Dense(1)], "numpy").fit(X, y, epochs=20, verbose=verbose)
    printed = capsys.readouterr()
    lines = len((printed.out + printed.err).splitlines())
    # The first epoch has a line beside the ten.
    assert lines == {0: 0, 1: 11, 2: 20}[verbose]


def test_chunks(backend: str, X: np.ndarray, y: np.ndarray) -> None:
    chunks = [(X[start : start + 7], y[start : start + 7]) for start in range(0, ROWS, 7)]
    model = model_of([fm.Dense(1)], backend)
    history = model.fit(chunks, epochs=3, batch_size=4, verbose=0)
    assert history["loss"][-1] < history["loss"][0]


def test_history_files(X: np.ndarray, y: np.ndarray, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib").use("agg")
    history = trained([fm.Dense(1)], X, y, "numpy").history
    history.to_csv(tmp_path / "history.csv")
    history.to_json(tmp_path / "history.json")
    history.plot(path=tmp_path / "history.png")
    header = (tmp_path / "history.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert "loss" in header
    assert json.loads((tmp_path / "history.json").read_text(encoding="utf-8"))
    assert (tmp_path / "history.png").stat().st_size > 0


CLASSIFICATION = {"loss", "accuracy", "precision", "recall", "f1", "roc_auc", "log_loss"}
MACRO = {"precision_macro", "recall_macro", "f1_macro"}
REGRESSION = {"loss", "mse", "rmse", "mae", "r2", "explained_variance", "pearson_r"}


@pytest.mark.parametrize(
    ("activation", "units", "expected"),
    [
        ("sigmoid", 1, CLASSIFICATION),
        ("softmax", 3, CLASSIFICATION | MACRO),
        ("linear", 1, REGRESSION),
    ],
)
def test_evaluate(
    activation: str, units: int, expected: set[str], backend: str, X: np.ndarray
) -> None:
    pytest.importorskip("sklearn")
    y = target(activation, "", X)
    scores = trained([fm.Dense(units, activation)], X, y, backend).evaluate(X, y)
    assert expected <= scores.keys()
    assert all(type(score) is float and math.isfinite(score) for score in scores.values())


def test_shapes(backend: str, X: np.ndarray) -> None:
    columns = (X[:, :3] > 0).astype(int)
    model = trained([fm.Dense(3, "sigmoid")], X, columns, backend)
    assert model.predict(X).shape == (ROWS, 3)
    assert set(model.predict_classes(X).ravel()) <= {0, 1}
    one_hot = np.eye(3)[target("softmax", "", X)]
    model = trained([fm.Dense(3, "softmax")], X, one_hot, backend)
    assert model.predict_classes(X).shape == (ROWS,)
    assert set(model.predict_classes(X)) <= {0, 1, 2}
    model = trained([fm.Dense(1)], X, X[:, :1], backend)
    assert model.predict(X).shape == (ROWS, 1)


def test_views_and_copies(backend: str, X: np.ndarray, y: np.ndarray) -> None:
    layers = [fm.Dense(3), fm.BatchNorm(), fm.Residual([fm.Dense(3, "tanh")]), fm.Dense(1)]
    model = model_of(layers, backend).build(FEATURES)
    assert list(model.parameters) == [
        *("0.weight", "0.bias", "1.gamma", "1.beta", "2.0.weight", "2.0.bias"),
        *("3.weight", "3.bias"),
    ]
    assert list(model.buffers) == ["1.running_mean", "1.running_var"]
    assert model.parameters["0.weight"].shape == (FEATURES, 3)
    assert model.parameters["0.bias"].shape == (3,)
    weight, before = model.parameters["0.weight"], model.parameters["0.weight"].copy()
    gradients = model.gradients(X, y)
    assert list(gradients) == list(model.parameters)
    assert {"0.preactivation", "0.output", "3.output"} <= model.activations(X).keys()
    loss = model.train_step(X, y)
    assert type(loss) is float
    assert not np.array_equal(weight, before)
    model.fit(X, y, epochs=1, verbose=0)
    model.reset()
    np.testing.assert_array_equal(weight, before)
    weight[...] = 0.0
    assert not model.parameters["0.weight"].any()


def test_summary(capsys: pytest.CaptureFixture[str]) -> None:
    text = model_of([fm.Dense(3, "relu"), fm.Dense(1)], "numpy").build(2).summary()
    assert text in capsys.readouterr().out
    assert "13" in text


def test_files(backend: str, X: np.ndarray, y: np.ndarray, tmp_path: Path) -> None:
    model = trained([fm.Dense(3, "tanh"), fm.Dense(1)], X, y, backend)
    path = tmp_path / "model.safetensors"
    model.save(path)
    loaded = fm.load(path, backend=backend)
    for one in (model, loaded):
        one.fit(X, y, epochs=1, verbose=0)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    path.write_bytes(b"no model")
    with pytest.raises(fm.ModelFileError):
        fm.load(path)
    assert issubclass(fm.ModelFileError, ValueError)


def test_divergence(backend: str, X: np.ndarray, y: np.ndarray) -> None:
    assert issubclass(fm.DivergenceError, ValueError)
    with pytest.raises(fm.DivergenceError):
        model_of([fm.Dense(1)], backend, optimizer=fm.SGD(1e200)).fit(X, y, verbose=0)


def test_from_spec(backend: str, X: np.ndarray) -> None:
    labels = (X[:, 0] > 0).astype(int)
    assert_takes(fm.Sequential.from_spec, spec=REQUIRED, l1=0, l2=0, initializer="auto")
    settings: dict[str, Any] = {"random_state": 0, "backend": backend, "dtype": "float64"}
    flat = fm.Sequential.from_spec([4, 8, "relu", 3, 1, "sigmoid"], l2=0.1, **settings)
    layers = [fm.Dense(8, "relu", l2=0.1), fm.Dense(3, l2=0.1), fm.Dense(1, "sigmoid", l2=0.1)]
    same = fm.Sequential(layers, **settings)
    losses = [m.fit(X, labels, epochs=2, verbose=0)["loss"] for m in (flat, same)]
    assert losses[0] == losses[1]
    spec = [(4, False, None, 1.0), (8, True, "relu", 0.8), (1, False, "sigmoid", 1.0)]
    tuples = fm.Sequential.from_spec(spec, **settings)
    layers = [
        *(fm.Dense(8), fm.BatchNorm(), fm.Activation("relu"), fm.Dropout(0.2)),
        fm.Dense(1, "sigmoid"),
    ]
    losses = [
        m.fit(X, labels, epochs=2, verbose=0)["loss"]
        for m in (tuples, fm.Sequential(layers, **settings))
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)
    with pytest.raises(ValueError, match="4"):
        flat.fit(X[:, :3], labels, verbose=0)


# Callbacks


def callbacks(folder: Path) -> Mapping[str, Callable[[], Any]]:
    return {
        "EarlyStopping": lambda: fm.EarlyStopping("loss", patience=1, min_delta=1e9),
        "ModelCheckpoint": lambda: fm.ModelCheckpoint(folder / "checkpoint.safetensors", every=1),
        "ProgressBar": lambda: fm.ProgressBar(),
        "CSVLogger": lambda: fm.CSVLogger(folder / "log.csv"),
        "LambdaCallback": lambda: fm.LambdaCallback(on_epoch_end=lambda model, epoch, logs: None),
        "Recorder": lambda: fm.Recorder(arrays=False),
        "Callback": lambda: fm.Callback(),
    }


@names(
    *("EarlyStopping", "ModelCheckpoint", "ProgressBar", "CSVLogger", "LambdaCallback"),
    *("Recorder", "Callback"),
)
def test_callbacks(name: str, backend: str, X: np.ndarray, y: np.ndarray, tmp_path: Path) -> None:
    if name == "ProgressBar":
        pytest.importorskip("tqdm")
    model = model_of([fm.Dense(1)], backend)
    history = model.fit(X, y, epochs=4, callbacks=[callbacks(tmp_path)[name]()], verbose=0)
    assert len(history["loss"]) == (2 if name == "EarlyStopping" else 4)
    written = {"ModelCheckpoint": "checkpoint.safetensors", "CSVLogger": "log.csv"}
    if name in written:
        assert (tmp_path / written[name]).stat().st_size > 0


@names("EarlyStopping", "ModelCheckpoint", "Recorder")
def test_arguments_of_callbacks(name: str) -> None:
    expected: dict[str, dict[str, Any]] = {
        "EarlyStopping": {
            "monitor": "val_loss",
            "patience": 10,
            "min_delta": 0.0,
            "restore_best": True,
            "mode": "auto",
        },
        "ModelCheckpoint": {"path": REQUIRED, "every": 1},
        "Recorder": {"arrays": False},
    }
    assert_takes(getattr(fm, name), **expected[name])


def test_early_stopping_needs_what_it_monitors(X: np.ndarray, y: np.ndarray) -> None:
    with pytest.raises(ValueError, match="monitor='loss'|monitor=\"loss\""):
        model_of([fm.Dense(1)], "numpy").fit(X, y, callbacks=[fm.EarlyStopping()], verbose=0)


@names("Recorder")
def test_recorder(name: str, backend: str, X: np.ndarray, y: np.ndarray) -> None:
    for arrays in (False, True):
        recorder = fm.Recorder(arrays=arrays)
        model = model_of([fm.Dense(3, "tanh"), fm.Dense(1)], backend)
        model.fit(X, y, epochs=3, callbacks=[recorder], verbose=0)
        assert len(recorder.weights["0.weight"]) == 3
        assert len(recorder.gradients["0.weight"]) == 3
        assert len(recorder.activations["0.output"]) == 3


def test_methods_of_callbacks(backend: str, X: np.ndarray, y: np.ndarray) -> None:
    calls: list[Any] = []

    class Log(fm.Callback):
        def on_fit_begin(self, model: Any) -> None:
            calls.append("fit begins")

        def on_epoch_begin(self, model: Any, epoch: int) -> None:
            calls.append(epoch)

        def on_epoch_end(self, model: Any, epoch: int, logs: dict[str, float]) -> None:
            calls.append(sorted(logs.keys() & {"loss", "learning_rate"}))
            model.stop_training = epoch == 1

        def on_fit_end(self, model: Any) -> None:
            calls.append("fit ends")

    model_of([fm.Dense(1)], backend).fit(X, y, epochs=5, callbacks=[Log()], verbose=0)
    logged = ["learning_rate", "loss"]
    assert calls == ["fit begins", 0, logged, 1, logged, "fit ends"]


@names("resume")
def test_resume(name: str, backend: str, X: np.ndarray, y: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"

    class Crash(fm.Callback):
        def on_epoch_end(self, model: Any, epoch: int, logs: dict[str, float]) -> None:
            if epoch == 1:
                raise RuntimeError("the power failed")

    whole = model_of([fm.Dense(1)], backend)
    whole.fit(X, y, epochs=4, batch_size=10, verbose=0)
    broken = model_of([fm.Dense(1)], backend)
    with pytest.raises(RuntimeError, match="the power failed"):
        broken.fit(
            X,
            y,
            epochs=4,
            batch_size=10,
            callbacks=[fm.ModelCheckpoint(path), Crash()],
            verbose=0,
        )
    finished = fm.resume(path, X, y, backend=backend)
    np.testing.assert_array_equal(finished.predict(X), whole.predict(X))


# Transparency


def plot(name: str, X: np.ndarray, y: np.ndarray, **where: Any) -> Any:
    """Draw one of the plots."""
    X, recorder = X[:, :2], fm.Recorder()
    model = model_of([fm.Dense(3, "tanh"), fm.Dense(1, "sigmoid")], "numpy")
    classes = (y > 0).astype(int)
    model.fit(X, classes, epochs=2, callbacks=[recorder], verbose=0)
    arguments: dict[str, tuple[Any, ...]] = {
        "plot_learning_curves": (model.history,),
        "plot_gradient_flow": (recorder,),
        "plot_activation_histograms": (model, X),
        "plot_activation_heatmap": (model, X),
        "plot_weights": (model,),
        "plot_decision_boundary": (model, X, classes),
        "plot_feature_response": (model, X, 0),
        "plot_confusion_matrix": (model, X, classes),
        "plot_predictions": (y, y + 0.1),
    }
    return getattr(fm, name)(*arguments[name], **where)


@names(
    *("plot_learning_curves", "plot_gradient_flow", "plot_activation_histograms"),
    *("plot_activation_heatmap", "plot_weights", "plot_decision_boundary"),
    *("plot_feature_response", "plot_confusion_matrix", "plot_predictions"),
)
def test_plots(name: str, X: np.ndarray, y: np.ndarray) -> None:
    pytest.importorskip("matplotlib").use("agg")
    from matplotlib import pyplot
    from matplotlib.axes import Axes

    _, given = pyplot.subplots()
    try:
        assert plot(name, X, y, ax=given) is given
        own = plot(name, X, y)
        assert isinstance(own, Axes)
        assert own is not given
    finally:
        pyplot.close("all")


@names("explain")
def test_explain(name: str, backend: str, X: np.ndarray, y: np.ndarray) -> None:
    model = trained([fm.Dense(3, "relu"), fm.Dense(1)], X, y, backend)
    assert str(model.explain(X[0]))
    assert str(model.explain(X[0], y[0]))


@names("check_gradients")
def test_check_gradients(name: str, backend: str, X: np.ndarray, y: np.ndarray) -> None:
    assert_takes(fm.check_gradients, model=REQUIRED, X=REQUIRED, y=REQUIRED)
    model = trained([fm.Dense(3, "tanh"), fm.Dense(1)], X, y, backend)
    assert fm.check_gradients(model, X, y).ok


@names("find_learning_rate")
def test_find_learning_rate(name: str, backend: str, X: np.ndarray, y: np.ndarray) -> None:
    assert_takes(fm.find_learning_rate, model=REQUIRED, X=REQUIRED, y=REQUIRED)
    fm.find_learning_rate(model_of([fm.Dense(3, "tanh"), fm.Dense(1)], backend), X, y)


@names("CrossedColumns")
def test_crossed_columns(name: str, backend: str, X: np.ndarray, y: np.ndarray) -> None:
    pytest.importorskip("scipy")
    crossed = getattr(fm.preprocessing, name)([(0, 1)], n_buckets=16, bins={0: 3, 1: 3})
    wide = crossed.fit_transform(X)
    assert wide.shape == (ROWS, 16)
    trained([fm.WideAndDeep(1, deep=[fm.Dense(3, "relu")])], (wide, X), y, backend)


@names("warmup", "load", "resume")
def test_functions(name: str) -> None:
    assert callable(getattr(fm, name))


# Prediction without training code


def predicting(backend: str) -> tuple[fm.Sequential, np.ndarray]:
    X = np.random.default_rng(0).normal(size=(60, 4)).astype("float32")
    layers = [fm.Dense(8, activation="relu"), fm.BatchNorm(), fm.Dense(3, activation="softmax")]
    model = fm.Sequential(layers, backend=backend, random_state=0)
    model.fit(X, np.array(["a", "b", "c"])[np.arange(60) % 3], epochs=1, verbose=0)
    return model, X


def test_predictors(backend: str, tmp_path: Path) -> None:
    model, X = predicting(backend)
    predictor = model.freeze(scaler=None)
    assert predictor(X).shape == (60, 3)
    out = np.zeros(3, "float32")
    assert predictor(X[0], out=out) is out
    assert np.array_equal(predictor.predict_classes(X), model.predict_classes(X))
    predictor.save(tmp_path / "p.safetensors")
    model.save(tmp_path / "m.safetensors")
    assert defaults(fm.load_predictor)["backend"] == "numpy"
    for name in ("p", "m"):
        loaded = fm.load_predictor(tmp_path / f"{name}.safetensors", backend=backend)
        assert np.allclose(loaded(X), model.predict(X), rtol=0, atol=1e-6)
    with pytest.raises(fm.ModelFileError, match="load_predictor"):
        fm.load(tmp_path / "p.safetensors")


def test_exports(backend: str, tmp_path: Path) -> None:
    model, X = predicting(backend)
    predictor = model.freeze()
    predictor.export_c(tmp_path / "model.h", prefix="net")
    text = (tmp_path / "model.h").read_text()
    assert "int net_predict(const float *x, float *y, float *scratch)" in " ".join(text.split())
    for name in ("NET_N_FEATURES 4", "NET_N_OUTPUTS 3", "NET_SCRATCH ", "net_labels[", '"b"'):
        assert name in text
    predictor.export_python(tmp_path / "model.py")
    scope: dict[str, Any] = {"__name__": "model", "__file__": str(tmp_path / "model.py")}
    exec((tmp_path / "model.py").read_text(), scope)
    assert np.allclose(scope["predict"](X), model.predict(X), rtol=0, atol=1e-6)
    onnx = pytest.importorskip("onnx")
    predictor.export_onnx(tmp_path / "model.onnx")
    onnx.checker.check_model(tmp_path / "model.onnx")


# Kernels

KERNELS: dict[str, tuple[str, ...]] = {
    "dense_forward": ("x", "weight", "bias", "activation"),
    "dense_backward": ("d_out", "x", "weight", "z", "out", "activation"),
    "batchnorm_forward": (
        *("x", "gamma", "beta", "running_mean", "running_var", "momentum", "epsilon", "training"),
    ),
    "batchnorm_backward": ("d_out", "x_hat", "inv_std", "gamma"),
    "dropout_forward": ("x", "rate", "seed", "step", "layer"),
    "softmax_cross_entropy": ("logits", "y", "sample_weight", "label_smoothing"),
    "sigmoid_cross_entropy": ("logits", "y", "sample_weight", "label_smoothing"),
    "mean_squared_error": ("prediction", "y", "sample_weight"),
    "adam_update": (
        *("parameters", "gradients", "m", "v", "step", "learning_rate"),
        *("beta_1", "beta_2", "epsilon"),
    ),
    "adamw_update": ("parameters", "gradients"),
    "sgd_update": ("parameters", "gradients"),
    "rmsprop_update": ("parameters", "gradients"),
    "adagrad_update": ("parameters", "gradients"),
    "nadam_update": ("parameters", "gradients"),
    "ftrl_update": ("parameters", "gradients"),
}


@names(*KERNELS)
def test_kernels(name: str, backend: str) -> None:
    assert backend in kernels.available_backends()
    found = list(defaults(getattr(kernels.get_backend(backend), name)))
    assert tuple(found[: len(KERNELS[name])]) == KERNELS[name]


def calls(k: Any, rng: np.random.Generator) -> Iterator[tuple[Any, int]]:
    """A call of each fixed kernel, and how many results it gives."""
    x, weight, bias = rng.normal(size=(5, 4)), rng.normal(size=(4, 3)), rng.normal(size=3)
    out, z = k.dense_forward(x, weight, bias, "tanh")
    yield (out, z), 2
    yield k.dense_backward(out, x, weight, z, out, "tanh"), 3
    ones, zeros = np.ones(4), np.zeros(4)
    _, x_hat, inv_std = k.batchnorm_forward(
        x, ones, zeros, zeros.copy(), ones.copy(), 0.1, 1e-5, True
    )
    yield k.batchnorm_backward(x, x_hat, inv_std, ones), 3
    yield k.dropout_forward(x, 0.5, 1, 2, 3), 2
    y = np.eye(4)[rng.integers(0, 4, 5)]
    for name in ("softmax_cross_entropy", "sigmoid_cross_entropy", "mean_squared_error"):
        yield getattr(k, name)(x, y), 2
    flat = [np.ones(6) for _ in range(4)]
    k.adam_update(*flat, 1, 1e-3, 0.9, 0.999, 1e-8)
    assert (flat[0] < 1).all()


def test_kernels_on_plain_arrays(backend: str) -> None:
    for results, count in calls(kernels.get_backend(backend), np.random.default_rng(0)):
        assert len(results) == count


def test_kernels_with_out(backend: str) -> None:
    k = kernels.get_backend(backend)
    x, out = np.ones((2, 3)), np.zeros((2, 2))
    assert k.dense_forward(x, np.ones((3, 2)), np.zeros(2), "linear", out=out)[0] is out
    np.testing.assert_array_equal(out, 3.0)
