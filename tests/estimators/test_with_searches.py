"""Searches, cross-validation and curves: the same scores and the same best arguments as theirs."""

from __future__ import annotations

from typing import Any

import numpy as np
import optuna
import pytest
from beside import CLASSES, NUMBERS, X, assert_same, classifier, regressor
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    validation_curve,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

GRID = {"alpha": [1e-4, 0.1, 10.0], "hidden_layer_sizes": [(4,), 8]}
SEARCHES = {
    "grid": lambda estimator: GridSearchCV(estimator, GRID, cv=3),
    "halving": lambda estimator: HalvingGridSearchCV(estimator, GRID, cv=3, random_state=0),
    "random": lambda estimator: RandomizedSearchCV(
        estimator, {"alpha": np.logspace(-3, 1, 20)}, n_iter=4, cv=3, random_state=0
    ),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_searches(name: str) -> None:
    def searched(library: Any) -> Any:
        search = SEARCHES[name](classifier(library)).fit(X, CLASSES)
        best.append((search.best_params_, search.best_index_, search.best_estimator_.n_iter_))
        return search.cv_results_["mean_test_score"]

    best: list[Any] = []
    assert_same(searched)
    assert best[0] == best[1]


def test_a_search_through_a_pipeline() -> None:
    def searched(library: Any) -> Any:
        pipeline = make_pipeline(StandardScaler(), regressor(library))
        search = GridSearchCV(pipeline, {"mlpregressor__alpha": [1e-4, 0.1]}, cv=3)
        return search.fit(X, NUMBERS).cv_results_["mean_test_score"]

    assert_same(searched)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba"])
def test_predictions_of_cross_validation(method: str) -> None:
    found = assert_same(
        lambda library: cross_val_predict(classifier(library), X, CLASSES, cv=3, method=method)
    )
    assert type(found) is np.ndarray


def test_scores_of_cross_validation() -> None:
    def scored(library: Any) -> Any:
        scoring = ["accuracy", "neg_log_loss"]
        results = cross_validate(classifier(library), X, CLASSES, cv=3, scoring=scoring)
        return [results[f"test_{name}"] for name in scoring]

    assert_same(scored)
    assert_same(lambda library: cross_val_score(regressor(library), X, NUMBERS, cv=3))


def test_curves() -> None:
    assert_same(
        lambda library: learning_curve(
            classifier(library), X, CLASSES, cv=3, train_sizes=[0.3, 0.6, 1.0]
        )[1]
    )
    assert_same(
        lambda library: validation_curve(
            regressor(library), X, NUMBERS, param_name="alpha", param_range=[0.1, 1.0], cv=3
        )[1]
    )


def test_a_study_of_optuna() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def studied(library: Any) -> Any:
        def objective(trial: optuna.Trial) -> float:
            arguments = {
                "alpha": trial.suggest_float("alpha", 1e-5, 10.0, log=True),
                "hidden_layer_sizes": trial.suggest_int("hidden_layer_sizes", 2, 12),
                "activation": trial.suggest_categorical("activation", ["relu", "tanh"]),
            }
            scores = cross_val_score(classifier(library, **arguments), X, CLASSES, cv=2)
            return float(scores.mean())

        sampler = optuna.samplers.TPESampler(seed=0)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        study.optimize(objective, n_trials=10)
        best.append(study.best_params)
        return [trial.value for trial in study.trials]

    best: list[Any] = []
    assert len(assert_same(studied)) == 10
    assert best[0] == best[1]
