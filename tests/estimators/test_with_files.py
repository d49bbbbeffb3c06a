"""Fitted estimators in files of skops, joblib and cloudpickle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cloudpickle
import joblib
import numpy as np
import pytest
import skops.io
from beside import CLASSES, X
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from twin_estimators import TABLES, assert_alike, pair

import fastmlp as fm

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def fitted(task: str, **arguments: Any) -> tuple[Any, Any, Any]:
    (_, ours), X, y = pair(task, max_iter=3, **arguments)
    return ours.fit(X, y), X, y


def assert_goes_on(ours: Any, copied: Any, X: Any, y: Any) -> None:
    """A copy predicts the same, with memory of its own that is the network's, and learns on."""
    np.testing.assert_array_equal(copied.predict(X), ours.predict(X))
    assert np.shares_memory(copied.coefs_[0], copied.network_.parameters["0.weight"])
    assert not np.shares_memory(copied.coefs_[0], ours.coefs_[0])
    for each in (ours, copied):
        each.partial_fit(X, y)
    assert_alike(ours, copied, rtol=0)


@pytest.mark.parametrize("task", TABLES)
def trusted_of(estimator: Any) -> list[str]:
    return [f"{type(estimator).__module__}.{type(estimator).__name__}"]


@pytest.mark.parametrize("task", TABLES)
def test_skops_asks_to_trust_the_estimator_alone(task: str) -> None:
    ours, X, y = fitted(task, random_state=np.random.RandomState(0))
    data, trusted = skops.io.dumps(ours), trusted_of(ours)
    assert skops.io.get_untrusted_types(data=data) == trusted
    assert_goes_on(ours, skops.io.loads(data, trusted=trusted), X, y)


def test_skops_keeps_what_a_fit_has_shown() -> None:
    ours, _, _ = fitted("binary", early_stopping=True, solver="sgd")
    assert_alike(ours, skops.io.loads(skops.io.dumps(ours), trusted=trusted_of(ours)), rtol=0)


def test_skops_in_a_pipeline_that_is_not_fitted() -> None:
    pipeline = make_pipeline(StandardScaler(), fm.MLPClassifier((4,), max_iter=3, random_state=0))
    trusted = ["fastmlp.estimators.classifier.MLPClassifier"]
    again = skops.io.loads(skops.io.dumps(pipeline), trusted=trusted)
    np.testing.assert_array_equal(
        again.fit(X, CLASSES).predict_proba(X), pipeline.fit(X, CLASSES).predict_proba(X)
    )


@pytest.mark.parametrize("mmap_mode", [None, "r", "c"])
@pytest.mark.parametrize("task", ["multiclass", "several numbers"])
def test_joblib(task: str, mmap_mode: str | None, tmp_path: Path) -> None:
    ours, X, y = fitted(task)
    joblib.dump(ours, tmp_path / "model.joblib")
    copied = joblib.load(tmp_path / "model.joblib", mmap_mode=mmap_mode)
    assert_goes_on(ours, copied, X, y)
    # What is learned stays out of the file.
    again = joblib.load(tmp_path / "model.joblib")
    assert not np.array_equal(again.coefs_[0], copied.coefs_[0])


def test_cloudpickle() -> None:
    class Local(fm.MLPRegressor):
        """Of a class that no module holds."""

        def predict(self, X: Any) -> Any:
            return -super().predict(X)

    _, X, y, _ = TABLES["numbers"]
    ours = Local(hidden_layer_sizes=(8,), max_iter=3, random_state=1).fit(X, y)
    copied = cloudpickle.loads(cloudpickle.dumps(ours))
    assert_goes_on(ours, copied, X, y)
