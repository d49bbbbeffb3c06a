"""Callbacks of scikit-learn 1.9; `conftest.py` leaves this out where it is older."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.model_selection import GridSearchCV
from twin_estimators import TABLES, quietly

import fastmlp as fm


class Ends:
    """A callback of scikit-learn's kind that ends a fit, and keeps what it is shown."""

    def __init__(self) -> None:
        self.shown: list[Any] = []

    def setup(self, estimator: Any, context: Any) -> None:
        self.shown.append("setup")

    def teardown(self, estimator: Any, context: Any) -> None:
        self.shown.append("teardown")

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        pass

    def on_fit_task_end(
        self, estimator: Any, context: Any, *, fitted_estimator: Any = None
    ) -> bool:
        self.shown.append(fitted_estimator)
        return context.task_name == "epoch" and context.task_id == 1


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_one_of_scikit_learn_ends_the_fit(solver: str) -> None:
    ends = Ends()
    model = fm.MLPClassifier(solver=solver, random_state=0).set_callbacks(ends)
    _, X, y, _ = TABLES["multiclass"]
    quietly(model.fit, X, y)
    assert model.n_iter_ == 2
    first, *shown, last = ends.shown
    assert (first, last) == ("setup", "teardown")
    assert len(shown) == 3
    # Each is as it was then.
    assert not np.array_equal(shown[0].coefs_[0], shown[1].coefs_[0])
    np.testing.assert_array_equal(shown[0].coefs_[0], shown[0].network_.parameters["0.weight"])
    np.testing.assert_array_equal(shown[-1].predict(X), model.predict(X))


@pytest.mark.parametrize("by_argument", [False, True])
def test_scores_are_monitored(by_argument: bool) -> None:
    monitor = ScoringMonitor(scoring="accuracy")
    pandas = pytest.importorskip("pandas")
    _, X, y, _ = TABLES["multiclass"]
    frame = pandas.DataFrame(X, columns=list("abcde"))
    model = fm.MLPClassifier(max_iter=3, random_state=0)
    if by_argument:
        model.set_params(callbacks=[monitor])
    else:
        model.set_callbacks(monitor)
    told = quietly(model.fit, frame, y)
    assert [category.__name__ for category, _ in told] == ["ConvergenceWarning"]
    scores = [row["accuracy"] for row in monitor.get_logs().data]
    assert len(scores) == 4
    assert scores[-1] == model.score(frame, y)
    assert vars(model).keys().isdisjoint({"_skl_callbacks"} if by_argument else ())


def test_a_bar_on_a_search(capsys: pytest.CaptureFixture[str]) -> None:
    _, X, y, _ = TABLES["binary"]
    model = fm.MLPClassifier(max_iter=2, random_state=0)
    search = GridSearchCV(model, {"alpha": [0.1, 1.0]}, cv=2)
    quietly(search.set_callbacks(ProgressBar()).fit, X, y)
    out = "".join(capsys.readouterr())
    assert "GridSearchCV" in out
    assert "MLPClassifier" in out


def test_a_bar_belongs_to_the_outermost() -> None:
    _, X, y, _ = TABLES["binary"]
    model = fm.MLPClassifier(max_iter=2, callbacks=[ProgressBar()])
    search = GridSearchCV(model, {"alpha": [0.1]}, cv=2, error_score="raise")
    with pytest.raises(TypeError, match="must be set on the outermost estimator"):
        quietly(search.fit, X, y)
