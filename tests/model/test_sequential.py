"""What `Sequential` shows of itself: names, views, gradients, activations, steps, forms of X."""

from __future__ import annotations

import numpy as np
import pytest
from plain_models import N, classes, copies, data, everything, network
from small_models import (
    CODES,
    X,
    assert_refused_unchanged,
    fitted,
)
from small_models import network as small_network
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


def test_build_checks_the_width_afterward(backend: str) -> None:
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


def test_classes_of_a_regression(tmp_path):
    assert_refused_unchanged(
        *(fitted("numbers"), "numbers", lambda model: model.predict_classes(X), ValueError),
        *(r"predict_classes needs a classifier: .* not in linear; use predict", tmp_path / "model"),
    )


def test_weights_of_another_network(tmp_path):
    other = fm.Sequential([fm.Dense(3), fm.Dense(1)], random_state=5, backend="numpy").build(3)
    message = "another network"
    for snapshot in (other.get_weights(), fitted("letters").get_weights()):
        assert_refused_unchanged(
            fitted("classes"),
            "classes",
            lambda model, snapshot=snapshot: model.set_weights(snapshot),
            ValueError,
            message,
            tmp_path / "model",
        )


BACKENDS = fm.kernels.available_backends()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "use",
    [
        lambda model, path: model.predict(X),
        lambda model, path: model.predict_classes(X),
        lambda model, path: model.evaluate(X, CODES),
        lambda model, path: model.gradients(X, CODES),
        lambda model, path: model.activations(X),
        lambda model, path: model.summary(),
        lambda model, path: model.buffers,
        lambda model, path: model.get_weights(),
        lambda model, path: model.save(path),
    ],
)
def test_what_needs_parameters_says_so(use, backend, tmp_path):
    with pytest.raises(ValueError, match=r"no parameters yet; call fit\(X, y\) or build\(n_feat"):
        use(small_network("classes", backend), tmp_path / "model")
    assert not list(tmp_path.iterdir())
