"""Predicting and evaluating from the model's file and a table alone, in another process."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import error_of, read_csv
from houses import QUICK, houses, train, write

import fastmlp as fm
from fastmlp.cli import main


def fresh(*words: str | Path) -> str:
    """What a command prints in a process of its own."""
    run = subprocess.run(
        [sys.executable, "-m", "fastmlp", *map(str, words)], capture_output=True, encoding="utf-8"
    )
    assert run.returncode == 0
    assert all(line.startswith("note: the column") for line in run.stderr.splitlines())
    return run.stdout


TARGETS = [
    ("price", "regression", ()),
    ("kind", "classification", ("groß", "klein, alt", "mittel")),
    ("large", "classification", ("False", "True")),
    ("level", "classification", ("1", "2", "4")),
]


@pytest.mark.parametrize(("target", "task", "classes"), TARGETS)
def test_the_model_file_alone_gives_the_same(
    target: str, task: str, classes: tuple[str, ...], tmp_path: Path
) -> None:
    metrics = train(tmp_path, target)
    assert metrics["settings"]["task"] == task
    written = read_csv(tmp_path / "predictions.csv")
    names = [f"probability_{name}" for name in classes]
    assert list(written[0]) == ["row", "target", "prediction", *names]

    # The same rows, the columns in another order and one that training did not see.
    rows, places = houses(), [int(row["row"]) for row in written]
    for row, place in zip(written, places, strict=True):
        right = str(rows[place][target])
        assert row["target"] == right or float(row["target"]) == float(right)
    test = [dict(reversed(rows[place].items()), more="?") for place in places]
    data = write(tmp_path / "test.csv", test)
    model = tmp_path / "model.safetensors"
    moved = model.rename(tmp_path / "moved.safetensors")
    fresh("predict", moved, "--data", data, "--backend=numpy", "-o", tmp_path / "again.csv")
    again = read_csv(tmp_path / "again.csv")
    assert [row.pop("row") for row in again] == [str(number) for number in range(len(places))]
    assert again == [{name: row[name] for name in ("prediction", *names)} for row in written]

    found = tmp_path / "evaluation.json"
    printed = fresh("evaluate", moved, "--data", data, "--backend=numpy", "--output", found)
    assert json.loads(found.read_text()) == metrics["test"]
    for value in metrics["test"].values():
        if not isinstance(value, list):
            assert f"{value:.4g}" in printed
    if classes:
        assert "confusion matrix" in printed

    # The whole table, to the terminal; batches of other sizes may differ in their last bits.
    printed = fresh("predict", moved, "--data", tmp_path / "houses.csv", "--backend=numpy")
    whole = list(csv.DictReader(printed.splitlines()))
    assert len(whole) == len(rows)
    for row in written:
        other = whole[int(row["row"])]
        for name in names or ["prediction"]:
            assert float(other[name]) == pytest.approx(float(row[name]), rel=1e-4, abs=1e-6)


def test_a_data_set_of_the_library_can_be_predicted_from_a_table(tmp_path: Path) -> None:
    from fastmlp import datasets

    assert main(["train", "-d", "iris", "--output_dir", str(tmp_path), *QUICK]) == 0
    data = datasets.load("iris")
    rows = [
        {**dict(zip(data.feature_names, row, strict=True)), "target": label}
        for row, label in zip(data.X, data.y, strict=True)
    ]
    words = ["--data", str(write(tmp_path / "iris.csv", rows)), "--backend", "numpy"]
    found = tmp_path / "evaluation.json"
    model = str(tmp_path / "model.safetensors")
    assert main(["evaluate", model, *words, "-o", str(found)]) == 0
    assert np.sum(json.loads(found.read_text())["confusion_matrix"]) == 150


def test_tables_that_do_not_fit_the_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(tmp_path, "kind")
    capsys.readouterr()
    model = str(tmp_path / "model.safetensors")
    good = houses()[0]

    def error(command: str, **changes: Any) -> str:
        data = write(tmp_path / "t.csv", [{**good, **changes}])
        return error_of(capsys, command, model, "--data", str(data), "--backend", "numpy")

    assert "classes that the model does not know: 'winzig'" in error("evaluate", kind="winzig")
    assert "the target 'kind' is missing in every row" in error("evaluate", kind="")
    data = write(tmp_path / "t.csv", [{"Größe": "1"}])
    for command, part in (
        ("predict", "the table lacks 5 columns of those that the model reads: 'Stadt, Ort', "),
        ("evaluate", "the table has no column 'kind', the target of the model; it has Größe"),
    ):
        message = error_of(capsys, command, model, "--data", str(data), "--backend", "numpy")
        assert part in message


def test_a_cell_of_another_kind_is_a_missing_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(tmp_path, "price")
    good = {**houses()[0], "Größe": "81.5", "member": "True", "day": "2020-02-02", "rooms": "3"}
    strange = {"Größe": "big", "member": "perhaps", "day": "soon", "rooms": "-inf"}
    for name, cell in strange.items():
        rows = [good, {**good, name: cell}, {**good, name: ""}]
        data = str(write(tmp_path / "t.csv", rows))
        capsys.readouterr()
        model = str(tmp_path / "model.safetensors")
        assert main(["predict", model, "--data", data, "--backend", "numpy"]) == 0
        lines = csv.DictReader(capsys.readouterr().out.splitlines())
        known, odd, missing = (row["prediction"] for row in lines)
        assert odd == missing != known


def test_models_that_cannot_predict_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "m.safetensors"
    data = ("--data", str(write(tmp_path / "t.csv", houses())), "--backend", "numpy")
    assert str(path) in error_of(capsys, "predict", str(path), *data)
    path.write_bytes(b"no model")
    assert str(path) in error_of(capsys, "predict", str(path), *data)
    model = fm.Sequential([fm.Dense(1)], backend="numpy").build(2)
    model.save(path)
    for command in ("predict", "evaluate"):
        assert "it is not from fastmlp train" in error_of(capsys, command, str(path), *data)
    model.metadata["preparation"] = "{}"
    model.save(path)
    assert "damaged preparation" in error_of(capsys, "predict", str(path), *data)


def test_predict_without_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--data" in error_of(capsys, "predict", "m.safetensors")


def test_the_reader_of_the_predictions_may_leave(tmp_path: Path) -> None:
    train(tmp_path, "price")
    rows = houses() * 100
    data = write(tmp_path / "many.csv", rows)
    words = ("predict", tmp_path / "model.safetensors", "--data", data, "--backend", "numpy")
    with subprocess.Popen(
        [sys.executable, "-m", "fastmlp", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"row,prediction\n"
        process.stdout.close()
        assert process.wait() == 141
        assert b"Traceback" not in process.stderr.read()


def test_a_folder_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train(tmp_path, "price")
    capsys.readouterr()
    model, data = str(tmp_path / "model.safetensors"), str(tmp_path / "houses.csv")
    output = str(tmp_path / "none" / "x")
    for words in (
        ("predict", model, "--data", data, "-o", output),
        ("evaluate", model, "--data", data, "-o", output),
        ("export", model, "--format", "python", "-o", output),
    ):
        assert f"{output}: there is no folder" in error_of(capsys, *words)
