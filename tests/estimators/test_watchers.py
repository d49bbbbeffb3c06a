"""Callbacks of fastmlp and of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from twin_estimators import TABLES, fitted, quietly

import fastmlp as fm

HAS_CALLBACKS = tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 9)


class Lines(fm.Callback):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def on_fit_begin(self, model: Any) -> None:
        self.lines.append(f"begin {model.fit_epochs}")

    def on_epoch_begin(self, model: Any, epoch: int) -> None:
        self.lines.append(f"epoch {epoch}")

    def on_epoch_end(self, model: Any, epoch: int, logs: dict[str, float]) -> None:
        self.lines.append(f"{epoch}: {' '.join(logs)}")

    def on_fit_end(self, model: Any) -> None:
        self.lines.append("end")


def test_all_is_told() -> None:
    lines = Lines()
    model = fitted(callbacks=[lines], max_iter=2)
    logs = "loss accuracy seconds learning_rate"
    assert lines.lines == ["begin 2", "epoch 0", f"0: {logs}", "epoch 1", f"1: {logs}", "end"]
    quietly(model.partial_fit, *TABLES["multiclass"][1:3])
    assert lines.lines[6:] == ["begin 1", "epoch 2", f"2: {logs}", "end"]


def test_lbfgs_tells_its_iterations() -> None:
    lines = Lines()
    model = fitted(callbacks=[lines], solver="lbfgs")
    assert lines.lines.count("1: loss seconds") == 1
    assert model.history_["loss"][-1] == model.loss_
    assert len(model.history_) == model.n_iter_ == 3


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_callback_ends_the_fit(solver: str) -> None:
    def stop(model: Any, epoch: int, logs: dict[str, float]) -> None:
        model.stop_training = epoch == 1

    model = fm.MLPClassifier(
        solver=solver, callbacks=[fm.LambdaCallback(on_epoch_end=stop)], random_state=0
    )
    assert quietly(model.fit, *TABLES["multiclass"][1:3]) == []
    assert model.n_iter_ == 2


def test_the_end_is_told_whatever_happens() -> None:
    def fail(model: Any, epoch: int, logs: dict[str, float]) -> None:
        raise RuntimeError("enough")

    lines = Lines()
    model = fm.MLPClassifier(callbacks=[fm.LambdaCallback(on_epoch_end=fail), lines])
    with pytest.raises(RuntimeError, match="enough"):
        model.fit(*TABLES["multiclass"][1:3])
    assert lines.lines[-1] == "end"


def test_recorder_and_early_stopping() -> None:
    recorder, stopping = fm.Recorder(), fm.EarlyStopping("val_accuracy", patience=2)
    model = fitted(
        callbacks=[recorder, stopping], early_stopping=True, max_iter=20, validation_fraction=0.3
    )
    assert len(recorder.weights["0.weight"]) == model.n_iter_
    assert stopping.best == max(model.validation_scores_)


def test_what_is_watched_must_be_logged() -> None:
    with pytest.raises(ValueError, match="monitors 'val_loss', but there is no validation data"):
        fitted(callbacks=[fm.EarlyStopping()])
    with pytest.raises(ValueError, match="monitor"):
        fitted(learning_rate=fm.ReduceOnPlateau(0.1, monitor="val_loss"))


def test_checkpoints_can_be_loaded(tmp_path: Any) -> None:
    path = str(tmp_path / "{epoch}.safetensors")
    model = fitted(callbacks=[fm.ModelCheckpoint(path, every=2)])
    assert sorted(each.name for each in tmp_path.iterdir()) == ["2.safetensors", "3.safetensors"]
    X = TABLES["multiclass"][1]
    loaded = fm.load(tmp_path / "3.safetensors")
    np.testing.assert_array_equal(loaded.predict(X), model.network_.predict(X))


def test_a_progress_bar(capsys: pytest.CaptureFixture[str]) -> None:
    fitted(verbose=2)
    out, err = capsys.readouterr()
    assert "Iteration" not in out
    assert "3.0/3 epochs" in err
    fitted(verbose=3)
    assert "Iteration 1, loss = " in capsys.readouterr().out


def test_clones_have_callbacks_of_their_own() -> None:
    model = fm.MLPClassifier(callbacks=[Lines()])
    assert clone(model).callbacks[0] is not model.callbacks[0]


if HAS_CALLBACKS:
    # Selected, not skipped: where nothing may be skipped, older versions are run too.
    from sklearn.callback import ProgressBar, ScoringMonitor

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
