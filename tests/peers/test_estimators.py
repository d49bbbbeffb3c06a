"""The estimators beside scikit-learn's: what is compared is the same, and what is told is right."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("numba")

from sklearn import datasets, neural_network

import fastmlp as fm
from fastmlp.peers import estimators
from fastmlp.peers.estimators import Task, Timed, cells, check_same, fitted, report, scaled


def iris() -> Task:
    bunch = datasets.load_iris()
    return Task("iris", "MLPClassifier", scaled(bunch.data), bunch.target)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """One small task and few rows."""
    monkeypatch.setattr(estimators, "open_tasks", lambda: iter([iris()]))
    monkeypatch.setattr(estimators, "_MANY_ROWS", 500)


@pytest.mark.usefixtures("few")
def test_a_small_measurement() -> None:
    told: list[str] = []
    found = estimators.measure_estimators(1, 2, told.append)
    assert [one.what for one in found] == [
        *("iris, float64", "iris, float32"),
        *("iris, lbfgs, one thread", "iris, lbfgs, n_threads='auto'"),
        *("iris, predict_proba of one row", "iris, predict_proba of 500 rows"),
    ]
    assert all(len(one.theirs) == len(one.ours) == 1 for one in found)
    assert all(seconds > 0 for one in found for seconds in (*one.theirs, *one.ours))
    assert told == ["iris: epochs of 150 rows", "iris: L-BFGS and predictions"]


def test_what_differs_is_not_timed() -> None:
    task = iris()
    theirs = fitted(neural_network.MLPClassifier, task.X, task.y, max_iter=2)
    check_same(theirs, fitted(fm.MLPClassifier, task.X, task.y, max_iter=2), 1e-8)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        check_same(theirs, fitted(fm.MLPClassifier, task.X, task.y, max_iter=3), 1e-8)
    other = fitted(fm.MLPClassifier, task.X, task.y, max_iter=2)
    other.coefs_[0][0, 0] += 1.0
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        check_same(theirs, other, 1e-8)


def test_a_table_by_hand() -> None:
    found = [Timed("rows", "ms an epoch", [0.004, 0.006, 0.008], [0.002, 0.002, 0.002])]
    assert cells(found) == [["rows, ms an epoch", "6", "2", "3.00 (2.50 to 3.50)"]]
    text = report(found, 3)
    assert "| rows, ms an epoch | 6            | 2       | 3.00 (2.50 to 3.50)" in text
    assert "Medians of 3 rounds" in text


def test_tasks_need_no_download(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    digits, table = estimators.open_tasks()
    assert digits.X.shape == (1797, 64)
    assert (table.name, table.kind) == ("table of 8 columns", "MLPRegressor")
    np.testing.assert_allclose(digits.X.mean(axis=0), 0.0, atol=1e-12)
