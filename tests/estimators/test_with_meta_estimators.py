"""Estimators made of others: the same predictions as of scikit-learn's networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from beside import CLASSES, NUMBERS, X, assert_same, classifier, regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
)
from sklearn.feature_selection import RFECV, SequentialFeatureSelector
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

LABELS = np.column_stack([CLASSES > 1, CLASSES > 0])
# Labels that -1 hides.
SOME = np.where(np.arange(len(CLASSES)) % 3, CLASSES, -1)


def importances(estimator: Any) -> Any:
    """What RFECV goes by: a network has no `coef_`."""
    return np.abs(estimator.coefs_[0]).sum(axis=1)


def scaled(library: Any) -> Any:
    columns = make_column_transformer((StandardScaler(), [0, 1]), remainder="passthrough")
    return make_pipeline(columns, classifier(library))


OF_CLASSIFIERS: dict[str, Callable[[Any], Any]] = {
    "Pipeline": scaled,
    "CalibratedClassifierCV": lambda of: CalibratedClassifierCV(classifier(of), cv=3),
    "VotingClassifier": lambda of: VotingClassifier(
        [("a", classifier(of)), ("b", classifier(of, random_state=1))], voting="soft"
    ),
    "BaggingClassifier": lambda of: BaggingClassifier(
        classifier(of), n_estimators=3, max_samples=0.8, random_state=0
    ),
    "AdaBoostClassifier": lambda of: AdaBoostClassifier(
        classifier(of), n_estimators=3, random_state=0
    ),
    "StackingClassifier": lambda of: StackingClassifier(
        [("a", classifier(of)), ("b", LogisticRegression())], cv=3
    ),
    "OneVsRestClassifier": lambda of: OneVsRestClassifier(classifier(of)),
    "OneVsOneClassifier": lambda of: OneVsOneClassifier(classifier(of)),
}
OF_REGRESSORS: dict[str, Callable[[Any], Any]] = {
    "StackingRegressor": lambda of: StackingRegressor([("a", regressor(of)), ("b", Ridge())], cv=3),
    "TransformedTargetRegressor": lambda of: TransformedTargetRegressor(
        regressor(of), transformer=StandardScaler()
    ),
    "AdaBoostRegressor": lambda of: AdaBoostRegressor(
        regressor(of), n_estimators=3, random_state=0
    ),
}


@pytest.mark.parametrize("name", OF_CLASSIFIERS)
def test_of_classifiers(name: str) -> None:
    made = OF_CLASSIFIERS[name]
    assert_same(lambda library: made(library).fit(X, CLASSES).predict(X))
    # Pairs of classes have no probabilities.
    method = "decision_function" if name == "OneVsOneClassifier" else "predict_proba"
    assert_same(lambda library: getattr(made(library).fit(X, CLASSES), method)(X))


@pytest.mark.parametrize("name", OF_REGRESSORS)
def test_of_regressors(name: str) -> None:
    assert_same(lambda library: OF_REGRESSORS[name](library).fit(X, NUMBERS).predict(X))


def test_of_several_outputs() -> None:
    for made in (MultiOutputClassifier, ClassifierChain):
        assert_same(
            lambda library, made=made: made(classifier(library)).fit(X, LABELS).predict_proba(X)
        )
    y = np.column_stack([NUMBERS, X[:, 1] ** 2])
    assert_same(lambda library: MultiOutputRegressor(regressor(library)).fit(X, y).predict(X))


def test_of_rows_without_labels() -> None:
    assert_same(
        lambda library: SelfTrainingClassifier(classifier(library)).fit(X, SOME).predict_proba(X)
    )


def test_selections_of_columns() -> None:
    assert_same(
        lambda library: (
            RFECV(classifier(library), cv=3, importance_getter=importances)
            .fit(X, CLASSES)
            .cv_results_["mean_test_score"]
        )
    )
    assert_same(
        lambda library: (
            SequentialFeatureSelector(regressor(library), n_features_to_select=2, cv=2)
            .fit(X, NUMBERS)
            .get_support()
        )
    )


def test_weights_reach_the_networks_of_an_ensemble() -> None:
    """A committee of weighted votes, whose members are fitted with weights of rows."""
    weight = np.linspace(0.1, 2.0, len(X))

    def voted(library: Any) -> Any:
        names = [
            ("a", classifier(library)),
            ("b", classifier(library, alpha=1)),
        ]
        ensemble = VotingClassifier(names, voting="soft", weights=[1, 2])
        return ensemble.fit(X, CLASSES, sample_weight=weight).predict_proba(X)

    assert_same(voted)
