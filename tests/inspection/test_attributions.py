"""Attributions: they sum to the prediction, and are those of PyTorch's gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from layer_examples import LAYERS, X, Y, example, trained

import fastmlp as fm
from fastmlp.inspection import attributions
from fastmlp.inspection.attributions import Attributions
from fastmlp.kernels.typing import Array
from fastmlp.network.layers import Layer

SMOOTH = [kind for kind in LAYERS if kind is not fm.Embedding]


def network(last: Layer, y: Any, X: Any = X, **arguments: Any) -> fm.Sequential:
    layers = [fm.Dense(8, "tanh"), fm.BatchNorm(), fm.Dropout(0.2), last]
    arguments = {"dtype": "float64", "backend": "numpy", "random_state": 0, **arguments}
    model = fm.Sequential(layers, **arguments)
    model.fit(X, y, epochs=4, verbose=0)
    return model


@pytest.mark.parametrize("kind", SMOOTH, ids=lambda kind: kind.__name__)
def test_they_sum_to_the_prediction(kind: type[Layer], backend: str) -> None:
    model = trained(kind, backend)
    found = model.attributions(X[:4], baseline=X[9], output=1, n_steps=500)
    expected = model.predict(X[:4])[:, 1]
    # relu has kinks, and bins of an encoding have edges.
    np.testing.assert_allclose(found.values.sum(axis=1) + found.base_values, expected, atol=2e-3)
    np.testing.assert_allclose(found.base_values, model.predict(X[9:10])[0, 1], rtol=1e-12)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5)])
def test_smooth_networks_need_few_steps(dtype: str, tolerance: float) -> None:
    model = network(fm.Dense(1), X[:, 0] * X[:, 2], dtype=dtype)
    found = model.attributions(X)
    assert found.values.dtype == found.base_values.dtype == dtype
    sums = found.values.sum(axis=1) + found.base_values
    np.testing.assert_allclose(sums, model.predict(X)[:, 0], rtol=0, atol=tolerance)


def test_a_linear_network_by_hand() -> None:
    model = fm.Sequential([fm.Dense(2)], dtype="float64").build(3)
    model.parameters["0.weight"][...] = [[1.0, 0.0], [2.0, -1.0], [0.0, 5.0]]
    model.parameters["0.bias"][...] = [7.0, 8.0]
    found = model.attributions([[1, 2, 3], [4, 5, 6]], baseline=[1, 1, 1], output=[0, 1])
    np.testing.assert_allclose(found.values, [[0, 2, 0], [0, -4, 25]], atol=1e-12)
    np.testing.assert_allclose(found.base_values, [10, 12])
    np.testing.assert_allclose(found.importance, [0, 3, 12.5])
    np.testing.assert_allclose(model.attributions([[1, 2, 3]], output=0).values, [[1, 4, 0]])
    assert "output 0" in str(model.attributions([[1, 2, 3]], output=0))


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-13), ("float32", 2e-6)])
@pytest.mark.parametrize("n_steps", [1, 20, 50])
def test_the_numbers_are_captums(dtype: str, tolerance: float, n_steps: int) -> None:
    """Its ``IntegratedGradients``: the nodes of Gauss and Legendre, gradients by PyTorch."""
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    layers = [
        fm.Dense(16, "gelu"),
        fm.BatchNorm(),
        fm.Residual([fm.Dense(16, "relu")]),
        fm.Dense(3, "softmax"),
    ]
    model = fm.Sequential(layers, dtype=dtype, random_state=0)
    model.fit(X, Y, epochs=4, verbose=0)
    tensors = {**model.parameters, **model.buffers}
    p = {name: torch.from_numpy(np.array(values)) for name, values in tensors.items()}

    def forward(x: Any) -> Any:
        h = functional.gelu(x @ p["0.weight"] + p["0.bias"])
        mean, var = p["1.running_mean"], p["1.running_var"]
        h = functional.batch_norm(h, mean, var, p["1.gamma"], p["1.beta"], False, 0.1, 1e-5)
        h = h + torch.relu(h @ p["2.0.weight"] + p["2.0.bias"])
        return torch.softmax(h @ p["3.weight"] + p["3.bias"], dim=1)

    x, start = torch.from_numpy(X.astype(dtype)), torch.from_numpy(X[:1].astype(dtype))
    classes = model.predict(X).argmax(axis=1)
    nodes, weights = np.polynomial.legendre.leggauss(n_steps)
    expected = np.zeros(X.shape)
    for node, weight in zip((1 + nodes) / 2, weights / 2, strict=True):
        point = (start + node * (x - start)).requires_grad_()
        forward(point)[range(len(X)), classes].sum().backward()
        expected += weight * ((x - start) * point.grad).numpy()
    found = model.attributions(X, baseline=X[0], n_steps=n_steps)
    assert found.explained == "probability of the predicted class"
    np.testing.assert_allclose(found.values, expected, rtol=0, atol=tolerance)


def test_backends_give_the_same_bits(backend: str) -> None:
    expected = trained(fm.Scale, "numpy", dtype="float32")
    model = fm.Sequential(expected.layers, backend=backend, dtype="float32").build(X.shape[1])
    for name, values in expected.parameters.items():
        model.parameters[name][...] = values
    found, other = (each.attributions(X, output=0) for each in (model, expected))
    np.testing.assert_array_equal(found.values, other.values)
    np.testing.assert_array_equal(found.base_values, other.base_values)


def test_what_is_explained() -> None:
    two = network(fm.Dense(1, "sigmoid"), np.array(["no", "yes"])[(X[:, 0] > 0).astype(int)])
    assert two.attributions(X).explained == "probability of yes"
    three = network(fm.Dense(3, "softmax"), np.array(["a", "b", "c"])[Y])
    assert three.attributions(X, output=2).explained == "probability of c"
    best = three.predict(X).argmax(axis=1)
    one_by_one = three.attributions(X, output=best)
    np.testing.assert_array_equal(three.attributions(X).values, one_by_one.values)
    several = network(fm.Dense(2), X[:, :2])
    with pytest.raises(ValueError, match="2 outputs; say which one is to be explained"):
        several.attributions(X)
    for output in (2, -1, [0, 2]):
        with pytest.raises(ValueError, match=r"output must be (from 0 to 1|the number)"):
            several.attributions(X[:2], output=output)
    with pytest.raises(ValueError, match="number of an output, or one for each of the 60 rows"):
        several.attributions(X, output="first")


def test_baselines_are_rows_of_x() -> None:
    model = network(fm.Dense(1), X[:, 0])
    mean = X.mean(axis=0)
    expected = model.attributions(X, baseline=mean).values
    for same in (mean[np.newaxis], np.tile(mean, (len(X), 1)), mean.tolist()):
        np.testing.assert_array_equal(model.attributions(X, baseline=same).values, expected)
    with pytest.raises(ValueError, match="one for each of the 60 rows of X; got 2 rows"):
        model.attributions(X, baseline=X[:2])
    with pytest.raises(ValueError, match="baseline has 5 columns"):
        model.attributions(X, baseline=mean[:5])
    with pytest.raises(ValueError, match="n_steps must be"):
        model.attributions(X, n_steps=0)


def test_names_of_a_frame() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcdef"))
    model = network(fm.Dense(1), X[:, 0], frame)
    found = model.attributions(frame, baseline=frame.mean())
    assert found.columns == tuple("abcdef")
    with pytest.raises(ValueError, match="baseline"):
        model.attributions(frame, baseline=frame.mean()[::-1])
    first = str(found).split("\n")[1]
    assert first.split()[0] == found.columns[int(found.importance.argmax())]
    assert repr(found) == "<Attributions of 6 columns to the prediction, 60 rows>"


def test_two_inputs() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    layer = fm.WideAndDeep(1, deep=[fm.Dense(5, "tanh")])
    model = fm.Sequential([layer], dtype="float64", random_state=0)
    pair = (X[:, :2], X[:, 2:])
    model.fit(pair, X[:, 0], epochs=2, verbose=0)
    found = model.attributions(pair, baseline=(X[0, :2], X[0, 2:]))
    assert found.columns == ("X_wide 0", "X_wide 1", *(f"X_deep {place}" for place in range(4)))
    weight = model.parameters["0.wide_weight"][:, 0]
    np.testing.assert_allclose(found.values[:, :2], (X[:, :2] - X[0, :2]) * weight, atol=1e-12)
    sums = found.values.sum(axis=1) + found.base_values
    np.testing.assert_allclose(sums, model.predict(pair)[:, 0], atol=1e-9)
    with pytest.raises(TypeError, match=r"attributions are dense.*toarray"):
        model.attributions((sparse.csr_matrix(pair[0]), pair[1]))


def test_codes_have_none() -> None:
    layers = [fm.Branch([], [fm.Dense(2)]), example(fm.Embedding), fm.Dense(1)]
    model = fm.Sequential(layers[1:], backend="numpy").build(6)
    with pytest.raises(ValueError, match=r"columns \[1\] of X are codes of an Embedding"):
        model.attributions(X)


def test_bounds() -> None:
    model = fm.Sequential([fm.Dense(1), fm.Clip(-1.0, 1.0)], dtype="float64").build(1)
    model.parameters["0.weight"][...] = 1.0
    # From 0 to 4 the prediction rises a quarter of the way.
    found: Attributions = model.attributions([[4.0], [0.5]], n_steps=500)
    np.testing.assert_allclose(found.values, [[1.0], [0.5]], atol=5e-3)


@pytest.mark.parametrize("points", [1, 30, 200])
def test_blocks_do_not_matter(points: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model = trained(fm.Dense, "numpy")
    expected: Array = model.attributions(X, output=0, n_steps=20).values
    monkeypatch.setattr(attributions, "_BLOCK_POINTS", points)
    found = model.attributions(X, output=0, n_steps=20).values
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-14)
