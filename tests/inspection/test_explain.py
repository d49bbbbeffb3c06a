"""`Sequential.explain` tells the model's own numbers, and changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from architectures import OPTIMIZERS, optimizer
from explained_models import (
    X,
    Y,
    assert_is_the_model,
    everything,
    fitted,
    last_values,
)
from states import contents

import fastmlp as fm


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_numbers_are_those_of_the_model(kind: str, dtype: str) -> None:
    model = fitted("numpy", optimizer=optimizer(kind, "OneCycle", {}), dtype=dtype)
    assert_is_the_model(model, X, Y, 4)


def test_numbers_are_those_of_the_model_in_numba() -> None:
    pytest.importorskip("numba")
    clip = {"clip_value": 0.05, "clip_norm": 0.1}
    assert_is_the_model(fitted("numba", optimizer=fm.Adam(0.01, **clip)), X, Y, 4)


def test_a_prediction_is_explained_without_a_target(backend: str) -> None:
    model = fitted(backend)
    explanation = model.explain(X[7])
    assert {step.part for step in explanation.steps} == {"forward"}
    activations = model.activations(X[7:8])
    found = last_values(explanation, "forward")
    assert found.keys() <= {"input", *activations, "6.weight product", "6.wide_weight product"} | {
        name for name in found if name.startswith("value ")
    }
    for name in found.keys() & activations.keys():
        np.testing.assert_array_equal(found[name], activations[name])
    np.testing.assert_allclose(found["6.output"], model.predict(X[7:8]), rtol=1e-12)


def test_nothing_changes(backend: str) -> None:
    model, plain = fitted(backend), fitted(backend)
    before = contents(model)
    for y in (None, Y[0]):
        str(model.explain(X[0], y))
    np.testing.assert_equal(contents(model), before)
    for each in (model, plain):
        each.fit(X, Y, epochs=2, batch_size=10, verbose=0)
    np.testing.assert_equal(contents(model), contents(plain))


def test_changing_the_model_leaves_an_explanation_as_it_was() -> None:
    model = fitted("numpy")
    explanation = model.explain(X[0], Y[0])
    text = str(explanation)
    model.fit(X, Y, epochs=2, verbose=0)
    assert str(explanation) == text


@pytest.mark.usefixtures("registrations")
def test_functions_of_users_own(backend: str) -> None:
    fm.register_activation("explained_soft", lambda z: z / (1 + abs(z)), soft_slope)
    fm.register_loss("explained_fourth", lambda p, y: (p - y) ** 4, lambda p, y: 4 * (p - y) ** 3)
    layers = [fm.Dense(3, "explained_soft"), fm.Dense(1)]
    model = fm.Sequential(layers, loss="explained_fourth", backend=backend, random_state=0).build(4)
    text = str(model.explain(X[0], 0.5))
    assert "0.output = explained_soft(z), z = 0.preactivation" in text
    assert "loss = explained_fourth(p, t)" in text
    assert_is_the_model(model, X, Y.astype(float), 0)


def soft_slope(z: float) -> float:
    return 1 / (1 + abs(z)) ** 2


def test_one_example_in_any_form() -> None:
    pandas = pytest.importorskip("pandas")
    model = fitted("numpy")
    expected = str(model.explain(X[0], Y[0]))
    frame = pandas.DataFrame(X, columns=list("abcd"))
    for x, y in ((X[:1], Y[:1]), (X[0].tolist(), int(Y[0])), (frame.iloc[0], Y[0]), (X[0], [Y[0]])):
        assert str(model.explain(x, y)) == expected
    shares = np.zeros(3)
    shares[Y[0]] = 1.0
    assert str(model.explain(X[0], shares)) == expected


def test_labels_as_they_were() -> None:
    names = np.array(["low", "mid", "up"])[Y]
    model = everything("numpy")
    model.fit(X, names, epochs=1, verbose=0)
    target = model.explain(X[0], "mid").find("loss", "loss").values["target"]
    np.testing.assert_array_equal(target, [[0, 1, 0]])
    with pytest.raises(ValueError, match="does not know: 'other'"):
        model.explain(X[0], "other")


def test_refusals() -> None:
    model = everything("numpy")
    with pytest.raises(ValueError, match="no parameters yet"):
        model.explain(X[0])
    model.build(4)
    with pytest.raises(ValueError, match=r"one example, got 2 rows; pass X\[i\]"):
        model.explain(X[:2])
    with pytest.raises(ValueError, match="3 columns, expected 4"):
        model.explain(X[0, :3])
    with pytest.raises(ValueError, match="two-dimensional"):
        model.explain(3.0)
    with pytest.raises(KeyError, match="no step '9.output' in the part 'forward'"):
        model.explain(X[0]).find("forward", "9.output")
