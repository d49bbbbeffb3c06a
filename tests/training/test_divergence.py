"""What is left of training that leaves the finite numbers."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from small_models import NUMBERS, X, assert_usable, network

import fastmlp as fm

BACKENDS = fm.kernels.available_backends()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("method", ["fit", "train_step"])
@pytest.mark.parametrize("scale", [1e25, 1e38])
def test_divergence_leaves_parameters_and_running_statistics(scale, method, backend):
    """At 1e25 the variance of a column overflows, at 1e38 its mean, and with it the loss."""
    model = fm.Sequential([fm.BatchNorm(), fm.Dense(1)], random_state=1, backend=backend)
    model.fit(X, NUMBERS, epochs=1, batch_size=4, verbose=0)
    before = copy.deepcopy((dict(model.parameters), dict(model.buffers), model.history.to_dict()))
    x = np.full_like(X, scale)
    x[0] = -scale
    arguments = {"epochs": 1, "verbose": 0} if method == "fit" else {}
    with pytest.raises(fm.DivergenceError, match=r"not finite in epoch 1, batch 0.* layer 0"):
        getattr(model, method)(x, NUMBERS, **arguments)
    after = dict(model.parameters), dict(model.buffers), model.history.to_dict()
    np.testing.assert_equal(after, before)
    assert_usable(model, "numbers")


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_update_that_diverges_is_undone(backend):
    """The loss of the batch is finite, the parameters after its update are not."""
    model = network("numbers", backend, optimizer=fm.SGD(1e38)).build(3)
    before = copy.deepcopy(dict(model.parameters))
    with pytest.raises(fm.DivergenceError, match="not finite"):
        model.train_step(100 * X, 100 * NUMBERS)
    np.testing.assert_equal(dict(model.parameters), before)


@pytest.mark.parametrize("backend", BACKENDS)
def test_numbers_that_overflow_are_reported_by_results_not_warnings(backend):
    model = network("numbers", backend).build(3)
    assert not np.isfinite(model.evaluate(X, NUMBERS * 1e37)["loss"])
    for training in (True, False):
        model.gradients(X, NUMBERS * 1e37, training=training)
    model.parameters["0.weight"][...] *= 1e30
    model.activations(X * np.float32(1e30))
    model.predict(X * np.float32(1e30))
