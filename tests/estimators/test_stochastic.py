"""Fits by mini-batches: what comes back, what is told, rows to judge by."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn import config_context
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from twin_estimators import fit_both, made, quietly, tables

import fastmlp as fm
from fastmlp.estimators.rows import Order
from fastmlp.estimators.stochastic import reported


def test_losses_of_squares_are_reported_as_means_over_outputs() -> None:
    assert reported(5.0, 1.0, 4, True) == 2.0
    assert reported(5.0, 1.0, 4, False) == 5.0


def test_batches_that_are_clipped_are_told_of_alike() -> None:
    kind, X, y, _ = tables()["numbers"]
    both = made(kind, batch_size=500, max_iter=2)
    fit_both(both, "fit", X, y)
    assert any("clipped" in message for _, message in quietly(both[1].fit, X, y))


def test_the_best_weights_come_back() -> None:
    """Theirs loses them in a second fit that is worse."""
    _, X, y, _ = tables()["binary"]
    model = fm.MLPClassifier(early_stopping=True, warm_start=True, random_state=0, max_iter=20)
    quietly(model.fit, X, y)
    best, weights = model.best_validation_score_, model.coefs_[0].copy()
    model.set_params(solver="sgd", learning_rate_init=50.0, max_iter=3)
    quietly(model.fit, X, y)
    assert max(model.validation_scores_[-3:]) < best
    np.testing.assert_array_equal(model.coefs_[0], weights)


def test_an_interrupt_leaves_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    _, X, y, _ = tables()["binary"]
    model = fm.MLPClassifier(random_state=0)
    calls = []

    def interrupted(self: Order) -> None:
        calls.append(self)
        if len(calls) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(Order, "draw", interrupted)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model.fit(X, y)
    assert model.n_iter_ == 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert model.predict(X).shape == y.shape


def test_early_stopping_does_not_go_with_single_epochs() -> None:
    _, X, y, _ = tables()["numbers"]
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
        fm.MLPRegressor(early_stopping=True).partial_fit(X, y)


@pytest.mark.parametrize("task", tables())
@pytest.mark.parametrize("weighted", [False, True])
def test_rows_to_judge_by_can_be_given(task: str, weighted: bool) -> None:
    """Those that would be held out, given as such, lead to the same fit."""
    kind, X, y, more = tables()[task]
    weight = np.random.default_rng(0).random(len(X)) if weighted else None
    # Nothing is drawn but the first weights.
    arguments = {"shuffle": False, "early_stopping": True, "max_iter": 15, **more}
    model = made(kind, random_state=3, hidden_layer_sizes=(6,), **arguments)[1]
    rng = np.random.RandomState(3)
    for shape in ((5, 6), 6, (6, _outputs(y)), _outputs(y)):
        rng.uniform(size=shape)
    strata = y if kind == "MLPClassifier" and y.ndim == 1 and len(np.unique(y)) == 2 else None
    train, held = train_test_split(
        np.arange(len(X)), test_size=0.1, random_state=rng, stratify=strata
    )
    part = {} if weight is None else {"sample_weight": weight[train]}
    if weight is not None:
        part["sample_weight_val"] = weight[held]
    other = made(kind, random_state=3, hidden_layer_sizes=(6,), **arguments)[1]
    quietly(model.fit, X, y, weight)
    quietly(other.fit, X[train], y[train], X_val=X[held], y_val=y[held], **part)
    np.testing.assert_allclose(other.validation_scores_, model.validation_scores_, rtol=1e-12)
    np.testing.assert_allclose(other.coefs_[0], model.coefs_[0], rtol=1e-12)
    assert other.best_validation_score_ == max(other.validation_scores_)


def _outputs(y: np.ndarray) -> int:
    if y.ndim == 2:
        return int(y.shape[1])
    n_classes = len(np.unique(y))
    return n_classes if y.dtype.kind == "i" and n_classes == 3 else 1


def test_rows_to_judge_by_go_through_a_pipeline() -> None:
    _, X, y, _ = tables()["binary"]
    train, held = slice(0, 90), slice(90, None)
    arguments = {"early_stopping": True, "max_iter": 10, "random_state": 0}
    with config_context(enable_metadata_routing=True):
        last = fm.MLPClassifier(**arguments).set_fit_request(X_val=True, y_val=True)
        pipeline = Pipeline(
            [("scaler", StandardScaler()), ("network", last)], transform_input=["X_val"]
        )
        quietly(pipeline.fit, X[train], y[train], X_val=X[held], y_val=y[held])
    scaler = StandardScaler().fit(X[train])
    model = fm.MLPClassifier(**arguments)
    scaled = {"X_val": scaler.transform(X[held]), "y_val": y[held]}
    quietly(model.fit, scaler.transform(X[train]), y[train], **scaled)
    assert pipeline[-1].validation_scores_ == model.validation_scores_


def test_rows_to_judge_by_that_are_of_no_use() -> None:
    _, X, y, _ = tables()["multiclass"]
    model = fm.MLPClassifier(early_stopping=True, max_iter=2)
    with pytest.raises(ValueError, match="X_val and y_val go together"):
        model.fit(X, y, X_val=X)
    with pytest.raises(ValueError, match="`y_val` has classes not in `self.classes_`"):
        model.fit(X, y, X_val=X, y_val=y + 1)
    with pytest.raises(ValueError, match="X has 3 features, but MLPClassifier is expecting 5"):
        model.fit(X, y, X_val=X[:, :3], y_val=y)
    other = fm.MLPClassifier(solver="lbfgs")
    with pytest.raises(ValueError, match="judge epochs, of which solver='lbfgs' has none"):
        other.fit(X, y, X_val=X, y_val=y)
    assert not hasattr(other, "coefs_")
    numbers = fm.MLPRegressor(early_stopping=True)
    with pytest.raises(ValueError, match="y has 1 outputs, but y_val has 2"):
        numbers.fit(X, X[:, 0], X_val=X, y_val=X[:, :2])
