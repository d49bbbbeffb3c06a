"""From a float program to integers: what is taken up, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from int8_networks import freeze, rows_for

import fastmlp as fm


def test_rounding_does_not_shift_outputs() -> None:
    """The bias takes up what weights and codes lose on average."""
    network = freeze([fm.Dense(6, "relu"), fm.Dense(5)], 40)
    x = rows_for(40, 1000)
    shift = (network.quantize(x)(x).astype("f8") - network(x)).mean(axis=0)
    spread = np.abs(network.quantize(x)(x) - network(x)).mean(axis=0)
    assert (np.abs(shift) < 0.02 * spread).all()


def test_sigmoid_of_zero_is_a_half() -> None:
    """Rows on the boundary are in the second class, as in float."""
    model = fm.Sequential([fm.Dense(1, "sigmoid")], backend="numpy", random_state=0).build(2)
    model.parameters["0.weight"][...] = [[1.0], [-1.0]]
    quantized = model.freeze().quantize([[-1.0, -1.0], [1.0, 1.0], [1.0, -1.0], [-1.0, 1.0]])
    assert quantized([0.5, 0.5]).tolist() == [0.5]


def test_constant_features_and_dead_units() -> None:
    layers = [fm.Dense(4, "relu"), fm.Dense(3, "tanh"), fm.Dense(2)]
    model = fm.Sequential(layers, backend="numpy", random_state=0).build(3)
    model.parameters["0.bias"][...] = -1e6
    model.parameters["1.weight"][...] = 0.0
    x = np.array([[5.0, 0.0, -3.0]] * 4)
    network = model.freeze()
    np.testing.assert_allclose(network.quantize(x)(x), network(x), atol=1e-6)
    other = freeze([fm.Dense(4, "tanh"), fm.Dense(2)], 3)
    np.testing.assert_allclose(other.quantize(x[:1])(x), other(x), atol=0.02)


def test_wide_and_deep_is_refused_by_name() -> None:
    layers = [fm.WideAndDeep(1, deep=[fm.Dense(3, "relu")])]
    for n_features, x in ((4, rows_for(4, 5)), ((4, 2), (rows_for(4, 5), rows_for(2, 5)))):
        model = fm.Sequential(layers, backend="numpy", random_state=0).build(n_features)
        with pytest.raises(ValueError, match="WideAndDeep"):
            model.freeze().quantize(x)


def test_embedding_is_refused_by_name() -> None:
    layers = [fm.Embedding(3, 2, column=0), fm.Dense(1)]
    model = fm.Sequential(layers, backend="numpy", random_state=0).build(2)
    with pytest.raises(ValueError, match="Embedding"):
        model.freeze().quantize([[1.0, 0.5]])


@pytest.mark.parametrize("layer", [fm.PeriodicEmbedding(), fm.PiecewiseLinearEmbedding(4)])
def test_layers_are_refused_by_the_names_that_users_know(layer: Any) -> None:
    rows = rows_for(2, 20)
    model = fm.Sequential([layer, fm.Dense(1)], backend="numpy", random_state=0)
    model.fit(rows, rows[:, 0], epochs=1, verbose=0)
    name = type(layer).__name__
    with pytest.raises(ValueError, match=rf"not know {name}; it takes .* float, or train one of"):
        model.freeze().quantize(rows)


def test_what_the_refusal_lists_is_taken() -> None:
    layers = [fm.Scale(), fm.Dense(4), fm.ParametricActivation("selu"), fm.BatchNorm()]
    branch = fm.Branch([fm.Scale()], [fm.Residual([fm.Dense(4)])])
    rows = rows_for(3, 50)
    network = freeze([*layers, branch, fm.Dense(2), fm.Scale()], 3)
    np.testing.assert_allclose(network.quantize(rows)(rows), network(rows), atol=0.1)


def test_values_that_overflow_are_refused() -> None:
    network = freeze([fm.Dense(3, "exp"), fm.Dense(2)], 2, "float64")
    with pytest.raises(ValueError, match="beyond the range of float32"):
        network.quantize([[1e5, 1e5], [-1e5, -1e5], [1e5, -1e5]])
    model = fm.Sequential([fm.Dense(2)], dtype="float64", backend="numpy").build(1)
    model.parameters["0.weight"][...] = 1e300
    with pytest.raises(ValueError, match="more than float32 can hold"):
        model.freeze().quantize([[0.0], [1e-290]])
