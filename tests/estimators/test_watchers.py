"""Callbacks of fastmlp and of scikit-learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from twin_estimators import TABLES, fitted, quietly

import fastmlp as fm


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
    with pytest.raises(ValueError, match="monitors 'val_loss', but .* X_val= and y_val= to"):
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


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_callbacks_are_shown_what_columns_and_outputs_mean(tmp_path: Path, solver: str) -> None:
    X, y = pd.DataFrame({"size": [1.0, 2.0, 3.0, 4.0]}), ["small", "small", "large", "large"]
    shown = []

    def look(model: Any, epoch: int, logs: dict[str, float]) -> None:
        shown.extend(model.predict_classes(X.to_numpy()))

    path = tmp_path / "model.safetensors"
    callbacks = [fm.LambdaCallback(on_epoch_end=look), fm.ModelCheckpoint(path)]
    model = fm.MLPClassifier((4,), solver=solver, max_iter=2, callbacks=callbacks)
    quietly(model.fit, X, y)
    assert set(shown) <= {"small", "large"}
    saved = fm.load(path)
    assert saved.predict_classes(X.to_numpy()).tolist() == model.predict(X).tolist()
    assert saved.freeze().feature_names == ("size",)
