"""Weights and rows to judge by, on their way through scikit-learn's routing of metadata."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import sklearn
from beside import ARGUMENTS, CLASSES, NUMBERS, X, assert_same, classifier, regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, StackingRegressor
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

import fastmlp as fm

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

WEIGHT = np.linspace(0.0, 2.0, len(X))
TRAIN, HELD = slice(0, 80), slice(80, None)


@pytest.fixture(autouse=True)
def routing() -> Iterator[None]:
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_a_search_hands_weights_to_fits_and_scores() -> None:
    def searched(library: Any) -> Any:
        estimator = classifier(library)
        estimator.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        search = GridSearchCV(estimator, {"alpha": [1e-4, 1.0]}, cv=3)
        return search.fit(X, CLASSES, sample_weight=WEIGHT).cv_results_["mean_test_score"]

    weighted = assert_same(searched)
    plain = GridSearchCV(classifier(fm), {"alpha": [1e-4, 1.0]}, cv=3).fit(X, CLASSES)
    assert not np.array_equal(weighted, plain.cv_results_["mean_test_score"])


def test_weights_go_where_they_are_asked_for_alone() -> None:
    for fits in (True, False):
        for scores in (True, False):

            def scored(library: Any, fits: bool = fits, scores: bool = scores) -> Any:
                estimator = regressor(library)
                estimator.set_fit_request(sample_weight=fits)
                estimator.set_score_request(sample_weight=scores)
                params = {"sample_weight": WEIGHT}
                return cross_validate(estimator, X, NUMBERS, cv=3, params=params)["test_score"]

            if fits or scores:
                assert_same(scored)


def test_what_nobody_has_decided_is_refused() -> None:
    with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
        GridSearchCV(classifier(fm), {"alpha": [1.0]}, cv=3).fit(X, CLASSES, sample_weight=WEIGHT)


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_what_can_be_asked_for(name: str) -> None:
    requests = getattr(fm, name)().get_metadata_routing()
    assert sorted(requests.fit.requests) == [
        "X_val",
        "sample_weight",
        "sample_weight_val",
        "y_val",
    ]
    assert "sample_weight" in requests.partial_fit.requests
    assert list(requests.score.requests) == ["sample_weight"]


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_rows_to_judge_by_pass_a_pipelines_transformers(name: str) -> None:
    y = CLASSES if name == "MLPClassifier" else NUMBERS
    far = 100.0 * X + 7.0
    network = getattr(fm, name)(early_stopping=True, **ARGUMENTS)
    network.set_fit_request(X_val=True, y_val=True, sample_weight=True, sample_weight_val=True)
    pipeline = make_pipeline(StandardScaler(), network, transform_input=["X_val"])
    pipeline[0].set_fit_request(sample_weight=False)
    more = {"sample_weight": WEIGHT[TRAIN], "sample_weight_val": WEIGHT[HELD]}
    pipeline.fit(far[TRAIN], y[TRAIN], X_val=far[HELD], y_val=y[HELD], **more)

    scaler = StandardScaler().fit(far[TRAIN])
    alone = getattr(fm, name)(early_stopping=True, **ARGUMENTS)
    alone.fit(
        *(scaler.transform(far[TRAIN]), y[TRAIN]),
        X_val=scaler.transform(far[HELD]),
        y_val=y[HELD],
        **more,
    )
    assert pipeline[-1].validation_scores_ == alone.validation_scores_
    np.testing.assert_array_equal(pipeline.predict(far), alone.predict(scaler.transform(far)))


def test_rows_to_judge_by_within_a_search() -> None:
    network = classifier(fm, early_stopping=True).set_fit_request(X_val=True, y_val=True)
    pipeline = Pipeline(
        [("scaler", StandardScaler()), ("network", network)], transform_input=["X_val"]
    )
    search = GridSearchCV(pipeline, {"network__alpha": [1e-4, 1.0]}, cv=2)
    # A sequence of one entry for each row would be cut with the folds.
    held = X[HELD][:30]
    search.fit(X[TRAIN], CLASSES[TRAIN], X_val=held, y_val=CLASSES[HELD][:30])
    best = search.best_estimator_
    inner = best[-1].score(best[0].transform(held), CLASSES[HELD][:30])
    assert inner == pytest.approx(best[-1].best_validation_score_)


def test_weights_through_estimators_made_of_others() -> None:
    def weighted(estimator: Any) -> Any:
        return estimator.set_fit_request(sample_weight=True)

    assert_same(
        lambda library: (
            CalibratedClassifierCV(weighted(classifier(library)), cv=3)
            .fit(X, CLASSES, sample_weight=WEIGHT)
            .predict_proba(X)
        )
    )
    assert_same(
        lambda library: (
            StackingRegressor([("a", weighted(regressor(library)))], Ridge(), cv=3)
            .fit(X, NUMBERS, sample_weight=WEIGHT)
            .predict(X)
        )
    )
    y = np.column_stack([NUMBERS, -NUMBERS])
    assert_same(
        lambda library: (
            MultiOutputRegressor(weighted(regressor(library)))
            .fit(X, y, sample_weight=WEIGHT)
            .predict(X)
        )
    )
    assert_same(
        lambda library: (
            BaggingClassifier(weighted(classifier(library)), n_estimators=2, random_state=0)
            .fit(X, CLASSES, sample_weight=WEIGHT)
            .predict_proba(X)
        )
    )
