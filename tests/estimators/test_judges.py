"""Early stopping by the loss, by scorers, and rows to judge by without early stopping."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import get_scorer, log_loss, make_scorer, mean_absolute_error
from twin_estimators import quietly, tables

import fastmlp as fm

TABLES = tables()
TRAIN, HELD = slice(0, 80), slice(80, None)


def fitted(task: str, weighted: bool = False, **arguments: Any) -> tuple[Any, Any, Any, Any]:
    """A model, and the rows that judged it."""
    kind, X, y, more = TABLES[task]
    weight = np.random.default_rng(0).random(len(X)) if weighted else None
    model = getattr(fm, kind)(**{"max_iter": 12, "random_state": 0, **more, **arguments})
    weights = {} if weight is None else {"sample_weight_val": weight[HELD]}
    quietly(model.fit, X[TRAIN], y[TRAIN], X_val=X[HELD], y_val=y[HELD], **weights)
    return model, X[HELD], y[HELD], None if weight is None else weight[HELD]


@pytest.mark.parametrize("weighted", [False, True])
def test_by_the_loss(weighted: bool) -> None:
    model, X, y, weight = fitted("multiclass", weighted, early_stopping="loss")
    scores = np.array(model.validation_scores_)
    np.testing.assert_allclose(model.history_["val_loss"], -scores)
    assert model.best_validation_score_ == scores.max()
    found = log_loss(y, model.predict_proba(X), sample_weight=weight)
    assert found == pytest.approx(-scores.max(), rel=1e-9)
    assert model.best_loss_ is None


def test_by_the_loss_of_several_numbers() -> None:
    model, X, y, _ = fitted("several numbers", early_stopping="loss")
    expected = np.mean((model.predict(X) - y) ** 2) / 2
    assert -model.best_validation_score_ == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("task", "scorer"),
    [
        ("binary", "roc_auc"),
        ("multiclass", "neg_log_loss"),
        ("multiclass", "f1_macro"),
        ("multilabel", "average_precision"),
        ("numbers", "neg_median_absolute_error"),
        ("counts", "neg_mean_poisson_deviance"),
    ],
)
def test_by_a_scorer(task: str, scorer: str, weighted: bool) -> None:
    model, X, y, weight = fitted(task, weighted, early_stopping=scorer)
    weights = {} if weight is None else {"sample_weight": weight}
    best = get_scorer(scorer)(model, X, y, **weights)
    assert best == pytest.approx(model.best_validation_score_, rel=1e-9)
    assert model.history_[f"val_{scorer}"] == model.validation_scores_
    assert model.best_validation_score_ == max(model.validation_scores_)


def test_by_a_function() -> None:
    def closeness(estimator: Any, X: Any, y: Any) -> float:
        return -float(np.abs(estimator.predict(X) - y).mean())

    model, X, y, _ = fitted("numbers", early_stopping=closeness)
    assert model.best_validation_score_ == closeness(model, X, y)
    assert "val_closeness" in model.history_
    scorer = make_scorer(mean_absolute_error, greater_is_better=False)
    other, *_ = fitted("numbers", True, early_stopping=scorer)
    assert other.best_validation_score_ == max(other.validation_scores_)


def test_by_a_scorer_of_rows_that_are_held_out() -> None:
    """Names of columns, labels and sparse rows reach the scorer without warnings."""
    pandas = pytest.importorskip("pandas")
    _, X, y, _ = TABLES["binary"]
    frame = pandas.DataFrame(X, columns=list("abcde"))
    labels = np.where(y > 0, "yes", "no")
    model = fm.MLPClassifier(early_stopping="roc_auc", max_iter=3, random_state=0)
    told = quietly(model.fit, frame, labels)
    assert {category.__name__ for category, _ in told} == {"ConvergenceWarning"}
    sparse = pytest.importorskip("scipy.sparse").csc_matrix(X)
    other = fm.MLPClassifier(early_stopping="roc_auc", max_iter=3, random_state=0)
    quietly(other.fit, sparse, labels)
    np.testing.assert_allclose(other.validation_scores_, model.validation_scores_)


def test_without_early_stopping_the_curves_are_kept() -> None:
    model, X, y, _ = fitted("multiclass")
    plain = fm.MLPClassifier(max_iter=12, random_state=0)
    quietly(plain.fit, *(part[TRAIN] for part in TABLES["multiclass"][1:3]))
    np.testing.assert_array_equal(model.coefs_[0], plain.coefs_[0])
    assert model.loss_curve_ == plain.loss_curve_
    assert model.best_loss_ == plain.best_loss_
    assert plain.validation_scores_ is None
    assert model.validation_scores_[-1] == model.score(X, y)
    assert model.history_["val_loss"][-1] == pytest.approx(log_loss(y, model.predict_proba(X)))
    assert list(model.history_) == [
        *("loss", "accuracy", "val_loss", "val_accuracy", "seconds", "learning_rate")
    ]


def test_running_statistics_of_the_best_epoch_come_back() -> None:
    model, X, y, _ = fitted(
        "multiclass", early_stopping="loss", batch_norm=True, learning_rate_init=0.05, max_iter=60
    )
    assert len(model.validation_scores_) > np.argmax(model.validation_scores_) + 1
    found = log_loss(y, model.predict_proba(X))
    assert found == pytest.approx(-model.best_validation_score_, rel=1e-9)


def test_a_bad_name_is_refused_at_once() -> None:
    _, X, y, _ = TABLES["numbers"]
    model = fm.MLPRegressor(early_stopping="accuracies")
    with pytest.raises(ValueError, match=r"early_stopping must be True, False, 'loss', a scorer's"):
        model.fit(X, y)
    assert not hasattr(model, "n_features_in_")
