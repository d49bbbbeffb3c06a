"""A preset trains the networks of the estimator, and what is written is of all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import error_of, read_csv, train
from houses import TARGETS, houses, write
from modules import load_module

import fastmlp as fm
from fastmlp.cli import main

# The command line prints them as notes.
pytestmark = pytest.mark.filterwarnings("ignore::fastmlp.TableWarning")
N = 90


def words_of(folder: Path, target: str, copies: int = 0) -> tuple[str, ...]:
    """A table of which one column tells all rows apart that are no copies."""
    rows = houses(N)
    for place, row in enumerate(rows):
        row["Größe"] = f"{float(row['price']) / 4 + place / 70:.3f}"
    data = str(write(folder / "t.csv", [*rows, *rows[:copies]]))
    others = sorted({*TARGETS} - {target})
    return ("--data", data, "--target", target, "--drop", "id", *others, "-s", "3")


def estimator_of(folder: Path, target: str, preset: str, **arguments: Any) -> tuple[Any, Any]:
    """An estimator of the rows that are not of the test, and the test rows."""
    table = fm.read_table(folder / "t.csv")
    test = np.array([int(row["row"]) for row in read_csv(folder / "predictions.csv")])
    names = [name for name in table.columns if name not in (*TARGETS, "id")]
    training = table.take(np.setdiff1d(np.arange(len(table)), test))
    kind = fm.TabularRegressor if target == "price" else fm.TabularClassifier
    model = kind(preset, random_state=3, **arguments)
    model.fit({name: training[name] for name in names}, training[target])
    held = table.take(test)
    return model, {name: held[name] for name in names}


@pytest.mark.parametrize("target", ["price", "kind", "large"])
@pytest.mark.parametrize(("preset", "copies"), [("fast", 0), ("default", 20), ("best", 20)])
def test_the_networks_are_those_of_the_estimator(
    preset: str, copies: int, target: str, tmp_path: Path
) -> None:
    train(tmp_path, *words_of(tmp_path, target, copies), "--preset", preset)
    model, test = estimator_of(tmp_path, target, preset)
    back = fm.load(tmp_path / "model.safetensors")
    assert back.get_params() == model.get_params()
    assert len(back.members_) == len(model.members_) == (10 if preset == "best" else 1)
    for found, expected in zip(back.members_, model.members_, strict=True):
        for name, values in expected.parameters.items():
            np.testing.assert_array_equal(found.parameters[name], values)
    assert back.validation_score_ == model.validation_score_
    assert back.best_epoch_ == model.best_epoch_
    rows = read_csv(tmp_path / "predictions.csv")
    if target == "price":
        predicted = [float(row["prediction"]) for row in rows]
        np.testing.assert_array_equal(predicted, model.predict(test))
    else:
        assert [row["prediction"] for row in rows] == [str(v) for v in model.predict(test)]
        shares = [[float(row[f"probability_{name}"]) for name in model.classes_] for row in rows]
        np.testing.assert_allclose(shares, model.predict_proba(test), atol=1e-6)


@pytest.mark.parametrize("target", ["price", "kind"])
def test_several_networks_are_measured_as_one(
    target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = words_of(tmp_path, target, 20)
    metrics = train(tmp_path, *words, "--preset", "best", "-e", "4", "--backend", "numpy")
    printed = capsys.readouterr().out
    n = N + 20 - len(read_csv(tmp_path / "predictions.csv"))
    assert f", {n} training rows (" in printed
    assert "copies of others, 10 networks)" in printed
    assert "the outputs of 10 networks are averaged" in metrics["weights"]
    assert metrics["weights"] in printed
    assert list(metrics["baselines"])[1] == "linear model"

    # What the file gives of the rows is what was measured.
    table = fm.read_table(tmp_path / "t.csv")
    test = [int(row["row"]) for row in read_csv(tmp_path / "predictions.csv")]
    model = str(tmp_path / "model.safetensors")
    columns = {name: table[name] for name in table.columns}
    for part, places in (("test", test), ("training", sorted({*range(N + 20)} - {*test}))):
        some = [{name: columns[name][place] for name in columns} for place in places]
        data = str(write(tmp_path / f"{part}.csv", some))
        out = tmp_path / f"{part}.json"
        assert main(["evaluate", model, "--data", data, "-o", str(out)]) == 0
        again = json.loads(out.read_text())
        name = "rmse" if target == "price" else "log_loss"
        assert again[name] == pytest.approx(metrics[part][name], rel=1e-5)
        assert again["loss"] == pytest.approx(metrics[part]["loss"], rel=1e-5)

    history = read_csv(tmp_path / "history.csv")
    assert len(history) == metrics["epochs"] == 4
    assert {"loss", "val_loss"} <= {*history[0]}
    for name in ("learning_curve", "response_feature0", "response_feature1"):
        assert (tmp_path / f"{name}.png").stat().st_size > 1000
    assert metrics["validation"]["loss"] > 0


def test_validation_counts_each_copy(tmp_path: Path) -> None:
    words = (*words_of(tmp_path, "large", 60), "--backend", "numpy", "--preset", "fast")
    metrics = train(tmp_path, *words, "-e", "1")
    parts = (metrics["training"], metrics["validation"])
    n_test = len(read_csv(tmp_path / "predictions.csv"))
    assert sum(np.sum(part["confusion_matrix"]) for part in parts) == N + 60 - n_test


def test_programs_of_several_networks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = words_of(tmp_path, "price")
    train(tmp_path, *words, "--preset", "best", "-e", "3", "--backend", "numpy")
    model = str(tmp_path / "model.safetensors")
    capsys.readouterr()
    assert main(["inspect", model, "--no-latency"]) == 0
    assert "10 networks, whose outputs are averaged" in capsys.readouterr().out
    assert main(["export", model, "--format", "python", "-o", str(tmp_path / "m.py")]) == 0
    back = fm.load(model)
    table = fm.read_table(tmp_path / "t.csv")
    cells = {name: table[name] for name in back.feature_names_in_}
    found = load_module(tmp_path / "m.py").predict(back.encode(cells).astype(np.float32))
    np.testing.assert_allclose(np.ravel(found), back.predict(cells), rtol=1e-4)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--preset", "best", "--layers", "8"), "--preset and --layers say two things"),
        (("--preset", "fast", "-a", "tanh"), "--preset and --activation say two things"),
        (("--preset", "fast", "-lr", "0.1"), "--preset and --learning_rate say two things"),
        (("--preset", "slow"), "invalid choice"),
    ],
)
def test_a_preset_and_a_network_of_ones_own(
    words: tuple[str, ...], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Before the table is looked for.
    data = ("--data", str(tmp_path / "none.csv"), "--target", "y")
    out = ("--output-dir", str(tmp_path / "o"))
    assert told in error_of(capsys, "train", *data, *words, *out)
    assert not (tmp_path / "o").exists()


def test_a_preset_is_for_tables(capsys: pytest.CaptureFixture[str]) -> None:
    error = error_of(capsys, "train", "-d", "iris", "--preset", "best")
    assert "--preset is for --data" in error
