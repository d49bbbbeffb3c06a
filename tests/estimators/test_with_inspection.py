"""What scikit-learn's inspection shows of both is the same."""

from __future__ import annotations

import numpy as np
import pytest
from beside import CLASSES, NUMBERS, X, assert_same, classifier, regressor

pytest.importorskip("matplotlib")

from sklearn.inspection import (
    DecisionBoundaryDisplay,
    PartialDependenceDisplay,
    partial_dependence,
    permutation_importance,
)
from sklearn.metrics import ConfusionMatrixDisplay, PredictionErrorDisplay
from sklearn.model_selection import LearningCurveDisplay

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.usefixtures("headless"),
]


def test_importances_by_permutation() -> None:
    assert_same(
        lambda library: (
            permutation_importance(
                classifier(library).fit(X, CLASSES), X, CLASSES, n_repeats=3, random_state=0
            ).importances
        )
    )


def test_partial_dependence() -> None:
    def of_classes(library):
        return partial_dependence(
            classifier(library).fit(X, CLASSES), X, [0], grid_resolution=5
        ).average

    def shown(library):
        shown = PartialDependenceDisplay.from_estimator(
            regressor(library).fit(X, NUMBERS), X, [0, (0, 1)], grid_resolution=5, kind="average"
        )
        return shown.pd_results[1]["average"]

    assert_same(of_classes)
    assert_same(shown)


@pytest.mark.parametrize("method", ["auto", "predict"])
def test_boundaries_of_decisions(method: str) -> None:
    """Without a `decision_function`, "auto" shows probabilities."""
    y = (CLASSES > 0).astype(int)
    assert_same(
        lambda library: (
            DecisionBoundaryDisplay.from_estimator(
                classifier(library).fit(X[:, :2], y),
                X[:, :2],
                response_method=method,
                grid_resolution=10,
            ).response
        )
    )


def test_displays() -> None:
    assert_same(
        lambda library: (
            ConfusionMatrixDisplay.from_estimator(
                classifier(library).fit(X, CLASSES), X, CLASSES
            ).confusion_matrix
        )
    )
    assert_same(
        lambda library: (
            PredictionErrorDisplay.from_estimator(
                regressor(library).fit(X, NUMBERS), X, NUMBERS, subsample=None
            ).y_pred
        )
    )
    scores = assert_same(
        lambda library: (
            LearningCurveDisplay.from_estimator(
                classifier(library), X, CLASSES, cv=2, train_sizes=[0.5, 1.0]
            ).test_scores
        )
    )
    assert np.isfinite(scores).all()
