"""What y may be for `MLPRegressor`."""

from __future__ import annotations

import numpy as np
import pytest
from twin_estimators import assert_alike, fit_both, made, quietly

import fastmlp as fm

X = np.random.default_rng(0).normal(size=(60, 3))


@pytest.mark.parametrize(
    "y", [X[:, 0] > 0, np.arange(60), X[:, :2].astype(np.float32), X[:, :1] * 2, X[:, 0].tolist()]
)
def test_targets(y: object) -> None:
    both = made("MLPRegressor", max_iter=5, random_state=0, hidden_layer_sizes=(4,))
    fit_both(both, "fit", X, y)
    # In theirs a target of single precision is subtracted as such.
    assert_alike(*both, rtol=1e-6)
    assert both[1].predict(X).shape == both[0].predict(X).shape


def test_counts_below_zero_are_not_refused() -> None:
    both = made("MLPRegressor", loss="poisson", max_iter=3, random_state=0)
    with np.errstate(all="ignore"):
        fit_both(both, "fit", X, X[:, 0])
    for theirs, ours in zip(both[0].coefs_, both[1].coefs_, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-8)
    assert np.isnan(both[1].loss_)


def test_all_at_once_has_single_epochs_that_are_fits() -> None:
    both = made("MLPRegressor", solver="lbfgs", max_iter=4, random_state=0, activation="tanh")
    fit_both(both, "partial_fit", X, X[:, 0])
    fit_both(both, "partial_fit", X, X[:, 0])
    assert_alike(*both, rtol=1e-6)


def test_the_first_argument_is_the_loss() -> None:
    model = fm.MLPRegressor("poisson", (3,))
    assert (model.loss, model.hidden_layer_sizes) == ("poisson", (3,))
    quietly(model.fit, X, np.ones(60))
    assert model.out_activation_ == "exp"
    assert (model.predict(X) > 0).all()
