"""The record of a fit: alignment, files, learning curves."""

from __future__ import annotations

import csv
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastmlp.training.history import History

NASTY = [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, math.nan, math.inf, -math.inf, -0.0]


def make(**columns: list[float]) -> History:
    history = History()
    for epoch, values in enumerate(zip(*columns.values(), strict=True)):
        history.append(epoch, dict(zip(columns, values, strict=True)))
    return history


def test_mapping_from_name_to_one_value_an_epoch() -> None:
    history = make(loss=[0.5, 0.25], accuracy=[0.75, 1.0])
    assert history["loss"] == [0.5, 0.25]
    assert history["accuracy"] == [0.75, 1.0]
    assert history.epochs == [0, 1]
    assert len(history) == 2
    assert "loss" in history
    assert "val_loss" not in history
    assert list(history.keys()) == list(history) == ["loss", "accuracy"]
    assert dict(history) == dict(history.items()) == {"loss": [0.5, 0.25], "accuracy": [0.75, 1.0]}
    assert "2 epochs" in repr(history)


def test_empty_history_is_falsy_and_has_no_names() -> None:
    history = History()
    assert not history
    assert history.epochs == list(history) == []
    with pytest.raises(KeyError, match="nothing yet"):
        history["loss"]


def test_unknown_name_tells_what_there_is() -> None:
    with pytest.raises(KeyError, match="no 'val_loss' in the history; it holds loss, accuracy"):
        make(loss=[1.0], accuracy=[0.5])["val_loss"]


def test_values_are_plain_floats() -> None:
    history = History()
    history.append(np.int64(3), {"loss": np.float32(0.5), "rows": 4})  # type: ignore[arg-type]
    assert type(history.epochs[0]) is int
    assert [type(column[0]) for _, column in history.items()] == [float, float]


@pytest.mark.parametrize(
    ("epoch", "logs", "error"),
    [
        (0.5, {"loss": 1.0}, TypeError),
        (1, {1: 1.0}, TypeError),
        (1, {"loss": None}, TypeError),
        (1, {"loss": "high"}, ValueError),
        (1, {"epoch": 1.0}, ValueError),
    ],
)
def test_refused_epoch_changes_nothing(epoch: Any, logs: Any, error: type[Exception]) -> None:
    history = make(loss=[0.5])
    with pytest.raises(error):
        history.append(epoch, {"new": 2.0} | logs)
    assert history.to_dict() == {"epoch": [0], "loss": [0.5]}


def test_names_that_come_and_go_stay_aligned() -> None:
    history = make(loss=[3.0, 2.0])
    history.append(2, {"loss": 1.0, "val_loss": 4.0})
    history.append(3, {"val_loss": 5.0})
    np.testing.assert_array_equal(history["loss"], [3.0, 2.0, 1.0, np.nan])
    np.testing.assert_array_equal(history["val_loss"], [np.nan, np.nan, 4.0, 5.0])
    assert history.epochs == [0, 1, 2, 3]


def test_extend_copies_and_aligns() -> None:
    whole = make(loss=[3.0], seconds=[0.1])
    fit = History()
    fit.append(7, {"loss": 2.0, "val_loss": 4.0})
    whole.extend(fit)
    fit.append(8, {"loss": 1.0, "val_loss": 3.0})
    assert whole.epochs == [0, 7]
    assert whole["loss"] == [3.0, 2.0]
    np.testing.assert_array_equal(whole["seconds"], [0.1, np.nan])
    np.testing.assert_array_equal(whole["val_loss"], [np.nan, 4.0])


def test_dict_is_strict_json_and_comes_back() -> None:
    history = make(loss=NASTY, other=NASTY[::-1])
    text = json.dumps(history.to_dict(), allow_nan=False)
    back = History.from_dict(json.loads(text))
    assert back.epochs == history.epochs
    assert list(back) == list(history)
    for name, column in history.items():
        assert [value.hex() for value in back[name]] == [value.hex() for value in column]


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"loss": [1.0]},
        {"epoch": 1, "loss": [1.0]},
        {"epoch": [0], "loss": []},
        {"epoch": [0], "loss": [1.0, 2.0]},
        {"epoch": [0], "loss": "1"},
        {"epoch": [0.5], "loss": [1.0]},
        {"epoch": [0], "loss": ["high"]},
        {"epoch": [0], "loss": [[1.0]]},
    ],
)
def test_what_is_no_history_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match="a history"):
        History.from_dict(data)


def test_csv_has_epoch_first_and_every_digit(tmp_path: Path) -> None:
    history = make(**{"loss": NASTY, 'a,b "c" ä': [float(i) for i in range(8)]})
    history.to_csv(tmp_path / "h.csv")
    assert b"\r" not in (tmp_path / "h.csv").read_bytes()
    with open(tmp_path / "h.csv", newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["epoch", "loss", 'a,b "c" ä']
    assert [int(row[0]) for row in rows] == list(range(8))
    assert [float(row[1]).hex() for row in rows] == [value.hex() for value in NASTY]
    assert rows[4][1] == "nan"


def test_json_file_holds_the_dict(tmp_path: Path) -> None:
    history = make(loss=NASTY)
    history.to_json(tmp_path / "h.json")

    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} is not JSON")

    text = (tmp_path / "h.json").read_text(encoding="utf-8")
    assert json.loads(text, parse_constant=refuse) == history.to_dict()


class TestPlot:
    @pytest.fixture(autouse=True)
    def headless(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("matplotlib")
        monkeypatch.setenv("MPLBACKEND", "Agg")

    @staticmethod
    def fitted() -> History:
        history = make(
            loss=[1.0, 0.5, 0.25], accuracy=[0.5, 0.75, 0.8], val_accuracy=[0.4, 0.5, 0.6]
        )
        history.append(3, {"loss": 0.2, "val_loss": 0.4})
        return history

    def test_panels_labels_and_data(self, tmp_path: Path) -> None:
        loss = self.fitted().plot(tmp_path / "h.png")
        _, accuracy = loss.figure.axes
        for axes, metric in ((loss, "loss"), (accuracy, "accuracy")):
            assert axes.get_xlabel() == "epoch"
            assert axes.get_ylabel() == metric
            legend = axes.get_legend()
            assert legend is not None
            assert [text.get_text() for text in legend.get_texts()] == ["training", "validation"]
        training, validation = loss.lines
        np.testing.assert_array_equal(training.get_xdata(), [0, 1, 2, 3])
        np.testing.assert_array_equal(training.get_ydata(), [1.0, 0.5, 0.25, 0.2])
        np.testing.assert_array_equal(validation.get_ydata(), [np.nan] * 3 + [0.4])

    def test_loss_alone_is_one_panel_with_whole_epochs(self, tmp_path: Path) -> None:
        axes = make(loss=[1.0, 0.5, 0.4], seconds=[1.0] * 3).plot(tmp_path / "h.png")
        assert axes.figure.axes == [axes]
        assert len(axes.lines) == 1
        assert all(tick == round(tick) for tick in axes.get_xticks())

    @pytest.mark.parametrize(
        ("suffix", "magic"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")]
    )
    def test_file_is_of_the_suffix_and_pyplot_knows_nothing(
        self, tmp_path: Path, suffix: str, magic: bytes
    ) -> None:
        from matplotlib import pyplot

        pyplot.close("all")
        path = tmp_path / f"h.{suffix}"
        self.fitted().plot(path)
        assert path.read_bytes().startswith(magic)
        assert pyplot.get_fignums() == []

    def test_without_a_path_the_figure_is_pyplots(self) -> None:
        from matplotlib import pyplot

        pyplot.close("all")
        axes = self.fitted().plot()
        assert pyplot.gcf() is axes.figure
        pyplot.close("all")

    def test_a_lone_epoch_is_visible(self, tmp_path: Path) -> None:
        (line,) = make(loss=[1.0]).plot(tmp_path / "h.png").lines
        assert line.get_marker() == "."

    def test_long_curves_have_no_markers(self, tmp_path: Path) -> None:
        (line,) = make(loss=[1.0] * 100).plot(tmp_path / "h.png").lines
        assert line.get_marker() in ("", "None")

    @pytest.mark.parametrize("history", [History(), make(seconds=[1.0])])
    def test_nothing_to_plot(self, history: History) -> None:
        with pytest.raises(ValueError, match="nothing to plot"):
            history.plot()

    def test_without_matplotlib(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
            monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(ImportError, match=r"fastmlp\[plot\]"):
            make(loss=[1.0]).plot()


@pytest.mark.parametrize("write", ["to_csv", "to_json"])
def test_a_number_is_no_path(write: str) -> None:
    """It would be an open file's, which is written to and closed."""
    with pytest.raises(TypeError, match="PathLike object, not bool"):
        getattr(History(), write)(True)


def test_what_is_no_epoch_and_no_logs() -> None:
    history = History()
    with pytest.raises(TypeError, match="epoch must be an integer, got 1.5"):
        history.append(1.5, {})
    with pytest.raises(TypeError, match="logs must be a mapping"):
        history.append(0, [1.0])
    with pytest.raises(TypeError, match="other must be a History"):
        history.extend({})
