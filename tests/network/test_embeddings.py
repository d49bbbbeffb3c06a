"""Embeddings of numbers: layers whose columns become several, by functions of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastmlp as fm

RNG = np.random.default_rng(11)
X = RNG.normal(size=(50, 4))
Y = np.sin(4.0 * X[:, 0]) + 0.5 * X[:, 2]


def regressor(*layers: Any, backend: str = "numpy", **arguments: Any) -> fm.Sequential:
    arguments = {"dtype": "float64", "random_state": 4, **arguments}
    return fm.Sequential([*layers, fm.Dense(1)], backend=backend, **arguments)


def test_periodic_by_hand(backend: str) -> None:
    model = regressor(fm.PeriodicEmbedding(dim=3, n_waves=2), backend=backend).build(1)
    values = {
        "frequency": [[0.25, 0.5]],
        "phase": [[0.0, np.pi / 2]],
        "weight": [[[1.0, 10.0], [2.0, 20.0]]],
        "bias": [[0.5, -0.5]],
    }
    for name, value in values.items():
        model.parameters[f"0.{name}"][...] = value
    # The angles are pi / 2 and 3 pi / 2 at x = 1, pi and 5 pi / 2 at 2, pi / 6 and 5 pi / 6 at 1/3.
    found = model.activations([[0.0], [1.0], [2.0], [1 / 3]])["0.output"]
    high, low = np.cos(np.pi / 6), np.cos(5 * np.pi / 6)
    expected = [
        [1.5, 9.5, 0.0],
        [0.5, -0.5, 1.0],
        [-0.5, -10.5, 2.0],
        [high + 2 * low + 0.5, 10 * high + 20 * low - 0.5, 1 / 3],
    ]
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("activation", ["linear", "relu"])
def test_periodic_is_pytabkits(activation: str, backend: str) -> None:
    torch = pytest.importorskip("torch")
    layer = fm.PeriodicEmbedding(activation=activation)
    model = regressor(layer, backend=backend).build(4)
    tensors = {
        name: torch.from_numpy(value.copy()).requires_grad_()
        for name, value in model.parameters.items()
    }
    given = torch.from_numpy(X)
    # As in their code, by products of batches of matrices, one for each column.
    z = given.T[:, :, None] @ (2 * torch.pi * tensors["0.frequency"][:, None, :])
    z = torch.cos(z + tensors["0.phase"][:, None, :])
    z = z @ tensors["0.weight"] + tensors["0.bias"][:, None, :]
    z = torch.relu(z) if activation == "relu" else z
    embedded = torch.cat([z.transpose(0, 1).flatten(1), given], dim=1)
    output = embedded @ tensors["1.weight"] + tensors["1.bias"]
    torch.nn.functional.mse_loss(output[:, 0], torch.from_numpy(Y)).backward()
    np.testing.assert_allclose(
        model.activations(X)["0.output"], embedded.detach().numpy(), rtol=1e-12, atol=1e-12
    )
    for name, gradient in model.gradients(X, Y).items():
        expected = tensors[name].grad.numpy()
        np.testing.assert_allclose(gradient, expected, rtol=1e-9, atol=1e-12, err_msg=name)


def test_first_values_of_periodic_embeddings() -> None:
    model = regressor(fm.PeriodicEmbedding(8, 64, sigma=0.3)).build(100)
    values = {name: model.parameters[f"0.{name}"] for name in ("frequency", "phase", "weight")}
    assert values["frequency"].shape == (100, 64)
    assert values["weight"].shape == (100, 64, 7)
    assert values["frequency"].std() == pytest.approx(0.3, rel=0.05)
    assert abs(values["frequency"].mean()) < 0.02
    for name, most in (("phase", np.pi), ("weight", 1 / 8)):
        assert np.abs(values[name]).max() == pytest.approx(most, rel=0.01)
        assert values[name].std() == pytest.approx(most / np.sqrt(3), rel=0.05)
    before = values["phase"].copy()
    model.reset()
    np.testing.assert_array_equal(model.parameters["0.phase"], before)


def test_waves_from_long_to_short() -> None:
    layer = fm.PeriodicEmbedding(n_waves=5, sigma=(0.1, 10))
    assert layer.sigma == (0.1, 10.0)
    found = regressor(layer).build(2000).parameters["0.frequency"].std(axis=0)
    np.testing.assert_allclose(found, [0.1, 0.1 * 10**0.5, 1.0, 10**0.5, 10.0], rtol=0.1)
    assert fm.PeriodicEmbedding(n_waves=5, sigma=[0.1, 10]) == layer
    alike = regressor(fm.PeriodicEmbedding(n_waves=5, sigma=(0.3, 0.3))).build(3)
    one = regressor(fm.PeriodicEmbedding(n_waves=5, sigma=0.3)).build(3)
    for name, values in one.parameters.items():
        np.testing.assert_allclose(alike.parameters[name], values, rtol=1e-6, err_msg=name)


def test_waves_of_a_saved_network(tmp_path: Path) -> None:
    model = regressor(fm.PeriodicEmbedding(sigma=(0.1, 10.0))).build(3)
    model.save(tmp_path / "model.safetensors")
    loaded = fm.load(tmp_path / "model.safetensors")
    assert loaded.layers == model.layers


def test_columns_that_are_not_embedded_come_first(backend: str) -> None:
    layer = fm.PeriodicEmbedding(dim=2, columns=[3, 0])
    output = regressor(layer, backend=backend).build(4).activations(X)["0.output"]
    assert output.shape == (50, 6)
    np.testing.assert_array_equal(output[:, :2], X[:, [1, 2]])
    np.testing.assert_array_equal(output[:, 4:], X[:, [3, 0]])
    without = fm.PeriodicEmbedding(dim=2, columns=[3], keep_column=False)
    output = regressor(without, backend=backend).build(4).activations(X)["0.output"]
    assert output.shape == (50, 5)
    np.testing.assert_array_equal(output[:, :3], X[:, :3])


def test_beside_embeddings_of_categories(backend: str) -> None:
    codes = np.arange(50) % 3
    rows = np.column_stack([X[:, 0], codes, X[:, 1]])
    # Behind the embedding the columns that are left come first.
    layers = [fm.Embedding(3, 2, 1), fm.PeriodicEmbedding(columns=[0, 1]), fm.Dense(8, "tanh")]
    model = regressor(*layers, backend=backend)
    model.fit(rows, Y, epochs=30, batch_size=10, verbose=0)
    assert model.history["loss"][-1] < 0.8 * model.history["loss"][0]
    assert fm.check_gradients(model, rows[:20], Y[:20]).ok


def test_it_learns_what_a_dense_layer_does_not(backend: str) -> None:
    x = np.linspace(-1, 1, 400)[:, None]
    y = np.sin(12.0 * x[:, 0])
    losses = []
    for first in ([fm.PeriodicEmbedding(16, sigma=1.0)], []):
        model = regressor(*first, fm.Dense(16, "relu"), backend=backend, optimizer=fm.Adam(0.01))
        losses.append(model.fit(x, y, epochs=40, batch_size=40, verbose=0)["loss"][-1])
    assert losses[0] < 0.02
    assert losses[1] > 0.2


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"dim": 0}, ValueError, "dim must be an integer >= 1, got 0"),
        ({"dim": 1}, ValueError, "dim must be an integer >= 2, got 1: one of the numbers is the"),
        ({"n_waves": 2.5}, TypeError, "n_waves must be an integer, got 2.5"),
        ({"sigma": 0}, ValueError, "sigma must be a finite number > 0, got 0"),
        ({"sigma": (1, 2, 3)}, ValueError, "sigma must be a number, or that of the first and"),
        ({"sigma": (1, 0)}, ValueError, r"sigma\[1\] must be a finite number > 0, got 0"),
        ({"sigma": (1, 2), "n_waves": 1}, ValueError, "the first and the last wave, .* n_waves is"),
        ({"columns": [1, 1]}, ValueError, "columns must hold at least one column number"),
        ({"columns": "01"}, TypeError, "columns must be a list of column numbers or None"),
        ({"activation": "rely"}, ValueError, "unknown activation 'rely'"),
    ],
)
def test_refused_arguments(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        fm.PeriodicEmbedding(**arguments)


def test_columns_that_the_input_has_not() -> None:
    model = regressor(fm.PeriodicEmbedding(columns=[1, 4]))
    with pytest.raises(
        ValueError, match="the layer 0 embeds column 4, but its input has 4 columns"
    ):
        model.build(4)


def test_piecewise_linear_by_hand(backend: str) -> None:
    layer = fm.PiecewiseLinearEmbedding(3, edges=[[0.0, 1.0, 3.0, 4.0], [-1.0, 2.0, 2.0, 4.0]])
    found = regressor(layer, backend=backend).build(2)
    x = [[-2.0, 2.0], [0.25, 1.5], [1.0, 1.0], [2.0, 5.0], [6.0, -4.0]]
    expected = [
        [-2.0, 0.0, 0.0, 1.0, 1.0, 0.0],
        [0.25, 0.0, 0.0, 2.5 / 3, 0.0, -0.25],
        [1.0, 0.0, 0.0, 2 / 3, 0.0, -0.5],
        [1.0, 0.5, -1.0, 1.0, 1.0, 1.5],
        [1.0, 1.0, 3.0, -1.0, 0.0, -3.0],
    ]
    expected = np.array(expected)
    # In the last bin nothing lies below 0, in the first nothing above 1.
    expected[:, [2, 5]] = np.maximum(expected[:, [2, 5]], 0.0)
    np.testing.assert_allclose(found.activations(x)["0.output"], expected, atol=1e-12)


def test_edges_are_quantiles_of_the_rows_trained_on(backend: str, tmp_path: Path) -> None:
    model = regressor(fm.PiecewiseLinearEmbedding(4, columns=[2, 0]), backend=backend)
    rows = {}

    class Look(fm.Callback):
        def on_fit_data(self, model: Any, data: Any) -> None:
            rows["trained on"] = np.delete(data.x, data.held, axis=0)

    model.fit(X, Y, epochs=1, validation_split=0.3, verbose=0, callbacks=[Look()])
    quantiles = np.quantile(rows["trained on"][:, [2, 0]], [0, 0.25, 0.5, 0.75, 1], axis=0).T
    np.testing.assert_allclose(model.buffers["0.edges"], quantiles)
    assert "0.edges" not in model.parameters
    # They stay in a further fit on other rows, and in a file.
    model.fit(3 * X, Y, epochs=1, verbose=0)
    model.save(tmp_path / "model.safetensors")
    for each in (model, fm.load(tmp_path / "model.safetensors", backend)):
        np.testing.assert_allclose(each.buffers["0.edges"], quantiles)
    model.reset()
    model.train_step(X, Y)
    np.testing.assert_allclose(
        model.buffers["0.edges"][1], np.quantile(X[:, 0], [0, 0.25, 0.5, 0.75, 1])
    )


def test_edges_behind_an_embedding_and_of_chunks(backend: str) -> None:
    rows = np.column_stack([np.arange(50) % 3, X])
    layers = [fm.Embedding(3, 2, 0), fm.PiecewiseLinearEmbedding(2, columns=[1, 3])]
    model = regressor(*layers, backend=backend)
    model.fit([(rows[:30], Y[:30]), (rows[30:], Y[30:])], epochs=1, verbose=0)
    expected = np.quantile(X[:30, [1, 3]], [0, 0.5, 1], axis=0).T
    np.testing.assert_allclose(model.buffers["1.edges"], expected)


def test_a_piecewise_linear_function_is_learned(backend: str) -> None:
    x = np.linspace(-1, 1, 200)[:, None]
    y = np.abs(x[:, 0]) + (x[:, 0] > 0.5) * (x[:, 0] - 0.5)
    layer = fm.PiecewiseLinearEmbedding(4, edges=[[-1.0, -0.5, 0.0, 0.5, 1.0]])
    model = regressor(layer, backend=backend, optimizer=fm.Adam(0.05))
    assert model.fit(x, y, epochs=60, batch_size=50, verbose=0)["loss"][-1] < 1e-3


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n_bins": 0}, ValueError, "n_bins must be an integer >= 1, got 0"),
        ({"edges": 3}, TypeError, "edges must be a list of lists of numbers or None, got 3"),
        ({"edges": [["a"]]}, TypeError, "edges must be a list of lists of numbers or None"),
        (
            {"edges": [[0, 1]]},
            ValueError,
            r"edges\[0\] must be 3 finite numbers in ascending order",
        ),
        ({"edges": [[0, 2, 1]]}, ValueError, "in ascending order, for n_bins=2, got 3"),
        ({"edges": [[0, 1, np.inf]]}, ValueError, "must be 3 finite numbers"),
    ],
)
def test_refused_arguments_of_bins(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        fm.PiecewiseLinearEmbedding(**{"n_bins": 2, **arguments})


def test_edges_that_do_not_fit_the_network() -> None:
    given = regressor(fm.PiecewiseLinearEmbedding(1, edges=[[0.0, 1.0]]))
    with pytest.raises(ValueError, match="the layer 0 has edges for 1 columns, but embeds 4"):
        given.build(4)
    within = regressor(fm.Dense(3), fm.PiecewiseLinearEmbedding())
    with pytest.raises(ValueError, match="the layer 1 finds the edges of its bins in columns of X"):
        within.build(4)


LAYERS = {
    "bins": fm.PiecewiseLinearEmbedding(5),
    "bins of some": fm.PiecewiseLinearEmbedding(
        3, columns=[1, 2], edges=[[-1, 0, 0, 1], [0, 1, 2, 3]]
    ),
    "periodic": fm.PeriodicEmbedding(),
    "periodic of some": fm.PeriodicEmbedding(3, 5, columns=[2, 0], activation="relu"),
}
every_layer = pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
FORMS = pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 3e-5), ("float64", 1e-12)])


def trained(layer: Any, dtype: str) -> fm.Sequential:
    model = regressor(layer, fm.Dense(6, "tanh"), dtype=dtype)
    model.fit(X, Y, epochs=3, batch_size=10, verbose=0)
    return model


@every_layer
@FORMS
@pytest.mark.parametrize("math", ["math.h", "inline"])
def test_as_c(layer: Any, dtype: str, tolerance: float, math: str, tmp_path: Path) -> None:
    from c_harness import compile_header, need

    need("gcc")
    predictor = trained(layer, dtype).freeze()
    predictor.export_c(tmp_path / "model.h", math=math)
    rows = (5 * X).astype(dtype)
    outputs, codes = compile_header(tmp_path / "model.h", dtype=dtype)(rows)
    assert not codes.any()
    np.testing.assert_allclose(outputs, predictor(rows), rtol=tolerance, atol=tolerance)


@every_layer
@FORMS
def test_as_onnx(layer: Any, dtype: str, tolerance: float) -> None:
    pytest.importorskip("onnxruntime")
    from onnx_graphs import run

    from fastmlp.export.onnx.file import make_model

    predictor, rows = trained(layer, dtype).freeze(), (5 * X).astype(dtype)
    found = run(make_model(predictor), rows)["output"]
    np.testing.assert_allclose(found, predictor(rows), rtol=tolerance, atol=tolerance)


@every_layer
@FORMS
def test_as_python(layer: Any, dtype: str, tolerance: float, tmp_path: Path) -> None:
    from python_files import passes_ruff, written

    predictor, rows = trained(layer, dtype).freeze(), (5 * X).astype(dtype)
    module = written(predictor, tmp_path)
    np.testing.assert_allclose(
        module.predict(rows), predictor(rows), rtol=tolerance, atol=tolerance
    )
    np.testing.assert_allclose(module.predict(rows[0]), predictor(rows[0]), rtol=tolerance)
    passes_ruff(tmp_path / "net.py")


@every_layer
@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_as_a_file_and_with_a_scaler(layer: Any, backend: str, tmp_path: Path) -> None:
    scaling = pytest.importorskip("sklearn.preprocessing")
    scaler = scaling.StandardScaler().fit(X)
    model = regressor(layer, fm.Dense(6, "tanh"))
    model.fit(scaler.transform(X), Y, epochs=2, verbose=0)
    predictor = model.freeze(scaler)
    expected = model.predict(scaler.transform(X))
    np.testing.assert_allclose(predictor(X), expected, rtol=1e-9)
    predictor.save(tmp_path / "p.safetensors")
    read = fm.load_predictor(tmp_path / "p.safetensors", backend=backend)
    np.testing.assert_allclose(read(X), expected, rtol=1e-9)


def test_integers_refuse_it_by_name() -> None:
    predictor = trained(fm.PeriodicEmbedding(), "float32").freeze()
    with pytest.raises(ValueError, match="int8 quantization does not know Periodic"):
        predictor.quantize(X)
