"""Registered activations and losses: what is refused, and that both backends run them alike."""

from __future__ import annotations

import copy
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from registered import ACTIVATIONS, LOSSES, RNG, X, register

import fastmlp as fm
from fastmlp.declarations import activations, custom
from fastmlp.kernels import custom as kernel_custom

pytestmark = pytest.mark.usefixtures("registrations")


BACKENDS = ["numpy", "numba"]
Y = X[:, 0] * X[:, 1]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_whole_fits_agree(name: str) -> None:
    pytest.importorskip("numba")
    register(name)
    register("log_cosh")
    results = []
    for backend in BACKENDS:
        layers = [fm.Dense(12, name), fm.BatchNorm(), fm.Activation(name), fm.Dense(1)]
        model = fm.Sequential(layers, "log_cosh", "adam", "float64", backend, random_state=0)
        model.fit(X, Y, epochs=5, batch_size=32, verbose=0)
        results.append({**model.parameters, "prediction": model.predict(X)})
    tolerance = 1e-9 if ACTIVATIONS[name][1] else 1e-7
    for key, values in results[0].items():
        np.testing.assert_allclose(results[1][key], values, rtol=0, atol=tolerance, err_msg=key)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_against_differences(loss: str, backend: str) -> None:
    if backend == "numba":
        pytest.importorskip("numba")
    register(loss)
    register("softsign")
    layers = [fm.Dense(6, "softsign"), fm.Dense(2, "tanh")]
    model = fm.Sequential(layers, loss, dtype="float64", backend=backend, random_state=0).build(4)
    y = RNG.normal(size=(30, 2))
    gradients = model.gradients(X[:30], y)
    for key, view in model.parameters.items():
        direction = RNG.normal(size=view.shape)
        before, values = view.copy(), []
        for sign in (1.0, -1.0):
            view[...] = before + sign * 1e-6 * direction
            values.append(model.evaluate(X[:30], y)["loss"])
        view[...] = before
        assert (gradients[key] * direction).sum() == pytest.approx(
            (values[0] - values[1]) / 2e-6, rel=1e-5, abs=1e-7
        )


def test_names_in_any_case_and_objects() -> None:
    made = fm.register_activation("SoftSign", *ACTIVATIONS["softsign"])  # type: ignore[arg-type]
    assert made == fm.Dense(1, "softsign").activation == fm.Dense(1, "SOFTSIGN").activation
    assert fm.Dense(1, made).activation == made
    loss = register("log_cosh")
    assert fm.Sequential([fm.Dense(1)], loss=loss).loss is loss


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_name_registered_again_stands_for_the_new_function(backend: str) -> None:
    if backend == "numba":
        pytest.importorskip("numba")
    outputs = []
    for factor in (2.0, 3.0):
        fm.register_activation("times", lambda z, f=factor: f * z, lambda z, f=factor: f)
        model = fm.Sequential(
            [fm.Dense(3, "times")], dtype="float64", backend=backend, random_state=0
        )
        model.build(4)
        outputs.append((model, model.predict(X)))
    np.testing.assert_allclose(outputs[1][1] / outputs[0][1], 1.5)
    # A network that was built keeps its function.
    model, first = outputs[0]
    np.testing.assert_array_equal(model.predict(X), first)


def test_saved_and_loaded(tmp_path: Path) -> None:
    register("softsign")
    register("log_cosh")
    model = fm.Sequential([fm.Dense(3, "softsign"), fm.Dense(1)], "log_cosh", backend="numpy")
    model.fit(X, Y, epochs=1, verbose=0)
    path = tmp_path / "model.safetensors"
    model.save(path)
    np.testing.assert_array_equal(fm.load(path, backend="numpy").predict(X), model.predict(X))
    for table in (kernel_custom.ACTIVATIONS, activations.ACTIVATIONS):
        table.pop("softsign")  # type: ignore[attr-defined]
    with pytest.raises(
        fm.ModelFileError,
        match=r"needs a function of yours: .*call fm.register_activation\('softsign', \.\.\.\)",
    ):
        fm.load(path)


@pytest.mark.parametrize("backend", BACKENDS)
def test_copies_keep_the_function_and_pickles_its_digests(backend: str) -> None:
    if backend == "numba":
        pytest.importorskip("numba")
    fm.register_activation("times", lambda z: 2 * z, lambda z: 2.0)
    register("log_cosh")
    layers = [fm.Dense(3, "times"), fm.BatchNorm(), fm.Dropout(0.2), fm.Dense(1)]
    model = fm.Sequential(layers, "log_cosh", backend=backend, random_state=0)
    model.fit(X, Y, epochs=2, verbose=0)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    fm.register_activation("times", lambda z: 3 * z, lambda z: 3.0)
    for other in (again, copy.deepcopy(model)):
        other.fit(X, Y, epochs=2, verbose=0)
    before = model.predict(X)
    model.fit(X, Y, epochs=2, verbose=0)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    np.testing.assert_array_equal(other.predict(X), model.predict(X))
    assert not np.array_equal(before, model.predict(X))
    with pytest.raises(ValueError, match="registered as 'times' is another function"):
        pickle.loads(pickle.dumps(model))
    saved = pickle.dumps(model.layers[0])
    del kernel_custom.ACTIVATIONS["times"]
    with pytest.raises(ValueError, match=r"call fm.register_activation\('times', \.\.\.\)"):
        pickle.loads(saved)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("relu", lambda z: z, lambda z: 1.0), ValueError, "the name of fastmlp's own activation"),
        (("two words", lambda z: z, lambda z: 1.0), ValueError, "letters, digits and underscores"),
        ((3, lambda z: z, lambda z: 1.0), TypeError, "must be a string, got 3"),
        (("f", 2.0), TypeError, "forward must be a function, got 2.0"),
        (("f", lambda: 1.0), TypeError, "forward must take one number and return one"),
        (("f", lambda z: "text"), TypeError, "forward must take one number and return one"),
        (("f", lambda z: z, lambda: 1.0), TypeError, "derivative must take one number"),
        (("f", lambda z: z, lambda z, out, y: z), TypeError, "derivative must take one number"),
        (("f", lambda z: z, lambda z, out: "1"[2]), TypeError, "must take z and the output"),
        (("f", lambda z: z * z, lambda z, out: out), ValueError, "does not fit"),
        (("f", lambda z: z * math.nan, lambda z: 1.0), ValueError, "not finite at any"),
        (("f", lambda z: z * z, lambda z: z), ValueError, "does not fit: at .* finite differences"),
        (("f", abs, lambda z: 1.0), ValueError, "does not fit"),
    ],
)
def test_what_cannot_be_registered(
    arguments: tuple[Any, ...], error: type[Exception], message: str
) -> None:
    before = dict(activations.ACTIVATIONS)
    with pytest.raises(error, match=message):
        fm.register_activation(*arguments)
    assert before == activations.ACTIVATIONS


def test_losses_that_cannot_be_registered() -> None:
    with pytest.raises(ValueError, match="the name of fastmlp's own loss"):
        fm.register_loss("mse", lambda p, y: p - y)
    with pytest.raises(TypeError, match="must take two numbers, the prediction and y"):
        fm.register_loss("mine", lambda p: p)
    with pytest.raises(ValueError, match="does not fit"):
        fm.register_loss("mine", lambda p, y: (p - y) ** 2, lambda p, y: 2 * (y - p))


def test_a_registered_loss_goes_with_all_but_softmax() -> None:
    register("log_cosh")
    for activation in ("linear", "tanh", "sigmoid", "exp"):
        fm.Sequential([fm.Dense(2, activation)], loss="log_cosh")
    with pytest.raises(ValueError, match="does not go with the output activation 'softmax'"):
        fm.Sequential([fm.Dense(2, "softmax")], loss="log_cosh")


def test_declarations_need_the_registration() -> None:
    with pytest.raises(ValueError, match=r"no loss is registered as 'none'; call fm.register_loss"):
        custom.CustomLoss("none")
