"""Coefficients are what is predicted with, those of copies too; plain arrays go a short way."""

from __future__ import annotations

import pickle
from copy import deepcopy
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from twin_estimators import (
    TABLES,
    pair,
    quietly,
)

import fastmlp as fm

every_task = pytest.mark.parametrize("task", TABLES)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@every_task
def test_coefficients_are_what_is_predicted_with(task: str) -> None:
    (_, ours), X, y = pair(task, hidden_layer_sizes=(4,), max_iter=3)
    ours.fit(X, y)
    before = ours._outputs(X)
    kept = ours.coefs_[1].copy()
    ours.coefs_[1][...] *= 2
    assert (ours._outputs(X) != before).any()
    assert np.shares_memory(ours.coefs_[1], ours.network_.parameters["1.weight"])
    replaced = kept.copy()
    ours.coefs_[1] = replaced
    np.testing.assert_array_equal(ours._outputs(X), before)
    replaced *= 3
    assert (ours._outputs(X) != before).any()
    ours.coefs_ = [ours.coefs_[0].copy(), kept]
    np.testing.assert_array_equal(ours.network_.predict(X), before)
    ours.intercepts_ = [np.zeros(4), ours.intercepts_[1]]
    assert (ours._outputs(X) != before).any()
    ours.intercepts_[0] = np.zeros(5)
    with pytest.raises(ValueError, match=r"must keep their shapes: got \(5,\) in the place of"):
        ours.predict(X)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@every_task
def test_copies_go_on_alike(task: str, tmp_path: Any) -> None:
    (_, ours), X, y = pair(task, max_iter=3)
    ours.fit(X, y)
    joblib.dump(ours, tmp_path / "ours.joblib")
    copies = {
        "pickle": pickle.loads(pickle.dumps(ours)),
        "deepcopy": deepcopy(ours),
        "joblib": joblib.load(tmp_path / "ours.joblib", mmap_mode="r"),
    }
    expected = ours._outputs(X)
    further = deepcopy(ours).partial_fit(X, y)
    for name, copied in copies.items():
        np.testing.assert_array_equal(copied._outputs(X), expected, err_msg=name)
        assert not np.shares_memory(copied.coefs_[0], ours.coefs_[0])
        copied.partial_fit(X, y)
        np.testing.assert_array_equal(copied.coefs_[0], further.coefs_[0], err_msg=name)
        assert np.shares_memory(copied.coefs_[0], copied.network_.parameters["0.weight"])
    np.testing.assert_array_equal(ours._outputs(X), expected)
    assert not hasattr(clone(ours), "coefs_")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_pickle_keeps_replaced_coefficients() -> None:
    (_, ours), X, y = pair("numbers", max_iter=3)
    ours.fit(X, y)
    ours.coefs_[0] = np.zeros_like(ours.coefs_[0])
    copied = pickle.loads(pickle.dumps(ours))
    assert not copied.coefs_[0].any()
    np.testing.assert_array_equal(copied.predict(X), ours.predict(X))


def test_the_network_is_a_sequential() -> None:
    (_, ours), X, y = pair("binary", max_iter=5)
    with pytest.raises(AttributeError):
        _ = ours.network_
    quietly(ours.fit, X, y)
    model = ours.network_
    assert isinstance(model, fm.Sequential)
    np.testing.assert_array_equal(model.predict(X)[:, 0], ours.predict_proba(X)[:, 1])
    np.testing.assert_array_equal(model.predict_classes(X), ours.predict(X))
    np.testing.assert_allclose(model.freeze()(X), model.predict(X), rtol=1e-12)
    assert "loss" in str(model.explain(X[0], y[0]))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@every_task
def test_plain_arrays_are_predicted_as_all_others(task: str) -> None:
    """A shorter way for them gives the same, and misses nothing that the checks find."""
    both, X, y = pair(task, max_iter=3)
    for each in both:
        each.fit(X, y)
    theirs, ours = both
    expected = ours._outputs(X)
    assert ours._is_plain(X)
    others = [X.tolist(), np.asfortranarray(X), X.repeat(2, axis=0)[::2], X.astype(object)]
    for other in others:
        assert not ours._is_plain(other)
        np.testing.assert_allclose(ours._outputs(other), expected, rtol=1e-12)
    for method in ("predict", "predict_proba") if hasattr(ours, "predict_proba") else ("predict",):
        one, row = getattr(theirs, method)(X[:1]), getattr(ours, method)(X[:1])
        assert (row.shape, row.dtype) == (one.shape, one.dtype)
    unusable = [X[0], X[:, :3], X[:0], np.where(X > 1, np.nan, X), np.where(X > 1, np.inf, X)]
    for bad in unusable:
        told = []
        for each in both:
            with pytest.raises(ValueError, match=".") as caught:
                each.predict(bad)
            # Ours goes on with the columns.
            told.append(str(caught.value).splitlines()[0])
        assert told[0] == told[1]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_names_of_columns_are_looked_at() -> None:
    pandas = pytest.importorskip("pandas")
    (_, ours), X, y = pair("binary", max_iter=3)
    frame = pandas.DataFrame(X, columns=list("abcde"))
    ours.fit(frame, y)
    assert ours.network_.feature_names == tuple("abcde")
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        ours.predict(X)
    with pytest.raises(ValueError, match="feature names should match"):
        ours.predict(frame.rename(columns={"a": "z"}))
