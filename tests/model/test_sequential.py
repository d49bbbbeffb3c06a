"""What `Sequential` shows of itself: names, views, gradients, activations, steps, forms of X."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from plain_models import N, classes, copies, data, everything, network
from states import contents

import fastmlp as fm


def test_names_and_shapes(backend: str) -> None:
    layers = [
        fm.Dense(5),
        fm.BatchNorm(),
        fm.Activation("relu"),
        fm.Residual([fm.Dense(7, use_bias=False), fm.Residual([fm.BatchNorm()]), fm.Dense(5)]),
        fm.Residual([fm.Dense(3)], shortcut=[fm.Dense(3)]),
        fm.WideAndDeep(2, deep=[fm.Dense(4, "relu")], wide=[1]),
    ]
    model = network(backend, layers).build(6)
    shapes = {name: value.shape for name, value in model.parameters.items()}
    assert shapes == {
        "0.weight": (6, 5),
        "0.bias": (5,),
        "1.gamma": (5,),
        "1.beta": (5,),
        "3.0.weight": (5, 7),
        "3.1.0.gamma": (7,),
        "3.1.0.beta": (7,),
        "3.2.weight": (7, 5),
        "3.2.bias": (5,),
        "4.shortcut.0.weight": (5, 3),
        "4.shortcut.0.bias": (3,),
        "4.0.weight": (5, 3),
        "4.0.bias": (3,),
        "5.0.weight": (3, 4),
        "5.0.bias": (4,),
        "5.weight": (4, 2),
        "5.wide_weight": (1, 2),
        "5.bias": (2,),
    }
    assert list(model.parameters)[:4] == ["0.weight", "0.bias", "1.gamma", "1.beta"]
    assert list(model.buffers) == [
        "1.running_mean",
        "1.running_var",
        "3.1.0.running_mean",
        "3.1.0.running_var",
    ]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_views_are_live_and_stay_valid(backend: str, dtype: str) -> None:
    X, y = data()
    layers = [fm.Dense(6), fm.BatchNorm(), fm.Activation("tanh"), fm.Dense(1)]
    model = network(backend, layers, dtype=dtype).build(4)
    views = {**model.parameters, **model.buffers}
    first = copies(views)

    def assert_live() -> None:
        now = {**model.parameters, **model.buffers}
        for name, view in views.items():
            assert view.dtype == dtype
            assert np.shares_memory(view, now[name])
            np.testing.assert_array_equal(view, now[name])

    model.fit(X, y, epochs=2, verbose=0)
    assert_live()
    assert all((views[name] != first[name]).any() for name in views if name != "0.bias")
    model.build(4)
    assert_live()
    model.train_step(X, y)
    assert_live()
    model.reset()
    assert_live()
    for name, value in first.items():
        np.testing.assert_array_equal(views[name], value, err_msg=name)
    model.fit(X, y, epochs=1, verbose=0)
    assert_live()
    views["3.weight"][...] = 0.0
    views["3.bias"][...] = 2.5
    np.testing.assert_array_equal(model.predict(X), np.full((N, 1), 2.5))


def test_written_parameters_are_trained_from(backend: str) -> None:
    X, y = data()
    model, other = network(backend).build(4), network(backend, random_state=8).build(4)
    for name, value in model.parameters.items():
        other.parameters[name][...] = value
    model.fit(X, y, epochs=2, shuffle=False, verbose=0)
    other.fit(X, y, epochs=2, shuffle=False, verbose=0)
    for name, value in model.parameters.items():
        np.testing.assert_array_equal(other.parameters[name], value)


def test_the_mapping_itself_cannot_be_changed(backend: str) -> None:
    model = network(backend).build(4)
    with pytest.raises(TypeError):
        model.parameters["0.weight"] = np.zeros((4, 6))  # type: ignore[index]


def test_build_checks_the_width_afterwards(backend: str) -> None:
    X, y = data()
    model = network(backend).build(4)
    before = copies(model.parameters)
    assert model.build(4) is model
    with pytest.raises(ValueError, match=r"4 features, got 5"):
        model.build(5)
    for name, value in before.items():
        np.testing.assert_array_equal(model.parameters[name], value)
    unbuilt = network(backend)
    model.fit(X, y, verbose=0)
    unbuilt.fit(X, y, verbose=0)
    np.testing.assert_array_equal(model.predict(X), unbuilt.predict(X))


def test_looking_changes_nothing(backend: str) -> None:
    X, y = classes()
    model, plain = everything(backend), everything(backend)
    model.fit(X, y, epochs=2, batch_size=16, verbose=0)
    plain.fit(X, y, epochs=2, batch_size=16, verbose=0)
    before = contents(model)
    model.gradients(X, y)
    model.gradients(X[:5], y[:5], training=False)
    model.gradients(X, y, np.linspace(0, 1, N))
    model.activations(X)
    model.activations(X[:9], training=True)
    model.predict(X)
    model.predict_classes(X)
    model.evaluate(X, y)
    after = contents(model)
    np.testing.assert_equal(after, before)
    model.fit(X, y, epochs=2, batch_size=16, verbose=0)
    plain.fit(X, y, epochs=2, batch_size=16, verbose=0)
    np.testing.assert_equal(contents(model), contents(plain))


def test_gradients_and_activations_are_copies(backend: str) -> None:
    X, y = classes()
    model = everything(backend)
    model.build(4)
    for arrays in (model.gradients(X, y), model.activations(X)):
        again = model.gradients(X, y) if "0.weight" in arrays else model.activations(X)
        kept = copies(again)
        for name, array in arrays.items():
            assert array.flags.writeable
            assert not np.shares_memory(array, again[name])
            assert not np.shares_memory(array, X)
            array[...] = np.nan
        np.testing.assert_equal(again, kept)
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize("weighted", [False, True])
def test_gradients_are_those_of_the_next_step(backend: str, weighted: bool) -> None:
    """Dropout with the next step's mask, batch statistics: at a rate of 1 they are the step."""
    X, y = classes()
    model = everything(backend, "float64", optimizer=fm.SGD(1.0))
    weights = np.linspace(0.0, 2.0, N) if weighted else None
    for _ in range(3):
        gradients = model.build(4).gradients(X, y, weights)
        before = copies(model.parameters)
        model.train_step(X, y, weights)
        for name, gradient in gradients.items():
            np.testing.assert_array_equal(model.parameters[name], before[name] - gradient)


def test_names_of_gradients_and_activations(backend: str) -> None:
    X, y = classes()
    model = everything(backend).build(4)
    assert list(model.gradients(X, y)) == list(model.parameters)
    assert list(model.activations(X)) == [
        "0.preactivation",
        "0.output",
        "1.output",
        "2.output",
        "3.output",
        "4.0.preactivation",
        "4.0.output",
        "4.1.output",
        "4.2.preactivation",
        "4.2.output",
        "4.output",
        "5.preactivation",
        "5.output",
    ]


def test_train_step_is_a_fit_of_one_batch(backend: str) -> None:
    X, y = classes()
    weights = np.linspace(0.5, 2.0, N)
    fitted, stepped = everything(backend), everything(backend)
    for _ in range(3):
        history = fitted.fit(
            X, y, sample_weight=weights, epochs=1, batch_size=None, shuffle=False, verbose=0
        )
        assert stepped.train_step(X, y, weights) == history["loss"][0]
    np.testing.assert_equal(contents(stepped)[0], contents(fitted)[0])
    assert len(stepped.history) == 0


def test_train_steps_are_the_batches_of_a_fit(backend: str) -> None:
    X, y = classes()
    fitted, stepped = everything(backend), everything(backend)
    fitted.fit(X, y, epochs=1, batch_size=16, shuffle=False, verbose=0)
    for start in range(0, N, 16):
        stepped.train_step(X[start : start + 16], y[start : start + 16])
    np.testing.assert_equal(contents(stepped)[0], contents(fitted)[0])
    assert contents(stepped)[1]["step"] == 5


def test_train_step_uses_the_rate_of_the_coming_epoch(backend: str) -> None:
    X, y = data()
    model = network(backend, [fm.Dense(1)], optimizer=fm.SGD(fm.ExponentialDecay(0.5, 0.1)))
    model.fit(X, y, epochs=2, verbose=0)
    gradient, before = model.gradients(X, y)["0.weight"], model.parameters["0.weight"].copy()
    model.train_step(X, y)
    expected = before - 0.5 * 0.1**2 * gradient
    np.testing.assert_allclose(model.parameters["0.weight"], expected, rtol=1e-12)


def test_input_is_not_changed(backend: str) -> None:
    X, y = classes()
    weights = np.linspace(0.5, 2.0, N)
    for array in (X, y, weights):
        array.flags.writeable = False
    model = everything(backend, "float64")
    model.fit(X, y, sample_weight=weights, epochs=1, validation_split=0.2, verbose=0)
    model.train_step(X, y, weights)
    model.gradients(X, y, weights)
    model.evaluate(X, y)
    model.predict(X)
    model.activations(X, training=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_forms_of_the_same_input(backend: str, dtype: str) -> None:
    X = np.random.default_rng(0).integers(0, 200, size=(40, 4)).astype(np.uint8)
    y = X[:, 0] / 100.0
    forms: list[Any] = [
        X,
        X.astype(np.float32),
        X.astype(np.float64),
        X.astype(np.int64),
        X.tolist(),
        np.asfortranarray(X.astype(np.float64)),
        np.repeat(X, 2, axis=0)[::2],
    ]
    results = []
    for form in forms:
        model = network(backend, [fm.BatchNorm(), fm.Dense(3, "tanh"), fm.Dense(1)], dtype=dtype)
        model.fit(form, y[:, np.newaxis], epochs=2, batch_size=16, verbose=0)
        results.append(model.predict(form))
        assert results[-1].dtype == dtype
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


def test_random_state_none_draws_a_seed() -> None:
    a, b = (network("numpy", random_state=None).build(4) for _ in range(2))
    assert a.random_state != b.random_state
    again = network("numpy", random_state=a.random_state).build(4)
    np.testing.assert_array_equal(again.parameters["0.weight"], a.parameters["0.weight"])


def test_declarations_after_construction() -> None:
    """What has no effect any more is refused."""
    X, y = np.eye(4), np.arange(4.0)
    model = fm.Sequential([fm.Dense(1)], random_state=0)
    model.optimizer, model.random_state = "sgd", 5
    other = fm.Sequential([fm.Dense(1)], optimizer="sgd", random_state=5)
    for each in (model, other):
        each.fit(X, y, epochs=2, verbose=0)
    np.testing.assert_array_equal(model.predict(X), other.predict(X))
    with pytest.raises(AttributeError, match="the model is built, and its optimizer has its state"):
        model.optimizer = "adam"
    model.random_state = 6
    np.testing.assert_array_equal(model.predict(X), other.predict(X))
    model.reset()
    fresh = fm.Sequential([fm.Dense(1)], random_state=6).build(4)
    np.testing.assert_array_equal(model.predict(X), fresh.predict(X))
    with pytest.raises(AttributeError):
        model.layers = [fm.Dense(2)]  # type: ignore[misc]
