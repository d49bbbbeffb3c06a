"""``fastmlp train``: what is learned of data sets, and what is printed meanwhile."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import read_csv, train
from sklearn.model_selection import train_test_split

import fastmlp as fm
from fastmlp import datasets

PNG = b"\x89PNG\r\n\x1a\n"
ARTIFACTS = {
    *("model.safetensors", "metrics.json", "metrics.csv", "history.csv", "predictions.csv"),
    *("learning_curve.png", "response_feature0.png", "response_feature1.png"),
    "confusion_matrix.png",
}
# Small networks, few epochs: what is tested is the path from words to files.
QUICK = ["-e", "3", "-l", "8"]


def test_defaults_on_breast_cancer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    metrics = train(tmp_path, "--dataset", "breast_cancer")
    assert {path.name for path in tmp_path.iterdir()} == ARTIFACTS
    for path in tmp_path.glob("*.png"):
        assert path.read_bytes().startswith(PNG)
    assert metrics["test"]["accuracy"] > 0.92
    assert metrics["training"]["accuracy"] > 0.98
    assert metrics["settings"]["task"] == "classification"
    assert metrics["settings"]["layers"] == [64, 32]
    assert metrics["settings"]["learning_rate"] == 0.01

    printed = capsys.readouterr().out
    assert "30 features, 2 classes, 455 training rows, 114 test rows" in printed
    assert re.search(
        rf"^accuracy +{metrics['training']['accuracy']:.4g} +{metrics['test']['accuracy']:.4g} +",
        printed,
        re.MULTILINE,
    )
    for name in ARTIFACTS:
        assert str(tmp_path / name) in printed


def test_the_preparation_is_fitted_on_training_rows(tmp_path: Path) -> None:
    train(tmp_path, "-d", "wine", *QUICK, "--dtype", "float64", "--validation-size", "0.25")
    model = fm.load(tmp_path / "model.safetensors")
    preparation = json.loads(model.metadata["preparation"])
    data = datasets.load("wine")
    columns = preparation["columns"]
    assert tuple(column["name"] for column in columns) == data.feature_names
    assert tuple(preparation["target"]["classes"]) == data.target_names

    test = [int(row["row"]) for row in read_csv(tmp_path / "predictions.csv")]
    others = train_test_split(np.arange(178), test_size=0.2, random_state=42, stratify=data.y)[0]
    training = train_test_split(others, test_size=0.25, random_state=42, stratify=data.y[others])[0]
    assert len(training) == 106
    assert not set(training) & set(test)
    mean, scale = ([column[name] for column in columns] for name in ("mean", "scale"))
    np.testing.assert_allclose(mean, data.X[training].mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(scale, data.X[training].std(axis=0), rtol=1e-12)

    rows = read_csv(tmp_path / "predictions.csv")
    expected = [[float(row[f"probability_{name}"]) for name in data.target_names] for row in rows]
    scaled = (data.X[test] - mean) / scale
    np.testing.assert_allclose(model.predict(scaled), expected, rtol=1e-12)


@pytest.mark.parametrize("name", ["iris", "wine", "digits"])
def test_classification_is_learned_and_split_by_class(name: str, tmp_path: Path) -> None:
    metrics = train(tmp_path, "-d", name, "-e", "30", "-l", "32")
    assert metrics["test"]["accuracy"] > 0.9
    data = datasets.load(name)
    targets = [int(row["target"]) for row in read_csv(tmp_path / "predictions.csv")]
    shares = np.bincount(targets) / np.bincount(data.y)
    np.testing.assert_allclose(shares, 0.2, atol=0.02)


def test_regression_is_learned(tmp_path: Path) -> None:
    metrics = train(tmp_path, "-d", "diabetes", "-wf", "bmi", "8")
    assert metrics["test"]["r2"] > 0.3
    rows = read_csv(tmp_path / "predictions.csv")
    assert list(rows[0]) == ["row", "target", "prediction"]
    errors = [float(row["target"]) - float(row["prediction"]) for row in rows]
    assert np.mean(np.square(errors)) == pytest.approx(metrics["test"]["mse"], rel=1e-5)
    # One output: the three ways to average over outputs agree.
    assert metrics["test"]["r2_raw"] == [pytest.approx(metrics["test"]["r2"])]
    assert metrics["test"]["r2_variance_weighted"] == pytest.approx(metrics["test"]["r2"])
    assert {path.name for path in tmp_path.glob("*.png")} == {
        *("learning_curve.png", "predictions.png"),
        *("response_feature2.png", "response_feature8.png"),
    }


def test_california_housing(tmp_path: Path, sklearn_data: Path) -> None:
    metrics = train(tmp_path, "-d", "california_housing", "-e", "5", "--batch-size", "256")
    assert metrics["test"]["r2"] > 0.6


@pytest.mark.slow
def test_mnist(tmp_path: Path, sklearn_data: Path) -> None:
    metrics = train(tmp_path, "-d", "mnist_784", "-e", "2", "--batch-size", "256", "-lr", "0.001")
    assert metrics["test"]["accuracy"] > 0.94
    assert len(read_csv(tmp_path / "predictions.csv")) == 14000


def test_labels_can_be_learned_as_numbers(tmp_path: Path) -> None:
    metrics = train(tmp_path, "-d", "iris", "-t", "regression", "-e", "30")
    assert metrics["test"]["r2"] > 0.8


def test_the_same_seed_gives_the_same_numbers(tmp_path: Path) -> None:
    words = ["-d", "iris", *QUICK, "--dropout", "0.2", "--threads"]
    first = train(tmp_path / "1", *words, "1")
    second = train(tmp_path / "2", *words, "2")
    other = train(tmp_path / "3", *words, "1", "-s", "43")
    assert first["test"] == second["test"]
    assert first["training"] == second["training"]
    assert first["training"]["loss"] != other["training"]["loss"]


def test_show_loss_prints_every_tenth_epoch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(tmp_path, "-d", "iris", "-l", "8", "-e", "25", "--show_loss")
    printed = capsys.readouterr()
    numbers = re.findall(r"^epoch (\d+)/25: loss ([\d.e-]+),", printed.out, re.MULTILINE)
    assert [number for number, _ in numbers] == ["10", "20"]
    history = read_csv(tmp_path / "history.csv")
    for number, loss in numbers:
        assert float(loss) == pytest.approx(float(history[int(number) - 1]["loss"]), rel=1e-3)


def test_plain_lines_where_there_is_no_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(tmp_path, "-d", "iris", "-l", "8", "-e", "40")
    printed = capsys.readouterr()
    assert "\r" not in printed.out + printed.err
    assert 5 <= len(re.findall(r"\bloss\b", printed.out + printed.err)) <= 25


def test_a_bar_on_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    train(tmp_path, "-d", "iris", *QUICK)
    assert re.search(r"100%.*loss=", capsys.readouterr().err)
