"""What y may be for `MLPRegressor`."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
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


def test_targets_that_are_no_numbers() -> None:
    words = np.where(X[:, 0] > 0, "yes", "no")
    for y, told in (
        (words, "y holds texts, such as '(yes|no)'.* fm.MLPClassifier takes classes"),
        (np.full(60, "1.5"), r"texts of numbers become numbers by y.astype\(float\)"),
        (np.full(60, "2024-01-31", "datetime64[D]"), "y holds datetime64.* such as 2024-01-31"),
    ):
        with pytest.raises(ValueError, match=told):
            fm.MLPRegressor().fit(X, y)
        with pytest.raises(ValueError, match="y_val holds"):
            fm.MLPRegressor().fit(X, X[:, 0], X_val=X, y_val=y)
    with pytest.raises(TypeError, match=r"y is a sparse matrix; give y.toarray\(\)"):
        fm.MLPRegressor().fit(X, scipy.sparse.csr_matrix(X[:, :2]))


def test_a_network_that_goes_on_keeps_its_outputs() -> None:
    model = fm.MLPRegressor(hidden_layer_sizes=(4,), warm_start=True, max_iter=1)
    quietly(model.fit, X, X[:, 0])
    weights = [array.copy() for array in model.coefs_]
    for go_on in (model.partial_fit, model.fit):
        with pytest.raises(ValueError, match="y has 2 outputs, but the network .* has 1"):
            go_on(X, X[:, :2])
    assert model.n_outputs_ == 1
    assert all(map(np.array_equal, model.coefs_, weights))
