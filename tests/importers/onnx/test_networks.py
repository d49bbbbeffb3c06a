"""Networks in ONNX files as models, held against onnxruntime."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx_graphs import error, graph_of, network, onnx, run
from onnx_layers import CONSTANTS, DENSE, RNG, rows, taken
from random_weights import TOLERANCE
from taken_checks import kinds

import fastmlp as fm
from fastmlp.export.onnx.file import make_model
from fastmlp.kernels.typing import Array


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seed", range(30))
def test_what_was_exported_comes_back(seed: int, dtype: str, tmp_path: Path) -> None:
    model, X = network(seed, dtype)
    predictor = model.freeze()
    predictor.export_onnx(tmp_path / "model.onnx")
    back = fm.from_onnx(tmp_path / "model.onnx", backend="numpy")
    assert (back.dtype, back.training_state.encoder().task) == (dtype, predictor.task)
    assert error(back.predict(X), predictor(X)) < 30 * TOLERANCE[dtype]


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


def test_arguments() -> None:
    graph = graph_of(DENSE, CONSTANTS, outputs=("h",))
    model = fm.from_onnx(
        graph, output_activation="softmax", classes=["d", "a", "c", "b"], dtype="float64"
    )
    assert (model.dtype, model.loss.name) == ("float64", "categorical_crossentropy")
    assert set(model.predict_classes(rows(4))) == {"d", "a", "c", "b"}
    assert fm.from_onnx(graph, optimizer="sgd", backend="numpy").backend == "numpy"
