"""Metrics that decide the best epoch: ours, and scikit-learn's scorers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics

import fastmlp as fm
from fastmlp.tables.target import Target
from fastmlp.tabular.scores import judge_of

RNG = np.random.default_rng(0)
CODES = RNG.integers(0, 3, 90)
CLASSES = np.array(["a", "b", "c"])
OUTPUTS = RNG.dirichlet(np.ones(3), 90)
WEIGHT = RNG.random(90)
ROWS = np.arange(0, 90, 2)


@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("name", ["accuracy", "log_loss", "f1_macro", "neg_log_loss"])
def test_metrics_of_classes(name: str, weight: Any) -> None:
    target = Target("y", "category", ("a", "b", "c"))
    judge = judge_of(name, target, CLASSES, CODES, weight)
    assert judge is not None
    right, own = CLASSES[CODES[ROWS]], None if weight is None else weight[ROWS]
    predicted = CLASSES[OUTPUTS[ROWS].argmax(axis=1)]
    log_loss = metrics.log_loss(right, OUTPUTS[ROWS], sample_weight=own)
    expected = {
        "accuracy": metrics.accuracy_score(right, predicted, sample_weight=own),
        "f1_macro": metrics.f1_score(right, predicted, average="macro", sample_weight=own),
        "log_loss": log_loss,
        "neg_log_loss": -log_loss,
    }
    assert judge.measure(ROWS, OUTPUTS[ROWS]) == pytest.approx(expected[name])
    assert judge.is_better(2.0, 1.0) == (name != "log_loss")
    assert not judge.is_better(np.nan, 1.0)
    assert judge.is_better(1.0, np.nan)


@pytest.mark.parametrize("name", ["rmse", "mae", "r2", "neg_mean_absolute_error"])
def test_metrics_of_numbers_are_in_their_own_units(name: str) -> None:
    y, learned = 100 + 20 * RNG.normal(size=90), RNG.normal(size=(90, 1)).astype("f4")
    judge = judge_of(name, Target("y", "number", mean=100.0, scale=20.0), None, y, None)
    assert judge is not None
    given = y[ROWS], 100 + 20 * learned[ROWS, 0].astype(float)
    expected = {
        "rmse": metrics.root_mean_squared_error(*given),
        "mae": metrics.mean_absolute_error(*given),
        "r2": metrics.r2_score(*given),
        "neg_mean_absolute_error": -metrics.mean_absolute_error(*given),
    }
    assert judge.measure(ROWS, learned[ROWS]) == pytest.approx(expected[name])


def test_the_best_epoch_is_that_of_the_metric() -> None:
    X = np.random.default_rng(1).normal(size=(300, 3))
    y = np.random.default_rng(2).random(300) < 1 / (1 + np.exp(-3 * np.abs(X[:, 0]) + 2))
    for name in ("accuracy", "roc_auc", "neg_brier_score"):
        model = fm.TabularClassifier("fast", eval_metric=name, random_state=0).fit(X, y)
        names = {*model.history_.keys()} - {"loss", "val_loss", "seconds", "learning_rate"}
        values = model.history_[names.pop()]
        if model.best_epoch_:
            assert values[model.best_epoch_ - 1] == max(values)
            assert model.validation_score_ == values[model.best_epoch_ - 1]


def test_a_scorer_of_ones_own() -> None:
    def worst(estimator: Any, X: Any, y: Any) -> float:
        return -float(np.abs(estimator.predict(X) - y).max())

    X = np.random.default_rng(1).normal(size=(100, 2))
    y = np.abs(X[:, 0]) + 0.1 * np.random.default_rng(2).normal(size=100)
    model = fm.TabularRegressor("fast", eval_metric=worst, random_state=0).fit(X, y)
    assert model.best_epoch_ > 0
    assert model.history_["val_worst"][model.best_epoch_ - 1] == model.validation_score_


def test_names_that_are_none() -> None:
    with pytest.raises(ValueError, match="unknown eval_metric 'roc'"):
        judge_of("roc", Target("y", "number"), None, CODES, None)
    assert judge_of(None, Target("y", "number"), None, CODES, None) is None


def test_metrics_of_the_other_kind_are_refused() -> None:
    X = RNG.normal(size=(60, 2))
    with pytest.raises(ValueError, match="eval_metric='r2' does not judge classes; take one"):
        fm.TabularClassifier(preset="fast", eval_metric="r2").fit(X, X[:, 0] > 0)
    with pytest.raises(ValueError, match="eval_metric='accuracy' does not judge numbers; take one"):
        fm.TabularRegressor(preset="fast", eval_metric="accuracy").fit(X, X[:, 0])
