"""Options of the network, its loss and its optimizer reach the model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from commands import read_csv, train

import fastmlp as fm

# Small networks, few epochs: what is tested is the path from words to files.
QUICK = ["-e", "3", "-l", "8"]


def test_decay_rate_divides_the_learning_rate(tmp_path: Path) -> None:
    train(tmp_path, "-d", "iris", *QUICK, "-lr", "0.1", "-decay", "0.5")
    rates = [float(row["learning_rate"]) for row in read_csv(tmp_path / "history.csv")]
    np.testing.assert_allclose(rates, [0.1, 0.1 / 1.5, 0.1 / 1.5**2])


def test_network_options_reach_the_model(tmp_path: Path) -> None:
    words = ["-d", "iris", "-e", "2", "--batch-norm", "--dropout", "0.1", "--backend", "numpy"]
    train(tmp_path, *words, "-l", "5", "6", "-a", "gelu", "--optimizer", "momentum")
    model = fm.load(tmp_path / "model.safetensors")
    assert {name: view.shape for name, view in model.parameters.items() if "weight" in name} == {
        "0.weight": (4, 5),
        "4.weight": (5, 6),
        "8.weight": (6, 3),
    }
    assert set(model.buffers) == {
        *("1.running_mean", "1.running_var", "5.running_mean", "5.running_var")
    }


def test_without_hidden_layers_the_model_is_linear(tmp_path: Path) -> None:
    train(tmp_path, "-d", "iris", "-e", "2", "-l", "-a", "relu")
    model = fm.load(tmp_path / "model.safetensors")
    assert list(model.parameters) == ["0.weight", "0.bias"]


def test_penalties_are_part_of_the_loss(tmp_path: Path) -> None:
    plain = train(tmp_path / "plain", "-d", "iris", *QUICK)
    penalized = train(tmp_path / "l2", "-d", "iris", *QUICK, "--l2", "1")
    assert penalized["test"]["loss"] > plain["test"]["loss"] + 0.1
