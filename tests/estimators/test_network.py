"""The network behind an estimator: first weights, packing, the link to the coefficients."""

from __future__ import annotations

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.estimators.network import (
    Link,
    compare_widths,
    first_weights,
    layer_shapes,
    make_network,
    pack,
    unpack,
)
from fastmlp.estimators.objective import optimizer_of


def network(**arguments: object) -> fm.Sequential:
    estimator = fm.MLPClassifier(**arguments)
    estimator.out_activation_ = "softmax"
    return make_network(estimator, layer_shapes(4, [5], 3), "float64", optimizer_of(estimator))


def test_shapes() -> None:
    assert layer_shapes(4, [5, 6], 3) == [(4, 5), (5, 6), (6, 3)]
    assert layer_shapes(4, [], 1) == [(4, 1)]


def test_what_is_declared() -> None:
    model = network(alpha=0.5, activation="identity")
    first = model.layers[0]
    assert isinstance(first, fm.Dense)
    assert (first.units, first.l2, first.mean_penalty) == (5, 0.5, True)
    assert model.loss == fm.CategoricalCrossentropy(clip=float(np.finfo(np.float64).eps))


@pytest.mark.parametrize(
    ("activation", "factors"),
    [
        ("relu", (6.0, 6.0, 6.0)),
        ("logistic", (2.0, 2.0, 2.0)),
        (["Sigmoid", "mish"], (2.0, 6.0, 6.0)),
    ],
)
def test_first_weights(activation: object, factors: tuple[float, ...]) -> None:
    estimator = fm.MLPClassifier(activation=activation)
    shapes = [(4, 5), (5, 6), (6, 3)]
    weights, biases = first_weights(estimator, shapes, np.random.RandomState(3))
    rng = np.random.RandomState(3)
    for weight, bias, shape, factor in zip(weights, biases, shapes, factors, strict=True):
        bound = np.sqrt(factor / sum(shape))
        np.testing.assert_array_equal(weight, rng.uniform(-bound, bound, shape))
        np.testing.assert_array_equal(bias, rng.uniform(-bound, bound, shape[1]))


@pytest.mark.parametrize(("activation", "factor"), [("logistic", 2.0), ("relu", 6.0), ([], 6.0)])
def test_first_weights_of_a_linear_model(activation: object, factor: float) -> None:
    estimator = fm.MLPClassifier(activation=activation)
    weights, _ = first_weights(estimator, [(4, 3)], np.random.RandomState(3))
    bound = np.sqrt(factor / 7)
    expected = np.random.RandomState(3).uniform(-bound, bound, (4, 3))
    np.testing.assert_array_equal(weights[0], expected)


def test_packing() -> None:
    model, rng = network(), np.random.default_rng(0)
    link = Link(model)
    for array in (*link.coefs, *link.intercepts):
        array[...] = rng.normal(size=array.shape)
    packed = pack(link.coefs, link.intercepts)
    # All weights come before all biases.
    np.testing.assert_array_equal(packed[:20], model.parameters["0.weight"].ravel())
    np.testing.assert_array_equal(packed[-3:], model.parameters["1.bias"])
    unpack(2 * packed, link.coefs, link.intercepts)
    np.testing.assert_array_equal(pack(link.coefs, link.intercepts), 2 * packed)


def test_a_link_follows_other_arrays() -> None:
    link = Link(network())
    given = [np.ones((4, 5)), link.coefs[1]]
    assert link.fits(given)
    assert not link.fits([np.ones((4, 6)), np.ones((6, 3))])
    link.update(given, link.intercepts)
    assert (link.model.parameters["0.weight"] == 1).all()


def test_a_network_that_goes_on_keeps_its_widths() -> None:
    coefs = [np.zeros((3, 5)), np.zeros((5, 4)), np.zeros((4, 1))]
    compare_widths(coefs, [5, 4])
    with pytest.warns(UserWarning, match=r"layers of \[5, 4\] units, not of \[5, 6\]"):
        compare_widths(coefs, [5, 6])
    with pytest.raises(ValueError, match=r"the 2 hidden layers there are.* now ask for 1"):
        compare_widths(coefs, [5])
