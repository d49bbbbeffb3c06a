"""What training prints and writes of its rows, beside what a baseline gives."""

from __future__ import annotations

import csv
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import read_csv, train
from houses import TARGETS, houses, write
from shops import QUICK, shops, write_shops

from fastmlp.cli import main


def houses_of(folder: Path, target: str, *words: str) -> tuple[dict[str, Any], list[Any]]:
    others = sorted({*TARGETS} - {target})
    rows = houses()
    data = str(write(folder / "houses.csv", rows))
    columns = ("--target", target, "--drop", "id", *others)
    metrics = train(folder / "o", "--data", data, *columns, *QUICK, *words)
    return metrics, [row[target] for row in rows]


def test_class_frequencies(tmp_path: Path) -> None:
    metrics, y = houses_of(tmp_path, "kind")
    baselines = metrics["baselines"]
    assert list(baselines) == ["class frequencies", "linear model"]
    places = [int(row["row"]) for row in read_csv(tmp_path / "o/predictions.csv")]
    test = [y[place] for place in places]
    training = [label for place, label in enumerate(y) if place not in places]
    share = {label: (training.count(label) + 1) / (len(training) + 3) for label in {*y}}
    loss = -np.mean([math.log(share[label]) for label in test])
    assert baselines["class frequencies"]["log_loss"] == pytest.approx(loss)
    most = max(share, key=lambda label: share[label])
    assert baselines["class frequencies"]["accuracy"] == pytest.approx(test.count(most) / len(test))
    assert baselines["linear model"]["log_loss"] < loss
    assert metrics["verdict"]
    assert metrics["epochs"] == 3
    assert {*baselines["linear model"]} == {*metrics["test"]}


@pytest.mark.parametrize("words", [(), ("--log-target",), ("-l", "8", "--no-standardize-target")])
def test_the_mean(words: tuple[str, ...], tmp_path: Path) -> None:
    metrics, y = houses_of(tmp_path, "price", *words)
    assert list(metrics["baselines"]) == ["mean", "linear model"]
    places = [int(row["row"]) for row in read_csv(tmp_path / "o/predictions.csv")]
    y = np.array(y, float)
    test, others = y[places], np.delete(y, places)
    mse = np.mean((test - others.mean()) ** 2)
    assert metrics["baselines"]["mean"]["mse"] == pytest.approx(mse, rel=1e-6)
    assert metrics["baselines"]["linear model"]["r2"] > 0.8


def test_files_and_what_is_printed_agree(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics, _ = houses_of(tmp_path, "large")
    printed = capsys.readouterr().out
    parts = ("training", "validation", "test")
    values = [*(metrics[part] for part in parts), *metrics["baselines"].values()]
    table = {row.pop("metric"): list(row.items()) for row in read_csv(tmp_path / "o/metrics.csv")}
    names = [*parts, *metrics["baselines"]]
    for name, row in table.items():
        assert [column for column, _ in row] == names
        assert [float(value) for _, value in row] == [of[name] for of in values]
    # The averages by weight stand in the files alone.
    shown = [name for name in table if not name.endswith("_weighted")]
    assert len(shown) < len(table)
    lines = {line.split()[0]: line.split()[1:] for line in printed.splitlines() if line.split()}
    for name in shown:
        assert lines[name] == [f"{of[name]:.4g}" for of in values]
    assert "baselines on the test rows: the class frequencies, the linear model" in printed
    for line in metrics["verdict"]:
        assert line in printed
    assert metrics["weights"] in printed
    widths = [len(line) for line in printed.split("\n\n")[3].splitlines()]
    assert max(widths) <= 80


def test_predictions_carry_ids_and_the_number_of_the_row(tmp_path: Path) -> None:
    data = write_shops(tmp_path / "shops.csv")
    words = ("--data", data, "--target", "price", "--id", "id", "when", "--group", "owner")
    train(tmp_path, *words, *QUICK)
    written = read_csv(tmp_path / "predictions.csv")
    assert list(written[0]) == ["row", "id", "when", "target", "prediction"]
    lines = [line.split("|") for line in shops()[1:]]
    for row in written:
        line = lines[int(row["row"])]
        assert (row["id"], row["when"]) == (line[0], line[5])
    owners = {lines[int(row["row"])][1] for row in written}
    learned = {*range(150)} - {int(row["row"]) for row in written}
    assert not owners & {lines[place][1] for place in learned}


def test_ids_are_carried_by_predict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_shops(tmp_path / "shops.csv")
    train(tmp_path, "--data", data, "--target", "price", "--id", "id", *QUICK)
    capsys.readouterr()
    model = str(tmp_path / "model.safetensors")
    words = ("--data", data, "--backend", "numpy", "--id", "owner", "id", "price")
    assert main(["predict", model, *words]) == 0
    found = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert list(found[0]) == ["row", "owner", "id", "price", "prediction"]
    assert [row["id"] for row in found] == [f"K{number:04d}" for number in range(150)]


def test_a_table_for_the_test(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = shops()
    data = write_shops(tmp_path / "shops.csv", lines[:121])
    test = write_shops(tmp_path / "test.csv", [lines[0], *lines[121:]])
    words = ("--data", data, "--test-data", test, "--target", "price", "--id", "id", *QUICK)
    metrics = train(tmp_path, *words)
    assert "120 training rows (cross-fitted in 5 parts), 30 test rows" in capsys.readouterr().out
    written = read_csv(tmp_path / "predictions.csv")
    assert [row["row"] for row in written] == [str(number) for number in range(30)]
    assert [row["id"] for row in written] == [f"K{number:04d}" for number in range(120, 150)]
    # The same numbers come of evaluating the model there.
    out = tmp_path / "again.json"
    words = (str(tmp_path / "model.safetensors"), "--data", test, "--backend", "numpy")
    assert main(["evaluate", *words, "-o", str(out)]) == 0
    again = json.loads(out.read_text())
    assert again["rmse"] == pytest.approx(metrics["test"]["rmse"], rel=1e-5)


def test_groups_of_both_tables_are_told(tmp_path: Path) -> None:
    lines = shops()
    data = write_shops(tmp_path / "shops.csv", lines[:121])
    test = write_shops(tmp_path / "test.csv", [lines[0], *lines[121:]])
    words = ("--data", data, "--test-data", test, "--target", "price", "--group", "owner", *QUICK)
    notes = train(tmp_path, *words)["notes"]
    assert any("17 groups of the column 'owner', such as 'owner 0'" in note for note in notes)
    # The test needs no groups.
    without = ["|".join(line.split("|")[:1] + line.split("|")[2:]) for line in lines]
    test = write_shops(tmp_path / "test.csv", [without[0], *without[121:]])
    assert not any("groups" in note for note in train(tmp_path, *words)["notes"])


def test_a_metric_that_cannot_be_had_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    rows = [{"x": f"{x:.3f}", "y": "yes" if x > 0 else "no"} for x in rng.normal(size=200)]
    # The last rows, which are the test, are of one class.
    rows.sort(key=lambda row: abs(float(row["x"])) if row["y"] == "no" else 9)
    rows = rows[60:] + rows[:60]
    words = ("--target", "y", "--test-last", *QUICK)
    metrics = train(tmp_path, "--data", str(write(tmp_path / "t.csv", rows)), *words)
    why = "test rows: roc_auc cannot be had: none of these rows is of the class yes"
    assert metrics["test"]["roc_auc"] is None
    assert why in metrics["undefined"]
    printed = capsys.readouterr().out
    assert why in printed
    assert "NaN" in printed


def test_a_lone_test_row(tmp_path: Path) -> None:
    data = str(write(tmp_path / "t.csv", [{"x": x * x % 13, "y": x / 7} for x in range(40)]))
    metrics = train(tmp_path, "--data", data, "--target", "y", "-ts", "0.01", *QUICK)
    assert metrics["test"]["r2"] is None
    assert any("there is only one row" in why for why in metrics["undefined"])


def test_a_console_of_few_characters(tmp_path: Path) -> None:
    words = ["--target", "Stadt, Ort", "--drop", "id", "void", "--output-dir", str(tmp_path)]
    data = str(write(tmp_path / "houses.csv", houses()))
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    run = subprocess.run(
        [sys.executable, "-m", "fastmlp", "train", "--data", data, *words, *QUICK],
        capture_output=True,
        env=environment,
    )
    assert run.returncode == 0, run.stderr
    printed = run.stdout.decode("cp1252")
    assert "Zürich" in printed
    assert "??" in printed
    header = (tmp_path / "predictions.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header.endswith("probability_Zürich,probability_東京")
    metrics = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["settings"]["target"] == "Stadt, Ort"
    schema = (tmp_path / "schema.json").read_text(encoding="utf-8")
    assert "東京" in schema or "\\u6771" in schema
