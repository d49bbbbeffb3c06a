"""The files of a training agree with each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from commands import read_csv, train

from fastmlp import datasets

# Small networks, few epochs: what is tested is the path from words to files.
QUICK = ["-e", "3", "-l", "8"]


def test_files_agree_with_each_other(tmp_path: Path) -> None:
    metrics = train(tmp_path, "-d", "breast_cancer", *QUICK)
    table = {row["metric"]: row for row in read_csv(tmp_path / "metrics.csv")}
    for part in ("training", "test"):
        matrix = np.array(metrics[part].pop("confusion_matrix"))
        assert matrix.trace() / matrix.sum() == pytest.approx(metrics[part]["accuracy"])
        assert {name: float(row[part]) for name, row in table.items()} == metrics[part]
    assert {"f1", "f1_macro", "f1_weighted", "roc_auc", "log_loss"} < set(table)

    predictions = read_csv(tmp_path / "predictions.csv")
    assert len(predictions) == 114
    y = datasets.load("breast_cancer").y
    assert [int(row["target"]) for row in predictions] == [
        y[int(row["row"])] for row in predictions
    ]
    right = [row["target"] == row["prediction"] for row in predictions]
    assert np.mean(right) == pytest.approx(metrics["test"]["accuracy"], abs=1e-6)
    for row in predictions:
        malignant = float(row["probability_malignant"])
        benign = float(row["probability_benign"])
        assert malignant + benign == pytest.approx(1, abs=1e-6)
        assert int(row["prediction"]) == int(benign >= 0.5)

    history = read_csv(tmp_path / "history.csv")
    assert len(history) == 3
    assert float(history[-1]["val_loss"]) == pytest.approx(metrics["test"]["loss"], rel=1e-5)
