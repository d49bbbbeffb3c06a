"""Callbacks driven by a model that only pretends to train."""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from fastmlp.training.callbacks import (
    Callback,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    ProgressBar,
)


class Model:
    """Its weights are the number of the epoch that it trained last."""

    def __init__(self) -> None:
        self.weights = -1
        self.stop_training = False
        self.fit_epochs = 0

    def get_weights(self) -> int:
        return self.weights

    def set_weights(self, snapshot: int) -> None:
        self.weights = snapshot

    def fit(
        self,
        epochs: Sequence[dict[str, float] | BaseException],
        *callbacks: Callback,
        first: int = 0,
    ) -> Model:
        """Run epochs with these logs; an exception among them is raised within its epoch."""
        self.stop_training = False
        self.fit_epochs = len(epochs)
        try:
            for callback in callbacks:
                callback.on_fit_begin(self)
            for epoch, logs in enumerate(epochs, first):
                for callback in callbacks:
                    callback.on_epoch_begin(self, epoch)
                self.weights = epoch
                if isinstance(logs, BaseException):
                    raise logs
                for callback in callbacks:
                    callback.on_epoch_end(self, epoch, logs)
                if self.stop_training:
                    break
        finally:
            for callback in callbacks:
                callback.on_fit_end(self)
        return self


def epochs_of(name: str, *values: float) -> list[dict[str, float]]:
    return [{name: value} for value in values]


class TestEarlyStopping:
    def test_stops_after_patience_bad_epochs_in_a_row(self) -> None:
        stopping = EarlyStopping("loss", patience=2)
        model = Model().fit(epochs_of("loss", 5, 6, 4, 4, 5, 1), stopping)
        assert (stopping.best, stopping.best_epoch, stopping.stopped_epoch) == (4.0, 2, 4)
        assert model.weights == 2

    @pytest.mark.parametrize("patience", [0, 1])
    def test_least_patience_stops_at_the_first_bad_epoch(self, patience: int) -> None:
        stopping = EarlyStopping("loss", patience=patience)
        Model().fit(epochs_of("loss", 3, 2, 2, 1), stopping)
        assert stopping.stopped_epoch == 2

    def test_fit_that_runs_out_of_epochs_is_not_stopped_but_restored(self) -> None:
        stopping = EarlyStopping("loss", patience=5)
        model = Model().fit(epochs_of("loss", 3, 1, 2), stopping)
        assert stopping.stopped_epoch is None
        assert model.weights == 1

    @pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("broken")])
    def test_best_weights_come_back_after_an_exception(self, error: BaseException) -> None:
        model = Model()
        with pytest.raises(type(error)):
            model.fit([{"loss": 1.0}, {"loss": 2.0}, error], EarlyStopping("loss"))
        assert model.weights == 0

    def test_without_restore_best_the_last_weights_stay(self) -> None:
        stopping = EarlyStopping("loss", patience=2, restore_best=False)
        assert Model().fit(epochs_of("loss", 1, 2, 3, 4), stopping).weights == 2
        assert stopping.best_epoch == 0

    def test_min_delta_asks_for_more_than_itself(self) -> None:
        stopping = EarlyStopping("loss", patience=10, min_delta=0.5)
        Model().fit(epochs_of("loss", 2.0, 1.75, 1.5, 1.25, 1.0), stopping)
        assert (stopping.best, stopping.best_epoch) == (1.25, 3)

        stopping = EarlyStopping("accuracy", patience=10, min_delta=0.25)
        Model().fit(epochs_of("accuracy", 0.25, 0.5, 0.625), stopping)
        assert (stopping.best, stopping.best_epoch) == (0.625, 2)

    @pytest.mark.parametrize(
        ("monitor", "mode", "best"),
        [
            *((name, "auto", 3.0) for name in ("accuracy", "val_accuracy", "f1", "val_f1_macro")),
            *((name, "auto", 3.0) for name in ("roc_auc", "r2", "precision_macro", "val_recall")),
            *((name, "auto", 1.0) for name in ("loss", "val_loss", "rmse", "error2", "log_loss")),
            ("accuracy", "min", 1.0),
            ("val_loss", "max", 3.0),
            ("val_loss", "MAX", 3.0),
        ],
    )
    def test_mode(self, monitor: str, mode: str, best: float) -> None:
        stopping = EarlyStopping(monitor, mode=mode)
        Model().fit(epochs_of(monitor, 2, 3, 1, 2), stopping)
        assert stopping.best == best

    def test_nan_is_never_the_best(self) -> None:
        stopping = EarlyStopping("loss", patience=2)
        model = Model().fit(epochs_of("loss", math.nan, 2, math.nan, math.nan, 1), stopping)
        assert (stopping.best, stopping.best_epoch, stopping.stopped_epoch) == (2.0, 1, 3)
        assert model.weights == 1

        model = Model().fit(epochs_of("loss", math.nan, math.nan, math.nan), stopping)
        assert (stopping.best, stopping.best_epoch, stopping.stopped_epoch) == (None, None, 1)
        assert model.weights == 1

    def test_reused_object_starts_anew(self) -> None:
        stopping = EarlyStopping("loss", patience=2)
        Model().fit(epochs_of("loss", 1, 2, 3), stopping)
        model = Model().fit(epochs_of("loss", 9, 8, 9), stopping, first=10)
        assert (stopping.best, stopping.best_epoch, stopping.stopped_epoch) == (8.0, 11, None)
        assert model.weights == 11

    def test_fit_that_fails_before_it_begins_restores_nothing(self) -> None:
        stopping = EarlyStopping("loss")
        Model().fit(epochs_of("loss", 1), stopping)
        model = Model()
        model.weights = 42
        stopping.on_fit_end(model)
        assert model.weights == 42

    def test_no_validation_data_gives_the_hint(self) -> None:
        with pytest.raises(ValueError, match="'val_loss'") as caught:
            Model().fit([{"loss": 1.0, "seconds": 0.1}], EarlyStopping())
        for part in ("monitor='loss'", "validation_data=", "loss, seconds"):
            assert part in str(caught.value)

    @pytest.mark.parametrize("monitor", ["acuracy", "val_acuracy"])
    def test_unknown_monitor_lists_what_there_is(self, monitor: str) -> None:
        logs = {"loss": 1.0, "accuracy": 0.5, "val_loss": 1.0, "val_accuracy": 0.5}
        right = monitor.replace("acuracy", "accuracy")
        with pytest.raises(ValueError, match=f"mean '{right}'.*loss, accuracy, val_loss"):
            Model().fit([logs], EarlyStopping(monitor))

    @pytest.mark.parametrize(
        ("arguments", "error"),
        [
            ({"monitor": 1}, TypeError),
            ({"patience": 1.5}, TypeError),
            ({"patience": True}, TypeError),
            ({"patience": -1}, ValueError),
            ({"min_delta": -0.1}, ValueError),
            ({"min_delta": math.nan}, ValueError),
            ({"min_delta": "0"}, TypeError),
            ({"restore_best": 1}, TypeError),
            ({"mode": "maximum"}, ValueError),
            ({"mode": None}, TypeError),
        ],
    )
    def test_arguments(self, arguments: dict[str, Any], error: type[Exception]) -> None:
        with pytest.raises(error, match=next(iter(arguments))):
            EarlyStopping(**arguments)


class TestCSVLogger:
    @staticmethod
    def rows(path: Path) -> list[list[str]]:
        with open(path, newline="", encoding="utf-8") as file:
            return list(csv.reader(file))

    def test_header_and_every_digit(self, tmp_path: Path) -> None:
        path = tmp_path / "log.csv"
        Model().fit([{"loss": 1 / 3, "a,b": 1.0}, {"loss": 5e-324, "a,b": 2.0}], CSVLogger(path))
        assert self.rows(path) == [
            ["epoch", "loss", "a,b"],
            ["0", repr(1 / 3), "1.0"],
            ["1", "5e-324", "2.0"],
        ]
        assert b"\r" not in path.read_bytes()

    def test_each_epoch_is_on_disk_before_the_next(self, tmp_path: Path) -> None:
        path = tmp_path / "log.csv"
        seen = []

        def look(model: Any, epoch: int) -> None:
            seen.append(len(self.rows(path)))

        Model().fit(epochs_of("loss", 3, 2, 1), CSVLogger(path), LambdaCallback(None, look))
        assert seen == [0, 2, 3]

    def test_exception_closes_the_file(self, tmp_path: Path) -> None:
        logger = CSVLogger(tmp_path / "log.csv")
        with pytest.raises(KeyboardInterrupt):
            Model().fit([{"loss": 1.0}, KeyboardInterrupt()], logger)
        assert len(self.rows(tmp_path / "log.csv")) == 2
        with pytest.raises(ValueError, match="on_fit_begin"):
            logger.on_epoch_end(Model(), 2, {"loss": 1.0})

    def test_each_fit_starts_the_file_anew(self, tmp_path: Path) -> None:
        logger = CSVLogger(str(tmp_path / "log.csv"))
        Model().fit(epochs_of("loss", 3, 2), logger)
        Model().fit(epochs_of("accuracy", 1), logger)
        assert self.rows(tmp_path / "log.csv") == [["epoch", "accuracy"], ["0", "1.0"]]

    def test_append_goes_on_under_one_header(self, tmp_path: Path) -> None:
        path = tmp_path / "log.csv"
        Model().fit([{"loss": 3.0, "val_loss": 4.0}], CSVLogger(path, append=True))
        Model().fit(epochs_of("loss", 2), CSVLogger(path, append=True), first=1)
        expected = [["epoch", "loss", "val_loss"], ["0", "3.0", "4.0"], ["1", "2.0", "nan"]]
        assert self.rows(path) == expected

    def test_append_to_a_file_without_a_last_line_break(self, tmp_path: Path) -> None:
        path = tmp_path / "log.csv"
        path.write_text("epoch,loss\n0,3.0")
        Model().fit(epochs_of("loss", 2), CSVLogger(path, append=True), first=1)
        assert self.rows(path) == [["epoch", "loss"], ["0", "3.0"], ["1", "2.0"]]

    def test_append_to_another_files_columns(self, tmp_path: Path) -> None:
        path = tmp_path / "log.csv"
        path.write_text("time,loss\n")
        with pytest.raises(ValueError, match="first column is not 'epoch'"):
            Model().fit(epochs_of("loss", 2), CSVLogger(path, append=True))
        assert path.read_text() == "time,loss\n"

    @pytest.mark.parametrize("append", [False, True])
    def test_value_without_a_column(self, tmp_path: Path, append: bool) -> None:
        path = tmp_path / "log.csv"
        path.write_text("epoch,loss\n")
        logs = [{"loss": 1.0}, {"loss": 1.0, "val_loss": 2.0}]
        with pytest.raises(ValueError, match="columns loss and none for val_loss"):
            Model().fit(logs, CSVLogger(path, append))
        assert self.rows(path) == [["epoch", "loss"], ["0", "1.0"]]

    def test_missing_folder_ends_the_fit_before_it_trains(self, tmp_path: Path) -> None:
        model = Model()
        with pytest.raises(FileNotFoundError):
            model.fit(epochs_of("loss", 1), CSVLogger(tmp_path / "no" / "log.csv"))
        assert model.weights == -1

    @pytest.mark.parametrize("arguments", [(1,), (None,), ("log.csv", 1), ("log.csv", "a")])
    def test_arguments(self, arguments: Any) -> None:
        with pytest.raises(TypeError):
            CSVLogger(*arguments)


class TestLambdaCallback:
    def test_calls_each_function_with_its_arguments(self) -> None:
        calls: list[tuple[Any, ...]] = []

        def record(name: str) -> Any:
            return lambda *arguments: calls.append((name, *arguments))

        names = ["on_fit_begin", "on_epoch_begin", "on_epoch_end", "on_fit_end"]
        model = Model()
        model.fit(epochs_of("loss", 2), LambdaCallback(**{name: record(name) for name in names}))
        assert calls == [
            ("on_fit_begin", model),
            ("on_epoch_begin", model, 0),
            ("on_epoch_end", model, 0, {"loss": 2}),
            ("on_fit_end", model),
        ]

    def test_function_may_stop_the_fit(self) -> None:
        def stop(model: Any, epoch: int, logs: dict[str, float]) -> None:
            model.stop_training = logs["loss"] < 2.5

        callback = LambdaCallback(on_epoch_end=stop)
        assert Model().fit(epochs_of("loss", 3, 2, 1), callback).weights == 1

    def test_every_function_is_optional(self) -> None:
        Model().fit(epochs_of("loss", 1), LambdaCallback(), Callback())

    @pytest.mark.parametrize(
        "name", ["on_fit_begin", "on_epoch_begin", "on_epoch_end", "on_fit_end"]
    )
    def test_arguments(self, name: str) -> None:
        arguments: dict[str, Any] = {name: "print"}
        with pytest.raises(TypeError, match=f"{name} must be a function"):
            LambdaCallback(**arguments)


class TestProgressBar:
    @pytest.fixture(autouse=True)
    def needs_tqdm(self) -> None:
        pytest.importorskip("tqdm")

    @staticmethod
    def drawn(capsys: pytest.CaptureFixture[str]) -> list[str]:
        """Every state of the bar that reached the terminal."""
        out, error = capsys.readouterr()
        assert out == ""
        return error.strip().split("\r")

    def test_one_bar_over_the_epochs(self, capsys: pytest.CaptureFixture[str]) -> None:
        logs = {"loss": 0.123456, "val_loss": 2.0, "seconds": 0.5, "accuracy": 0.75}
        Model().fit([logs] * 3, ProgressBar())
        first, *_, last = self.drawn(capsys)
        assert "0.0/3 epochs" in first
        assert "100%" in last
        assert "3.0/3 epochs" in last
        assert last.endswith("loss=0.1235, val_loss=2, accuracy=0.75]")

    def test_bar_moves_within_an_epoch(self, capsys: pytest.CaptureFixture[str]) -> None:
        bar = ProgressBar()
        model = Model()
        model.fit_epochs = 2
        bar.on_fit_begin(model)
        bar.on_epoch_end(model, 0, {"loss": 1.0})
        bar.on_progress(model, 0.25)
        bar.on_progress(model, 0.5)
        bar.on_fit_end(model)
        last = self.drawn(capsys)[-1]
        assert "75%" in last
        assert "1.5/2 epochs" in last

    def test_bar_of_a_stopped_fit_stays_where_it_was(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        stopping = EarlyStopping("loss", patience=1)
        Model().fit(epochs_of("loss", 1, 2, 3), ProgressBar(), stopping)
        assert "2.0/3 epochs" in self.drawn(capsys)[-1]

    def test_bar_of_an_interrupted_fit_stays_where_it_was(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(KeyboardInterrupt):
            Model().fit([{"loss": 1.0}, KeyboardInterrupt(), {}], ProgressBar())
        assert "1.0/3 epochs" in self.drawn(capsys)[-1]

    def test_reuse_shows_a_new_bar(self, capsys: pytest.CaptureFixture[str]) -> None:
        bar = ProgressBar()
        Model().fit(epochs_of("loss", 1, 2), bar)
        capsys.readouterr()
        Model().fit(epochs_of("loss", 3), bar)
        assert "1.0/1 epochs" in self.drawn(capsys)[-1]


def test_progress_bar_without_tqdm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    model = Model()
    with pytest.raises(ImportError, match=r"fastmlp\[cli\]"):
        model.fit(epochs_of("loss", 1), ProgressBar())
    assert model.weights == -1
