"""Networks in ONNX files as models, held against onnxruntime."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx_graphs import error, graph_of, network, node, onnx, run
from random_weights import TOLERANCE

import fastmlp as fm
from fastmlp.export.onnx.file import make_model
from fastmlp.kernels.typing import Array

RNG = np.random.default_rng(0)
SQUARE = RNG.normal(size=(4, 4)).astype(np.float32)
OTHER = RNG.normal(size=(4, 4)).astype(np.float32)
BIAS = RNG.normal(size=4).astype(np.float32)
DENSE = [node("Gemm", "x w b", "h")]
CONSTANTS = {"w": SQUARE, "v": OTHER, "b": BIAS}


def rows(n_features: int, dtype: str = "float32") -> Array:
    """Random rows, some far out."""
    X = np.random.default_rng(1).normal(size=(1000, n_features))
    X[::10] *= 10.0
    return X.astype(dtype)


def taken(model: Any, X: Array, output: str | None = None, **arguments: Any) -> fm.Sequential:
    """The model of a graph, whose outputs are those that onnxruntime gives."""
    found = run(model, X)
    expected = found[output] if output else next(iter(found.values()))
    made = fm.from_onnx(model, backend="numpy", **arguments)
    flat = X.reshape(len(X), -1)
    assert error(made.predict(flat), expected.reshape(len(X), -1)) < 1e-5
    assert error(made.freeze()(flat), expected.reshape(len(X), -1)) < 1e-5
    return made


def kinds(model: fm.Sequential) -> list[str]:
    return [type(layer).__name__ for layer in model.layers]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seed", range(30))
def test_what_was_exported_comes_back(seed: int, dtype: str, tmp_path: Path) -> None:
    model, X = network(seed, dtype)
    predictor = model.freeze()
    predictor.export_onnx(tmp_path / "model.onnx")
    back = fm.from_onnx(tmp_path / "model.onnx", backend="numpy")
    assert (back.dtype, back.training_state.encoder().task) == (dtype, predictor.task)
    assert error(back.predict(X), predictor(X)) < 30 * TOLERANCE[dtype]


@pytest.mark.parametrize(
    "classes",
    [
        np.array([3, 1, 2], np.int16),
        np.array([0, 1, 2]),
        np.array(["x", "ü", ""]),
        np.array([b"x", b"\xff", b"z"]),
        np.array(["2020-01-01", "2021-05-05", "1999-12-31"], "M8[D]"),
        np.array([0.1, 0.2, 0.7], np.float32),
    ],
    ids=lambda classes: str(classes.dtype),
)
@pytest.mark.parametrize("units", [1, 3])
def test_labels_come_back(classes: Array, units: int) -> None:
    known = classes[:2] if units == 1 else classes
    model = fm.Sequential([fm.Dense(units, "sigmoid" if units == 1 else "softmax")])
    model.fit(rows(4)[:60], known[np.arange(60) % len(known)], epochs=1, verbose=0)
    exported = make_model(model.freeze())
    back = fm.from_onnx(exported)
    assert back.classes is not None
    assert back.classes.dtype == model.classes.dtype
    np.testing.assert_array_equal(back.predict_classes(rows(4)), model.predict_classes(rows(4)))
    # Another library's file has them in its nodes alone.
    del exported.metadata_props[:]
    without = fm.from_onnx(exported).classes
    written = model.classes.astype(str) if classes.dtype.kind == "M" else model.classes
    if classes.dtype.kind == "S":
        written = np.char.decode(written, "latin-1")
    assert without.tolist() == written.tolist()


def test_two_inputs_come_back() -> None:
    layers = [
        fm.WideAndDeep(5, "silu", deep=[fm.Dense(6, "elu"), fm.BatchNorm(), fm.Dense(4, "relu")]),
        fm.Dense(2, "softmax"),
    ]
    model = fm.Sequential(layers, backend="numpy", random_state=1).build((3, 5))
    model.parameters["0.wide_weight"][...] = RNG.normal(size=(3, 5))
    X = (rows(3), rows(5))
    exported = make_model(model.freeze())
    back = fm.from_onnx(exported)
    assert kinds(back)[0] == "WideAndDeep"
    assert error(back.predict(X), model.predict(X)) < 1e-5
    assert error(back.predict(X), run(exported, *X)["probabilities"]) < 1e-5
    assert fm.from_onnx(exported, dtype="float64").dtype == "float64"


@pytest.mark.parametrize(
    ("name", "nodes", "constants"),
    [
        ("relu", [node("Max", "h zero", "y")], {"zero": 0.0}),
        ("relu", [node("Clip", "h zero", "y")], {"zero": 0.0}),
        ("relu", [node("PRelu", "h zero", "y")], {"zero": 0.0}),
        ("leaky_relu", [node("PRelu", "h s", "y")], {"s": 0.125}),
        ("leaky_relu", [node("Mul", "h s", "a"), node("Max", "h a", "y")], {"s": 0.3}),
        (
            "leaky_relu",
            [
                node("Greater", "h zero", "is"),
                node("Mul", "h s", "a"),
                node("Where", "is h a", "y"),
            ],
            {"zero": 0.0, "s": 0.02},
        ),
        (
            "elu",
            [
                node("Exp", "h", "e"),
                node("Sub", "e one", "m"),
                node("Mul", "m a", "n"),
                node("Less", "h zero", "is"),
                node("Where", "is n h", "y"),
            ],
            {"one": 1.0, "zero": 0.0, "a": 0.8},
        ),
        ("elu", [node("Celu", "h", "y")], {}),
        ("silu", [node("Sigmoid", "h", "s"), node("Mul", "s h", "y")], {}),
        (
            "silu",
            [
                node("Neg", "h", "n"),
                node("Exp", "n", "e"),
                node("Add", "e one", "d"),
                node("Div", "h d", "y"),
            ],
            {"one": 1.0},
        ),
        (
            "sigmoid",
            [
                node("Neg", "h", "n"),
                node("Exp", "n", "e"),
                node("Add", "one e", "d"),
                node("Div", "one d", "y"),
            ],
            {"one": 1.0},
        ),
        (
            "softplus",
            [node("Exp", "h", "e"), node("Add", "e one", "d"), node("Log", "d", "y")],
            {"one": 1.0},
        ),
        (
            "mish",
            [node("Softplus", "h", "s"), node("Tanh", "s", "t"), node("Mul", "h t", "y")],
            {},
        ),
        (
            "gelu",
            [
                node("Div", "h root", "a"),
                node("Erf", "a", "e"),
                node("Add", "e one", "c"),
                node("Mul", "h c", "d"),
                node("Mul", "d half", "y"),
            ],
            {"root": math.sqrt(2), "one": 1.0, "half": 0.5},
        ),
        (
            "gelu",
            [
                node("Mul", "h root", "a"),
                node("Erf", "a", "e"),
                node("Mul", "h half", "g"),
                node("Mul", "g e", "f"),
                node("Add", "g f", "y"),
            ],
            {"root": math.sqrt(0.5), "half": 0.5},
        ),
        (
            "softmax",
            [
                node("ReduceMax", "h", "m", axes=[1], keepdims=1),
                node("Sub", "h m", "d"),
                node("Exp", "d", "e"),
                node("ReduceSum", "e axes", "s", keepdims=1),
                node("Div", "e s", "y"),
            ],
            {"axes": np.array([1])},
        ),
        (
            "tanh",
            [
                node("Exp", "h", "e"),
                node("Neg", "h", "n"),
                node("Exp", "n", "f"),
                node("Sub", "e f", "a"),
                node("Add", "e f", "c"),
                node("Div", "a c", "y"),
            ],
            {},
        ),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_functions_composed_of_nodes(
    name: str, nodes: list[Any], constants: dict[str, Any], dtype: str
) -> None:
    known = {
        key: np.asarray(value, dtype if isinstance(value, float) else np.int64)
        for key, value in constants.items()
    }
    weights = {key: value.astype(dtype) for key, value in CONSTANTS.items()}
    # Another layer behind it, as in a real network.
    graph = graph_of(
        [*DENSE, *nodes, node("MatMul", "y v", "z")],
        weights | known,
        outputs=("z",),
        dtype=dtype,
    )
    model = fm.from_onnx(graph, backend="numpy")
    assert [layer.activation_function.name for layer in model.layers] == [name, "linear"]
    for key, value in constants.items():
        if key in ("s", "a") and name in ("leaky_relu", "elu"):
            parameter = model.layers[0].activation_function.parameter
            assert parameter == pytest.approx(value, rel=1e-12)
    # onnxruntime has not all of these for float64.
    X = rows(4, dtype) if dtype == "float32" else rows(4, dtype)[:, :4] / 10
    if dtype == "float32":
        taken(graph, X)


@pytest.mark.parametrize("name", ["Relu", "Tanh", "Sigmoid", "Selu", "Softplus", "Exp", "Mish"])
def test_functions_of_one_node(name: str) -> None:
    X = rows(4) / 5
    graph = graph_of([*DENSE, node(name, "h", "y")], CONSTANTS, opset=18)
    [layer] = taken(graph, X).layers
    assert layer.activation_function.name == name.lower()


def test_parameters_of_functions() -> None:
    nodes = [*DENSE, node("LeakyRelu", "h", "a", alpha=0.3), node("Elu", "a", "y", alpha=0.7)]
    first, second = taken(graph_of(nodes, CONSTANTS), rows(4)).layers
    assert first.activation_function == fm.LeakyReLU(0.3)
    assert second.activation_function == fm.ELU(0.7)
    taken(graph_of([*DENSE, node("Gelu", "h", "y")], CONSTANTS, opset=20), rows(4))
    for axis in (1, -1):
        taken(graph_of([*DENSE, node("Softmax", "h", "y", axis=axis)], CONSTANTS), rows(4))


def test_forms_of_a_dense_layer() -> None:
    X = rows(4)
    flipped = node("Gemm", "x w b", "h", transB=1, alpha=0.5, beta=-2.0)
    two = {"w": RNG.normal(size=(3, 4)).astype(np.float32), "b": np.float32([[1, 2, 3]])}
    assert taken(graph_of([flipped, node("Relu", "h", "y")], two), X).layers[0].units == 3
    number = {"w": SQUARE, "b": np.float32(0.7)}
    taken(graph_of([node("Gemm", "x w b", "y")], number), X)
    assert not taken(graph_of([node("Gemm", "x w", "y")], {"w": SQUARE}), X).layers[0].use_bias
    separate = [
        node("MatMul", "x w", "a"),
        node("Mul", "s a", "c"),
        node("Sub", "b c", "d"),
        node("Tanh", "d", "y"),
    ]
    [layer] = taken(graph_of(separate, CONSTANTS | {"s": OTHER[0]}), X).layers
    assert layer.activation_function.name == "tanh"
    # The weight as other exporters write it: computed of a constant.
    turned = [
        node("Transpose", "w", "t", perm=[1, 0]),
        node("Cast", "t", "u", to=1),
        node("MatMul", "x u", "y"),
    ]
    taken(graph_of(turned, {"w": SQUARE}), X)
    constant = onnx.helper.make_node(
        "Constant", [], ["w"], value=onnx.numpy_helper.from_array(SQUARE)
    )
    taken(graph_of([constant, node("MatMul", "x w", "y")], {}), X)


@pytest.mark.parametrize("opset", [9, 13, 17])
def test_batch_norm(opset: int) -> None:
    statistics = {"mean": BIAS, "var": np.abs(BIAS) + 0.5, "g": SQUARE[0], "e": SQUARE[1]}
    norm = node("BatchNormalization", "h g e mean var", "y", epsilon=1e-3, momentum=0.75)
    graph = graph_of([*DENSE, norm], CONSTANTS | statistics, opset=opset)
    layer = taken(graph, rows(4)).layers[1]
    assert layer == fm.BatchNorm(momentum=0.25, epsilon=1e-3)


def test_batch_norm_without_an_epsilon() -> None:
    statistics = {"mean": BIAS, "var": np.abs(BIAS) + 1e-6, "g": SQUARE[0], "e": SQUARE[1]}
    norm = node("BatchNormalization", "h g e mean var", "y", epsilon=0.0)
    model = taken(graph_of([*DENSE, norm], CONSTANTS | statistics), rows(4))
    np.testing.assert_array_equal(model.buffers["1.running_var"], statistics["var"])


@pytest.mark.parametrize(
    "nodes",
    [
        [node("Sub", "x m", "a"), node("Div", "a s", "h")],
        [node("Add", "x m", "a"), node("Mul", "s a", "h")],
        [node("Mul", "x s", "a"), node("Add", "m a", "h")],
        [node("Neg", "x", "a"), node("Sub", "m a", "c"), node("Mul", "c s", "h")],
        [node("Scaler", "x", "h", domain="ai.onnx.ml")],
    ],
)
def test_scalers_in_front(nodes: list[Any]) -> None:
    first = nodes[0].op_type
    mean = np.float32([1000.0, -500.0, 3.0, 0.0])
    added = -mean if first in ("Add", "Neg") else mean
    if first == "Mul":
        mean = added = np.float32([1.0, 0.5, -2.0, 0.0])
    constants = CONSTANTS | {"m": added, "s": np.float32([0.5, 2.0, 10.0, 0.1])}
    if first == "Scaler":
        factors = {"offset": mean.tolist(), "scale": constants["s"].tolist()}
        nodes = [node("Scaler", "x", "h", domain="ai.onnx.ml", **factors)]
    graph = graph_of([*nodes, node("Gemm", "h w b", "g"), node("Tanh", "g", "y")], constants)
    X = rows(4) + mean
    made = fm.from_onnx(graph, backend="numpy")
    # Freezing folds the means into a bias, which costs the digits that they have too many.
    assert error(made.predict(X), run(graph, X)["y"]) < 1e-5
    if first == "Mul":
        assert kinds(made) == ["Dense"]
        return
    assert kinds(made) == ["BatchNorm", "Dense"]
    np.testing.assert_allclose(made.buffers["0.running_mean"], mean)
    np.testing.assert_allclose(made.parameters["0.gamma"], 1.0, rtol=1e-3)
    deviation = constants["s"] if first == "Sub" else 1 / constants["s"]
    np.testing.assert_allclose(made.buffers["0.running_var"], deviation**2, rtol=1e-6)


def test_a_scaler_of_huge_numbers_is_folded() -> None:
    constants = CONSTANTS | {"m": np.full(4, 1e25, "f4"), "s": np.full(4, 1e-25, "f4")}
    scaler = [node("Sub", "x m", "a"), node("Mul", "a s", "h")]
    graph = graph_of([*scaler, node("Gemm", "h w b", "y")], constants)
    # As a BatchNorm it would have variances that float32 cannot hold.
    assert kinds(taken(graph, rows(4) * np.float32(1e25))) == ["Dense"]


def test_only_the_rest_to_one_is_left_out() -> None:
    nodes = [
        node("Sigmoid", "h", "p"),
        node("Sub", "two p", "q"),
        node("Concat", "q p", "y", axis=1),
    ]
    graph = graph_of([*DENSE, *nodes], CONSTANTS | {"two": np.float32([2.0])})
    assert taken(graph, rows(4)).predict(rows(4)).shape == (1000, 8)


def test_nodes_that_change_nothing() -> None:
    nodes = [
        node("Identity", "x", "a"),
        node("Flatten", "a", "c", axis=1),
        node("Gemm", "c w b", "h"),
        node("Reshape", "h shape", "d"),
        node("Dropout", "d", "e"),
        node("Cast", "e", "f", to=1),
        node("Relu", "f", "y"),
    ]
    graph = graph_of(nodes, CONSTANTS | {"shape": np.array([-1, 4])})
    assert kinds(taken(graph, rows(4))) == ["Dense"]


def test_rows_of_several_dimensions_are_laid_flat() -> None:
    weight = RNG.normal(size=(12, 2)).astype(np.float32)
    X = rows(12).reshape(-1, 3, 2, 2)
    for flat, more in (
        (node("Flatten", "x", "a"), {}),
        (node("Reshape", "x shape", "a"), {"shape": np.array([0, -1])}),
        (node("Reshape", "x shape", "a"), {"shape": np.array([-1, 12])}),
    ):
        graph = graph_of([flat, node("MatMul", "a w", "y")], {"w": weight} | more, [3, 2, 2])
        assert taken(graph, X).parameters["0.weight"].shape == (12, 2)


def test_sums_and_concatenations() -> None:
    X = rows(4)
    residual = [*DENSE, node("Relu", "h", "r"), node("MatMul", "r v", "g"), node("Add", "g h", "y")]
    assert kinds(taken(graph_of(residual, CONSTANTS), X)) == ["Dense", "Residual"]
    branches = [
        node("Gemm", "x w b", "a"),
        node("MatMul", "x v", "c"),
        node("Tanh", "c", "d"),
        node("Concat", "a x d", "y", axis=1),
    ]
    [layer] = taken(graph_of(branches, CONSTANTS), X).layers
    assert [len(path) for path in layer.paths] == [1, 0, 1]
    total = [node("MatMul", "x w", "a"), node("MatMul", "x v", "c"), node("Sum", "a c x", "y")]
    [layer] = taken(graph_of(total, CONSTANTS), X).layers
    assert layer.merge == "add"


def test_columns_are_picked() -> None:
    X = rows(6)
    constants = CONSTANTS | {"some": np.array([5, 0, 3, -2]), "w": SQUARE}
    dense = [node("Gather", "x some", "p", axis=1), node("Gemm", "p w b", "y")]
    assert kinds(taken(graph_of(dense, constants, 6), X)) == ["Dense"]
    alone = [node("Gather", "x some", "p", axis=1), node("Relu", "p", "y")]
    taken(graph_of(alone, constants, 6), X)


def test_embeddings_as_others_write_them() -> None:
    table = RNG.normal(size=(5, 3)).astype(np.float32)
    nodes = [
        node("Gather", "x first", "c", axis=1),
        node("Squeeze", "c one", "s"),
        node("Cast", "s", "i", to=7),
        node("Gather", "t i", "e"),
        node("Gather", "x rest", "r", axis=1),
        node("Concat", "e r", "z", axis=-1),
        node("MatMul", "z w", "y"),
    ]
    constants = {
        "t": table,
        "first": np.array([0]),
        "one": np.array([1]),
        "rest": np.array([2, 1]),
        "w": RNG.normal(size=(5, 2)).astype(np.float32),
    }
    X = rows(3)
    X[:, 0] = RNG.integers(0, 5, len(X))
    model = taken(graph_of(nodes, constants, 3), X)
    assert model.layers[0] == fm.Embedding(5, 3, 0)


@pytest.mark.parametrize("zipmap", [False, True])
@pytest.mark.parametrize("task", ["three", "two", "columns"])
def test_scikit_learn_classifiers(task: str, zipmap: bool) -> None:
    skl2onnx = pytest.importorskip("skl2onnx")
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X = rows(4) + np.float32([0, 10, -5, 1])
    y: Array = np.array(["b", "a", "c"])[np.argmax(X[:, :3], axis=1)]
    if task == "two":
        y = np.where(X[:, 0] > 0, 7, -3)
    if task == "columns":
        y = (X[:, :3] > 0).astype(int)
    pipeline = make_pipeline(
        StandardScaler(), MLPClassifier((6,), "tanh", max_iter=300, tol=0.1, random_state=0)
    ).fit(X, y)
    options = {} if zipmap and task != "columns" else {"zipmap": False}
    # What it returns is no onnx.ModelProto, but has the same bytes.
    content = skl2onnx.to_onnx(pipeline, X[:1], options=options).SerializeToString()
    model = fm.from_onnx(onnx.load_from_string(content), backend="numpy")
    expected = pipeline.predict_proba(X)
    expected = expected[:, 1:] if task == "two" else expected
    assert error(model.predict(X), expected) < 1e-5
    if task == "columns":
        np.testing.assert_array_equal(model.predict_classes(X), pipeline.predict(X))
    else:
        assert model.classes.tolist() == pipeline.classes_.tolist()
        assert (model.predict_classes(X) == pipeline.predict(X)).mean() > 0.999


def test_scikit_learn_regressor() -> None:
    skl2onnx = pytest.importorskip("skl2onnx")
    from sklearn.neural_network import MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler

    X = rows(4, "float64")
    regressor = MLPRegressor(
        hidden_layer_sizes=(6,), activation="logistic", max_iter=300, tol=0.1, random_state=0
    )
    pipeline = make_pipeline(MinMaxScaler(), regressor).fit(X, X[:, 0] - X[:, 1])
    content = skl2onnx.to_onnx(pipeline, X[:1]).SerializeToString()
    model = fm.from_onnx(onnx.load_from_string(content))
    assert model.dtype == "float64"
    assert error(model.predict(X), pipeline.predict(X)[:, np.newaxis]) < 1e-12


def exported_by_torch(module: Any, X: Array, opset: int | None) -> Any:
    """The graph of a module, by the older exporter, or with no `opset` by the one that traces."""
    torch = pytest.importorskip("torch")
    arguments = (torch.from_numpy(X),)
    if opset is None:
        pytest.importorskip("onnxscript")
        rows_of_x = {0: torch.export.Dim("rows")}
        program = torch.onnx.export(
            module, arguments, dynamo=True, dynamic_shapes=(rows_of_x,), verbose=False
        )
        return program.model_proto
    file = io.BytesIO()
    torch.onnx.export(
        module,
        arguments,
        file,
        dynamo=False,
        opset_version=opset,
        input_names=["x"],
        dynamic_axes={"x": {0: "rows"}},
    )
    return onnx.load_from_string(file.getvalue())


# Both exporters of PyTorch warn of their own future.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("opset", [11, 20, pytest.param(None, marks=pytest.mark.slow)])
def test_pytorch_modules(opset: int | None) -> None:
    torch = pytest.importorskip("torch")
    nn = torch.nn

    class Block(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.f = nn.Sequential(nn.Linear(8, 5), nn.Mish(), nn.Linear(5, 8, bias=False))
            self.g = nn.Sequential(nn.Linear(8, 3), nn.ELU(0.5))

        def forward(self, x: Any) -> Any:
            h = x + self.f(x)
            return torch.cat([h, self.g(h), torch.tanh(h)], dim=1)

    torch.manual_seed(0)
    module = nn.Sequential(
        *(nn.Flatten(), nn.Linear(12, 8), nn.BatchNorm1d(8), nn.GELU(), nn.Dropout(), Block()),
        *(nn.Linear(19, 8), nn.SiLU(), nn.Linear(8, 8), nn.SELU(), nn.Linear(8, 8)),
        *(nn.LeakyReLU(0.2), nn.Softplus(), nn.Linear(8, 4), nn.Softmax(-1)),
    ).eval()
    module[2].running_mean.normal_()
    module[2].running_var.uniform_(0.5, 2.0)
    X = rows(12).reshape(-1, 3, 4)
    model = taken(exported_by_torch(module, X, opset), X)
    with torch.no_grad():
        assert error(model.predict(X.reshape(-1, 12)), module(torch.from_numpy(X)).numpy()) < 1e-5
    assert {"Residual", "Branch"} <= set(kinds(model))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_keras_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    if keras.backend.backend() != "torch":
        pytest.skip("Keras has been imported with another backend")
    layers = keras.layers
    x = layers.Input((4,))
    h = layers.Normalization(mean=[1.0, 2.0, 3.0, 100.0], variance=[1.0, 2.0, 3.0, 4.0])(x)
    h = layers.BatchNormalization()(layers.Dense(6, activation="gelu")(h))
    h = layers.Add()([h, layers.Dense(6, activation="silu")(h)])
    h = layers.Concatenate()([h, layers.Dense(3, activation="softplus")(h)])
    h = layers.Dropout(0.2)(layers.LeakyReLU(0.1)(h))
    h = layers.Dense(4, activation="mish")(layers.Dense(4, activation="elu")(h))
    source = keras.Model(x, layers.Dense(3, activation="softmax")(h))
    X = rows(4) + np.float32([1, 2, 3, 100])
    expected = source(X, training=False).detach().cpu().numpy()
    source.export(str(tmp_path / "model.onnx"), format="onnx", verbose=False)
    model = fm.from_onnx(tmp_path / "model.onnx", backend="numpy")
    assert error(model.predict(X), expected) < 1e-5


def test_half_precision_becomes_float32() -> None:
    constants = {key: values.astype(np.float16) for key, values in CONSTANTS.items()}
    graph = graph_of([*DENSE, node("Tanh", "h", "y")], constants, dtype="float16")
    model = fm.from_onnx(graph)
    assert model.dtype == "float32"
    X = rows(4)
    np.testing.assert_allclose(model.predict(X), run(graph, X.astype("f2"))["y"], atol=0.05)


def test_arguments() -> None:
    graph = graph_of(DENSE, CONSTANTS, outputs=("h",))
    model = fm.from_onnx(
        graph, output_activation="softmax", classes=["d", "a", "c", "b"], dtype="float64"
    )
    assert (model.dtype, model.loss.name) == ("float64", "categorical_crossentropy")
    assert set(model.predict_classes(rows(4))) == {"d", "a", "c", "b"}
    assert fm.from_onnx(graph, optimizer="sgd", backend="numpy").backend == "numpy"


def test_labels_beside_logits_are_left_out() -> None:
    nodes = [*DENSE, node("ArgMax", "h", "label", axis=1, keepdims=0)]
    graph = graph_of(nodes, CONSTANTS, outputs=("h", "label"))
    assert taken(graph, rows(4)).classes is None
    model = fm.from_onnx(graph, output_activation="softmax")
    assert model.classes.tolist() == [0, 1, 2, 3]


def test_labels_of_what_goes_into_the_softmax() -> None:
    nodes = [
        *DENSE,
        node("Softmax", "h", "p"),
        node("ArgMax", "h", "i", axis=1, keepdims=0),
        node("Gather", "names i", "label"),
    ]
    names = {"names": np.array([40, 30, 20, 10])}
    graph = graph_of(nodes, CONSTANTS | names, outputs=("label", "p"))
    model = taken(graph, rows(4), "p")
    assert model.classes.tolist() == [40, 30, 20, 10]
    np.testing.assert_array_equal(model.predict_classes(rows(4)), run(graph, rows(4))["label"])


REFUSED = [
    ([node("LogSoftmax", "h", "y", axis=1)], {}, "LogSoftmax that computes 'y'"),
    ([node("Softmax", "h", "y", axis=0)], {}, "Softmax .* its axis is 0"),
    ([node("Gelu", "h", "y", approximate="tanh")], {}, "Gelu .* approximates by tanh"),
    ([node("HardSwish", "h", "y")], {}, "HardSwish"),
    ([node("Clip", "h zero six", "y")], {"zero": 0.0, "six": 6.0}, "Clip"),
    ([node("Mul", "h x", "y")], {}, "Mul that computes 'y'"),
    ([node("Sub", "h x", "y")], {}, "Sub that computes 'y'"),
    ([node("PRelu", "h slopes", "y")], {"slopes": np.float32([0.1, 0.2, 0.3, 0.4])}, "PRelu"),
    ([node("Gemm", "h w b", "y", transA=1)], {}, "Gemm .* from the left"),
    ([node("MatMul", "w h", "y")], {}, "MatMul .* from the left"),
    ([node("MatMul", "h x", "y")], {}, "MatMul .* its input 'x' is no constant"),
    ([node("ReduceSum", "h", "y")], {}, "ReduceSum"),
    ([node("Reshape", "h shape", "y")], {"shape": np.array([-1, 2])}, "changes the shape"),
    ([node("Transpose", "h", "y")], {}, "Transpose"),
    ([node("Cast", "h", "c", to=10), node("Cast", "c", "y", to=1)], {}, "Cast .* not float32"),
    ([node("Concat", "h h", "y", axis=0)], {}, "Concat .* its axis"),
    ([node("LayerNormalization", "h b", "y")], {}, "LayerNormalization"),
    (
        [node("BatchNormalization", "h b b b b", "y", training_mode=1)],
        {},
        "BatchNormalization .* training mode",
    ),
    (
        [onnx.helper.make_node("Fused", ["h"], ["y"], name="f1", domain="com.else")],
        {},
        "com.else.Fused 'f1'",
    ),
    ([node("Div", "b h", "y")], {}, "Div"),
    # Two of three paths share what the third does not go through.
    (
        [
            node("Relu", "h", "p"),
            node("MatMul", "p w", "q"),
            node("MatMul", "q w", "r"),
            node("Add", "q h", "s"),
            node("Concat", "r s p", "y", axis=1),
        ],
        {},
        "paths that cross",
    ),
]


@pytest.mark.parametrize(("nodes", "constants", "message"), REFUSED)
def test_what_cannot_be_taken_is_named(
    nodes: list[Any], constants: dict[str, Any], message: str
) -> None:
    known = {
        key: np.float32(value) if isinstance(value, float) else value
        for key, value in constants.items()
    }
    graph = graph_of([*DENSE, *nodes], CONSTANTS | known, opset=20)
    domains = {n.domain for n in nodes} - {""}
    graph.opset_import.extend(onnx.helper.make_opsetid(domain, 1) for domain in domains)
    with pytest.raises(ValueError, match=message) as raised:
        fm.from_onnx(graph)
    if "cross" not in message:
        assert "what can be: Gemm, MatMul" in str(raised.value)


def test_graphs_of_another_kind() -> None:
    two = graph_of([*DENSE, node("Relu", "h", "y")], CONSTANTS, outputs=("h", "y"))
    with pytest.raises(ValueError, match="one output of numbers.*'h', 'y'"):
        fm.from_onnx(two)
    label = graph_of([*DENSE, node("ArgMax", "h", "y", axis=1)], CONSTANTS)
    with pytest.raises(ValueError, match="one output of numbers.*has none"):
        fm.from_onnx(label)
    with pytest.raises(ValueError, match="output 'y' of the graph is a constant"):
        fm.from_onnx(graph_of([node("Neg", "b", "y")], CONSTANTS))
    with pytest.raises(ValueError, match="depends on none"):
        fm.from_onnx(graph_of([node("Relu", "b", "y")], CONSTANTS))
    unknown = graph_of(DENSE, CONSTANTS, width=["columns"], outputs=("h",))
    with pytest.raises(ValueError, match="'x' has the shape .* not fixed"):
        fm.from_onnx(unknown)
    with pytest.raises(ValueError, match="the network has no parameters"):
        fm.from_onnx(graph_of([node("Relu", "x", "y")], {}))
    sums = graph_of([node("Gemm", "x w b", "a"), node("Mul", "a other", "y")], CONSTANTS)
    sums.graph.input.append(onnx.helper.make_tensor_value_info("other", 1, ["rows", 4]))
    with pytest.raises(ValueError, match="Mul"):
        fm.from_onnx(sums)
    sums.graph.node[1].op_type = "Add"
    with pytest.raises(ValueError, match="of two inputs, one must be read by one MatMul"):
        fm.from_onnx(sums)
    with pytest.raises(TypeError, match="takes the path of a file or an onnx.ModelProto"):
        fm.from_onnx(b"bytes")


def test_weights_that_are_not_finite() -> None:
    with pytest.raises(ValueError, match="NaN, infinite"):
        fm.from_onnx(graph_of(DENSE, CONSTANTS | {"b": np.float32([1, np.nan, 0, 0])}, 4, ("h",)))


def test_damaged_files(tmp_path: Path) -> None:
    model, _ = network(1, "float32")
    path = tmp_path / "model.onnx"
    model.freeze().export_onnx(path)
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    damaged = [content[:cut] for cut in rng.integers(0, len(content), 40)]
    for _ in range(150):
        changed = bytearray(content)
        for place in rng.integers(0, len(content), rng.integers(1, 4)):
            changed[place] = rng.integers(256)
        damaged.append(bytes(changed))
    damaged += [b"", b"no model at all", rng.bytes(1000), b"\x00" * 100]
    refused = 0
    for number, wrong in enumerate(damaged):
        path.write_bytes(wrong)
        message = ""
        try:
            # A byte of a weight or of a name may be changed without harm.
            fm.from_onnx(path, backend="numpy")
        except ValueError as raised:
            message = str(raised)
            refused += 1
        assert "\n" not in message, number
    assert refused > 60
    model.save(path)
    with pytest.raises(fm.ModelFileError, match="model.onnx: no ONNX model, or damaged"):
        fm.from_onnx(path)
    with pytest.raises(FileNotFoundError):
        fm.from_onnx(tmp_path / "missing.onnx")
    with pytest.raises(IsADirectoryError):
        fm.from_onnx(tmp_path)


def test_weights_in_another_file(tmp_path: Path) -> None:
    weight = RNG.normal(size=(4, 300)).astype(np.float32)
    graph = graph_of([node("MatMul", "x w", "y")], {"w": weight})
    path = tmp_path / "model.onnx"
    onnx.save(graph, path, save_as_external_data=True, location="weights.bin")
    model = fm.from_onnx(path)
    np.testing.assert_array_equal(model.parameters["0.weight"], weight)
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(fm.ModelFileError, match="weights in other files.*weights.bin"):
        fm.from_onnx(path)


def test_functions_of_the_models_own() -> None:
    domain = "own"
    body = [node("Gemm", "x w b", "h"), node("Relu", "h", "y")]
    versions = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid(domain, 1)]
    function = onnx.helper.make_function(domain, "Layer", ["x", "w", "b"], ["y"], body, versions)
    call = onnx.helper.make_node("Layer", ["x", "w", "b"], ["y"], domain=domain)
    graph = graph_of([node("Identity", "x", "y")], CONSTANTS).graph
    del graph.node[:]
    graph.node.append(call)
    model = onnx.helper.make_model(
        graph, functions=[function], opset_imports=versions, ir_version=8
    )
    assert kinds(taken(model, rows(4))) == ["Dense"]
