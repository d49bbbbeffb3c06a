"""A valid call of everything public, argument by argument: what bad values are put into.

`public` finds what there is by introspection. A call needs only the arguments without a default;
the others are found in the signature, so that a new one is tried by itself.
"""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import fastmlp as fm

# Methods of extensions, which the library calls with its own objects and nobody else does.
CALLED_BY_THE_LIBRARY = {
    *(name for name in dir(fm.Callback) if name.startswith("on_")),
    *("build", "observe", "rates", "start", "factor", "formulas", "goes_with", "smoothed"),
    *("with_parameter", "check_monitor", "check_names", "take_up"),
}
ESTIMATORS = ("MLPClassifier", "MLPRegressor", "TabularClassifier", "TabularRegressor")

_RNG = np.random.default_rng(0)
X = _RNG.normal(size=(24, 3)).astype("f4")
LABELS = np.arange(24) % 3
NUMBERS = X.sum(axis=1)


def public() -> dict[str, Callable[..., Any]]:
    """Every public function, class and method that takes an argument, by name."""
    return {name: found for name, found in _walk() if arguments_of(found)}


def arguments_of(function: Callable[..., Any]) -> list[str]:
    """The arguments of a function, but ``self`` and those that pass through."""
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    given = inspect.signature(function).parameters.values()
    return [each.name for each in given if each.kind not in kinds and each.name != "self"]


def _walk() -> Iterator[tuple[str, Callable[..., Any]]]:
    for name in (*fm.__all__, *ESTIMATORS):
        value = getattr(fm, name)
        if inspect.ismodule(value):
            for inner in value.__all__:
                yield f"{name}.{inner}", getattr(value, inner)
        elif inspect.isclass(value) and not issubclass(value, BaseException):
            yield name, value
            for method in dir(value):
                function = inspect.getattr_static(value, method)
                function = getattr(function, "__func__", function)
                # scikit-learn wraps methods that only some settings have.
                function = getattr(function, "fn", function)
                is_own = inspect.isfunction(function) and function.__module__.startswith("fastmlp")
                if is_own and method[0] != "_" and method not in CALLED_BY_THE_LIBRARY:
                    yield f"{name}.{method}", getattr(value, method)
        elif inspect.isroutine(value):
            yield name, value


@dataclass
class Valid:
    """A call that works: its function, the arguments it needs, and what it could change."""

    function: Callable[..., Any]
    arguments: dict[str, Any] = field(default_factory=dict)
    model: Any = None


Make = Callable[[Path], Valid]
VALID: dict[str, Make] = {}


def _declared(name: str, /, **arguments: Any) -> None:
    VALID[name] = lambda folder: Valid(getattr(fm, name), copy.deepcopy(arguments))


for _name in (
    *("AdaGrad", "Adam", "AdamW", "Ftrl", "Nadam", "RMSprop", "SGD", "BatchNorm", "ELU"),
    *("BinaryCrossentropy", "CategoricalCrossentropy", "CosLog", "EarlyStopping", "FlatAnneal"),
    *("FlatCosine", "HalfSquaredError", "Huber", "LambdaCallback", "LeakyReLU", "MAE", "MSE"),
    *("PeriodicEmbedding", "PiecewiseLinearEmbedding", "Poisson", "PoissonDeviance", "Quantile"),
    *("Recorder", "Scale"),
):
    _declared(_name)
_declared("Activation", name="relu")
_declared("Clip", low=-1.0, high=1.0)
_declared("Constant", rate=0.1)
_declared("CosineDecay", initial=0.1, epochs=3)
_declared("Dense", units=3)
_declared("Dropout", rate=0.1)
_declared("Embedding", n_categories=3, dim=2, column=0)
_declared("ExponentialDecay", initial=0.1, rate=0.1)
_declared("InverseTimeDecay", initial=0.1, rate=0.1)
_declared("OneCycle", maximum=0.1, epochs=3)
_declared("ParametricActivation", name="leaky_relu")
_declared("ReduceOnPlateau", initial=0.1)
_declared("Residual", layers=[fm.Dense(3)])
_declared("StepDecay", initial=0.1, rate=0.1, every=2)
_declared("WideAndDeep", units=3, deep=[fm.Dense(2)])
_declared("CSVLogger", path="log.csv")
_declared("ModelCheckpoint", path="checkpoint")
_declared("Sequential", layers=[fm.Dense(3, "softmax")], backend="numpy")
for _name in ("get_backend", "check_backend"):
    VALID[f"kernels.{_name}"] = lambda folder, name=_name: Valid(
        getattr(fm.kernels, name), {"name": "numpy"}
    )


@functools.cache
def _fitted(kind: str) -> Any:
    model: Any
    if kind == "classes":
        layers = [fm.Dense(4, "tanh"), fm.BatchNorm(), fm.Dense(3, "softmax")]
        model = fm.Sequential(layers, backend="numpy", random_state=0)
        return model.fit(X, LABELS, epochs=2, verbose=0) and model
    if kind == "numbers":
        model = fm.Sequential([fm.Dense(1)], backend="numpy", random_state=0)
        return model.fit(X, NUMBERS, epochs=2, verbose=0) and model
    if kind == "predictor":
        return _fitted("classes").freeze()
    if kind == "int8":
        return _fitted("predictor").quantize(X)
    name = f"MLP{kind}"
    y = LABELS if kind == "Classifier" else NUMBERS
    arguments = {"hidden_layer_sizes": (4,), "max_iter": 20, "random_state": 0, "tol": 10.0}
    return getattr(fm, name)(**arguments, n_iter_no_change=1).fit(X, y)


def _method(kind: str, owner: str, name: str, /, **arguments: Any) -> None:
    def make(folder: Path) -> Valid:
        model = copy.deepcopy(_fitted(kind))
        given = {key: copy.deepcopy(value) for key, value in arguments.items()}
        if "path" in given:
            given["path"] = folder / given["path"]
        return Valid(getattr(model, name), given, model)

    VALID[f"{owner}.{name}"] = make


for _name in ("activations", "attributions", "predict", "predict_classes"):
    _method("classes", "Sequential", _name, X=X)
for _name in ("evaluate", "gradients", "train_step"):
    _method("classes", "Sequential", _name, X=X, y=LABELS)
_method("classes", "Sequential", "fit", X=X, y=LABELS, epochs=1, verbose=0)
_method("classes", "Sequential", "explain", x=X[0])
_method("classes", "Sequential", "save", path="model")
_method("classes", "Sequential", "freeze")
_method("predictor", "Predictor", "predict_classes", x=X)
_method("predictor", "Predictor", "quantize", X=X)
_method("predictor", "Predictor", "save", path="model")
_method("predictor", "Predictor", "export_c", path="model.c")
_method("predictor", "Predictor", "export_python", path="model.py")
_method("int8", "QuantizedPredictor", "predict_classes", x=X)
_method("int8", "QuantizedPredictor", "export_c", path="model.c")
for _kind in ("Classifier", "Regressor"):
    _owner, _y = f"MLP{_kind}", LABELS if _kind == "Classifier" else NUMBERS
    _method(_kind, _owner, "fit", X=X, y=_y)
    _method(_kind, _owner, "partial_fit", X=X, y=_y)
    for _name in ("predict", "predict_frame"):
        _method(_kind, _owner, _name, X=X)
for _name in ("predict_proba", "predict_log_proba"):
    _method("Classifier", "MLPClassifier", _name, X=X)


def _function(name: str, /, **arguments: Any) -> None:
    """A call of a function that takes a model, which it must not change where it refuses."""

    def make(folder: Path) -> Valid:
        given = {key: copy.deepcopy(value) for key, value in arguments.items()}
        given["model"] = copy.deepcopy(_fitted("classes"))
        return Valid(getattr(fm, name), given, given["model"])

    VALID[name] = make


_function("check_gradients", X=X, y=LABELS, max_elements=2)
_function("find_learning_rate", X=X, y=LABELS, steps=20)

_function("plot_activation_heatmap", X=X)
_function("plot_activation_histograms", X=X)
_function("plot_feature_response", X=X, feature=0)
_function("plot_weights")


def _with_history(folder: Path) -> Any:
    return copy.deepcopy(_fitted("classes").history)


def _of(name: str, maker: Callable[[Path], Any], /, **arguments: Any) -> None:
    """A method of an object that is made anew each time."""

    def make(folder: Path) -> Valid:
        given = {key: copy.deepcopy(value) for key, value in arguments.items()}
        if "path" in given:
            given["path"] = folder / given["path"]
        return Valid(getattr(maker(folder), name.partition(".")[2]), given)

    VALID[name] = make


_of("History.append", lambda folder: fm.History(), epoch=0, logs={"loss": 1.0})
_of("History.extend", lambda folder: fm.History(), other=_fitted("classes").history)
_of("History.from_dict", lambda folder: fm.History, data=_fitted("classes").history.to_dict())
_of("History.last", lambda folder: _fitted("classes").history, count=1)
_of("History.to_csv", _with_history, path="history.csv")
_of("History.to_json", _with_history, path="history.json")


def _table(folder: Path) -> Path:
    path = folder / "table.csv"
    rows = [f"{k % 5},{'ab'[k % 2]},{k % 3}" for k in range(24)]
    path.write_text("\n".join(["size,kind,label", *rows]) + "\n")
    return path


def _schema(folder: Path) -> Any:
    return fm.infer_schema(fm.read_table(_table(folder)), "label")


VALID["read_table"] = lambda folder: Valid(fm.read_table, {"path": _table(folder)})
VALID["infer_schema"] = lambda folder: Valid(
    fm.infer_schema, {"frame": fm.read_table(_table(folder))}
)
for _name in ("Schema.read", "Schema.to_json", "Schema.from_dict"):

    def _made(folder: Path, name: str = _name) -> Valid:
        schema = _schema(folder)
        arguments = {
            "Schema.read": {"table": fm.read_table(_table(folder))},
            "Schema.to_json": {"path": folder / "schema.json"},
            "Schema.from_dict": {"description": schema.to_dict()},
        }
        return Valid(getattr(schema, name.partition(".")[2]), dict(arguments[name]))

    VALID[_name] = _made


def _saved(folder: Path) -> Valid:
    _fitted("classes").save(folder / "model")
    return Valid(fm.load, {"path": folder / "model", "backend": "numpy"})


def _saved_predictor(folder: Path) -> Valid:
    _fitted("predictor").save(folder / "predictor")
    return Valid(fm.load_predictor, {"path": folder / "predictor"})


VALID["load"] = _saved
VALID["load_predictor"] = _saved_predictor
VALID["Sequential.set_weights"] = lambda folder: Valid(
    (model := copy.deepcopy(_fitted("classes"))).set_weights,
    {"snapshot": _fitted("classes").get_weights()},
    model,
)
for _kind, _y in (("Classifier", LABELS), ("Regressor", NUMBERS)):
    # Their settings are checked by fit, as scikit-learn wants it.
    VALID[f"MLP{_kind}"] = lambda folder, name=f"MLP{_kind}", y=_y: Valid(
        lambda **given: getattr(fm, name)(**given).fit(X, y),
        {"hidden_layer_sizes": (4,), "max_iter": 2, "random_state": 0},
    )

for _name in fm.math.__all__:
    VALID[f"math.{_name}"] = lambda folder, name=_name: Valid(
        getattr(fm.math, name), {next(iter(arguments_of(getattr(fm.math, name)))): X}
    )

# What is made of other libraries' objects, of files or of longer fits gets no bad values yet.
UNCALLED = frozenset(
    (
        "preprocessing.CrossedColumns",
        "Branch",
        "History.plot",
        "Predictor",
        "Predictor.export_onnx",
        "QuantizedPredictor",
        "Schema",
        "Schema.from_json",
        "Schema.read_columns",
        "Sequential.from_spec",
        "fit_many",
        "freeze",
        "from_keras",
        "from_onnx",
        "from_sklearn",
        "from_torch",
        "plot_confusion_matrix",
        "plot_decision_boundary",
        "plot_gradient_flow",
        "plot_importance",
        "plot_learning_curves",
        "plot_predictions",
        "register_activation",
        "register_loss",
        "resume",
        "warmup",
        "MLPClassifier.freeze",
        "MLPRegressor.freeze",
        "TabularClassifier",
        "TabularClassifier.attributions",
        "TabularClassifier.encode",
        "TabularClassifier.export_c",
        "TabularClassifier.export_onnx",
        "TabularClassifier.export_python",
        "TabularClassifier.fit",
        "TabularClassifier.predict",
        "TabularClassifier.predict_log_proba",
        "TabularClassifier.predict_proba",
        "TabularClassifier.save",
        "TabularClassifier.score",
        "TabularRegressor",
        "TabularRegressor.attributions",
        "TabularRegressor.encode",
        "TabularRegressor.export_c",
        "TabularRegressor.export_onnx",
        "TabularRegressor.export_python",
        "TabularRegressor.fit",
        "TabularRegressor.predict",
        "TabularRegressor.save",
        "TabularRegressor.score",
    )
)
