"""What every layer that is declared can do, on both backends."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from layer_examples import LAYERS, X, Y, example, network, tensors_of, trained

import fastmlp as fm
from fastmlp.network.layers import Layer

every_layer = pytest.mark.parametrize("kind", LAYERS, ids=lambda kind: kind.__name__)


@every_layer
def test_users_find_it(kind: type[Layer]) -> None:
    assert kind.__name__ in fm.__all__
    assert getattr(fm, kind.__name__) is kind


@every_layer
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-9), ("float32", 1e-3)])
def test_backends_train_alike(kind: type[Layer], dtype: str, tolerance: float) -> None:
    pytest.importorskip("numba")
    expected, found = (trained(kind, backend, dtype=dtype) for backend in ("numpy", "numba"))
    assert expected.history["loss"][-1] != expected.history["loss"][0]
    np.testing.assert_allclose(found.history["loss"], expected.history["loss"], rtol=tolerance)
    for name, tensor in tensors_of(expected).items():
        np.testing.assert_allclose(
            tensors_of(found)[name], tensor, rtol=0, atol=tolerance, err_msg=name
        )
    np.testing.assert_allclose(found.predict(X), expected.predict(X), rtol=0, atol=tolerance)


@every_layer
@pytest.mark.parametrize("training", [False, True])
def test_gradients_against_differences(kind: type[Layer], backend: str, training: bool) -> None:
    model = trained(kind, backend)
    checked = fm.check_gradients(model, X[:20], Y[:20], training=training)
    assert checked.ok, str(checked)


@every_layer
def test_threads_do_not_change_the_bits(kind: type[Layer]) -> None:
    pytest.importorskip("numba")
    models = []
    for threads in (1, 2):
        model = network(kind, "numba", dtype="float32", width=256, n_threads=threads)
        model.fit(X, Y, epochs=2, batch_size=50, verbose=0)
        models.append(model)
    for name, expected in tensors_of(models[0]).items():
        np.testing.assert_array_equal(tensors_of(models[1])[name], expected, err_msg=name)


@every_layer
def test_a_file_goes_on_where_the_model_was(
    kind: type[Layer], backend: str, tmp_path: Path
) -> None:
    model = trained(kind, backend)
    model.save(tmp_path / "model.safetensors")
    loaded = fm.load(tmp_path / "model.safetensors", backend=backend)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    for one in (model, loaded):
        one.fit(X, Y, epochs=1, batch_size=16, verbose=0)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


@every_layer
def test_a_frozen_network_predicts_the_same(kind: type[Layer], backend: str) -> None:
    model = trained(kind, backend)
    predictor = model.freeze()
    np.testing.assert_allclose(predictor(X), model.predict(X), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(predictor(X[0]), model.predict(X[:1])[0], rtol=1e-9, atol=1e-12)


@every_layer
def test_it_is_explained_with_the_numbers_of_the_model(kind: type[Layer], backend: str) -> None:
    model = trained(kind, backend)
    before = tensors_of(network(kind, backend).build(X.shape[1]))
    explanation = model.explain(X[0], Y[0])
    gradients = model.gradients(X[:1], Y[:1])
    for name, gradient in gradients.items():
        step = explanation.find("backward", f"d_{name}")
        np.testing.assert_allclose(step.values[f"d_{name}"], gradient, rtol=1e-9, atol=1e-14)
    assert gradients.keys() <= before.keys()
    output = explanation.find("forward", "0.output").values["0.output"]
    expected = model.activations(X[:1], training=kind is fm.BatchNorm)["0.output"]
    if kind is not fm.Dropout:
        np.testing.assert_allclose(output, expected, rtol=1e-9, atol=1e-14)


@every_layer
def test_arguments_are_kept(kind: type[Layer]) -> None:
    layer = example(kind)
    model = fm.Sequential([layer, fm.Dense(2)], backend="numpy")
    assert model.layers[0] == layer
