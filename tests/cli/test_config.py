"""Options from a file, the log of epochs, and when training ends early."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
from commands import error_of

import fastmlp as fm
from fastmlp.cli import main
from fastmlp.cli.config import with_config

QUICK = ("--backend", "numpy", "-e", "5", "-l", "8")


def settings_of(folder: Path, *words: str) -> dict[str, Any]:
    assert main(["train", "--output_dir", str(folder), *words]) == 0
    settings: dict[str, Any] = json.loads((folder / "metrics.json").read_text())["settings"]
    return settings


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_options_win_over_those_of_the_file(tmp_path: Path) -> None:
    path = write(
        tmp_path / "c.toml",
        'dataset = "iris"\nlayers = [6, 5]\nactivation = "tanh"\nlearning-rate = 0.02\n'
        'epochs = 4\nbatch_norm = true\nshow_loss = false\nbackend = "numpy"\nstratify = true\n'
        'wanted_features = ["petal width (cm)", 0]\nl2 = 1e-3\n',
    )
    settings = settings_of(tmp_path, "--config", path)
    expected = {
        "dataset": "iris",
        "layers": [6, 5],
        "activation": "tanh",
        "learning_rate": 0.02,
        "epochs": 4,
        "batch_norm": True,
        "show_loss": False,
        "stratify": True,
        "l2": 0.001,
        "wanted_features": ["petal width (cm)", "0"],
        "config": path,
        "batch_size": 32,
    }
    assert {name: settings[name] for name in expected} == expected
    words = ("-e", "3", "--layers", "4", "--no-batch-norm", "-lr", "0.1", f"--config={path}")
    settings = settings_of(tmp_path, *words)
    expected |= {"epochs": 3, "layers": [4], "batch_norm": False, "learning_rate": 0.1}
    assert {name: settings[name] for name in expected} == expected


def test_a_data_set_on_the_command_line_replaces_the_files_table(tmp_path: Path) -> None:
    text = 'data = "none.csv"\ntarget = "y"\ndrop = ["id"]\nepochs = 2\nbackend = "numpy"\n'
    path = write(tmp_path / "c.toml", text)
    settings = settings_of(tmp_path, "-d", "wine", "--config", path)
    assert (settings["dataset"], settings["data"], settings["epochs"]) == ("wine", None, 2)


def test_only_train_takes_a_file_of_options() -> None:
    words = ["predict", "m", "--config", "none.toml"]
    assert with_config(words) == words


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("epochs = [", "is not a TOML file"),
        ("epohcs = 3", "unrecognized arguments: --epohcs=3"),
        ("epochs = 0.5", "-e/--epochs: '0.5' is not an integer"),
        ("epochs = true", "-e/--epochs: expected one argument"),
        ("batch_norm = 1", "--batch_norm"),
        ("[training]\nepochs = 3", "training is a dict; an option takes"),
        ("layers = [[8]]", "layers is a list; an option takes"),
        ("seed = 2024-01-01", "seed is a date; an option takes"),
        ('config = "other.toml"', "a file of options cannot name another one"),
    ],
)
def test_files_that_hold_no_options(
    text: str, part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "c.toml", text)
    assert part in error_of(capsys, "train", "-d", "iris", "--config", path)


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert "none.toml" in error_of(capsys, "train", "--config", "none.toml")
    assert "--config: expected one argument" in error_of(capsys, "train", "--config")


def test_an_object_of_json_an_epoch(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    settings_of(tmp_path, "-d", "iris", *QUICK, "--log", str(log))
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    with open(tmp_path / "history.csv", newline="", encoding="utf-8") as file:
        history = list(csv.DictReader(file))
    assert len(lines) == 5
    for line, row in zip(lines, history, strict=True):
        assert line == {name: float(value) for name, value in row.items()}
    assert {"epoch", "loss", "accuracy", "val_loss", "seconds", "learning_rate"} <= set(lines[0])


@pytest.mark.parametrize("validates", [True, False])
def test_patience_watches_what_is_there(
    validates: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["-d", "diabetes", "--backend", "numpy", "-e", "200", "-lr", "0.05", "--patience", "3"]
    words += ["--validation_size", "0.25"] if validates else []
    settings_of(tmp_path, *words)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    history = fm.load(tmp_path / "model.safetensors", backend="numpy").history
    losses = history["val_loss" if validates else "loss"]
    best = losses.index(min(losses))
    assert metrics["epochs"] == len(losses) == best + 1 + 3 < 200
    assert f"weights are those of epoch {best + 1}" in capsys.readouterr().out
    assert ("validation" in metrics) == validates
    if validates:
        assert metrics["validation"]["loss"] == pytest.approx(min(losses), rel=1e-5)


def test_without_patience_every_epoch_is_run(tmp_path: Path) -> None:
    words = ["-d", "diabetes", *QUICK, "-e", "40", "-lr", "0.05", "--patience", "0"]
    settings_of(tmp_path, *words)
    assert json.loads((tmp_path / "metrics.json").read_text())["epochs"] == 40


def test_bounds_of_the_gradient_reach_the_optimizer(tmp_path: Path) -> None:
    words = ["-d", "iris", *QUICK, "--optimizer", "sgd", "--clip-value", "0.5", "--clip_norm", "2"]
    settings_of(tmp_path, *words)
    optimizer = fm.load(tmp_path / "model.safetensors", backend="numpy").optimizer
    assert isinstance(optimizer, fm.SGD)
    assert (optimizer.clip_value, optimizer.clip_norm) == (0.5, 2.0)


def test_stratified_parts_have_the_same_share_of_each_class(tmp_path: Path) -> None:
    words = ["-d", "wine", *QUICK, "--stratify", "--validation_size", "0.25"]
    settings_of(tmp_path, *words)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    for part, share in (("training", 0.6), ("validation", 0.2), ("test", 0.2)):
        counts = [sum(row) for row in metrics[part]["confusion_matrix"]]
        assert counts == [pytest.approx(share * n, abs=1) for n in (59, 71, 48)]


def test_timing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings_of(tmp_path, "-d", "iris", *QUICK)
    timing = json.loads((tmp_path / "metrics.json").read_text())["timing"]
    assert list(timing) == ["fit_seconds", "epochs_seconds", "test_prediction_seconds"]
    assert 0 < timing["epochs_seconds"] <= timing["fit_seconds"]
    assert timing["test_prediction_seconds"] > 0
    assert re.search(r"^5 epochs in .* 30 rows predicted in", capsys.readouterr().out, re.MULTILINE)
