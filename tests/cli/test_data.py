"""Training on a CSV file, and predicting from the model's file alone in another process."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import error_of
from houses import houses, write

import fastmlp as fm
from fastmlp.cli import main

COLUMNS = ("Stadt, Ort", "Größe", "member", "rooms", "day", "note", "$same$", "void", "id")
QUICK = ("--backend", "numpy", "-e", "5", "-l", "8")


def read(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def train(folder: Path, target: str, *words: str) -> dict[str, Any]:
    others = sorted({"price", "kind", "large", "level"} - {target})
    path = write(folder / "houses.csv", houses())
    data = ("--data", str(path), "--target", target, "--drop", "id", *others)
    assert main(["train", *data, "--output_dir", str(folder), *QUICK, *words]) == 0
    metrics: dict[str, Any] = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    return metrics


def fresh(*words: str | Path) -> str:
    """What a command prints in a process of its own."""
    run = subprocess.run(
        [sys.executable, "-m", "fastmlp", *map(str, words)], capture_output=True, encoding="utf-8"
    )
    assert (run.returncode, run.stderr) == (0, "")
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
    written = read(tmp_path / "predictions.csv")
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
    again = read(tmp_path / "again.csv")
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


def test_what_the_network_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train(tmp_path, "price", "-wf", "Stadt, Ort", "Größe", "4", "$same$", "void", "note")
    printed = capsys.readouterr().out
    assert "8 features, regression, 96 training rows, 24 test rows" in printed
    assert "the network reads 13 numbers" in printed
    assert "without what is the same in all training rows: $same$, void" in printed
    pictures = {path.name for path in tmp_path.glob("response*.png")}
    assert pictures == {f"response_feature{place}.png" for place in (0, 1, 4, 5, 6, 7)}
    model = fm.load(tmp_path / "model.safetensors", backend="numpy")
    assert model.parameters["0.weight"].shape == (13, 8)


def test_what_training_has_not_seen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train(tmp_path, "price")
    strange = dict.fromkeys(COLUMNS, "")
    strange |= {"Stadt, Ort": "Wien", "note": "new", "$same$": "other", "void": "7"}
    empty = dict.fromkeys(COLUMNS, "")
    data = write(tmp_path / "new.csv", [strange, empty, {**empty, "$same$": "x"}])
    capsys.readouterr()
    model = str(tmp_path / "model.safetensors")
    assert main(["predict", model, "--data", str(data), "--backend", "numpy"]) == 0
    unknown, missing, same = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert np.isfinite(float(unknown["prediction"]))
    # Missing cells were seen in training and are categories of their own; constants are not read.
    assert unknown["prediction"] != missing["prediction"]
    assert same["prediction"] == missing["prediction"]


def test_a_standardised_target_is_written_in_its_own_units(tmp_path: Path) -> None:
    metrics = train(tmp_path, "price", "-e", "60")
    rows = read(tmp_path / "predictions.csv")
    targets = np.array([float(row["target"]) for row in rows])
    errors = targets - [float(row["prediction"]) for row in rows]
    assert targets.mean() > 200
    assert np.mean(errors**2) == pytest.approx(metrics["test"]["mse"], rel=1e-9)
    assert metrics["test"]["r2"] > 0.8
    model = fm.load(tmp_path / "model.safetensors", backend="numpy")
    scale = json.loads(model.metadata["preparation"])["target"]["scale"]
    assert metrics["test"]["loss"] == pytest.approx(metrics["test"]["mse"] / scale**2, rel=1e-5)


def test_a_target_of_another_output_is_left_as_it_is(tmp_path: Path) -> None:
    metrics = train(tmp_path, "price", "-o", "softplus")
    assert metrics["test"]["loss"] == pytest.approx(metrics["test"]["mse"], rel=1e-5)


def test_rows_without_a_target_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = houses()
    for row in rows[:20]:
        row["price"] = ""
    data = str(write(tmp_path / "t.csv", rows))
    words = ["--data", data, "--target", "price", "--output_dir", str(tmp_path), *QUICK]
    assert main(["train", *words]) == 0
    assert min(int(row["row"]) for row in read(tmp_path / "predictions.csv")) >= 20
    assert "80 training rows, 20 test rows" in capsys.readouterr().out
    words = [str(tmp_path / "model.safetensors"), "--data", data, "--backend", "numpy"]
    assert main(["evaluate", *words]) == 0
    assert "100 rows with a target" in capsys.readouterr().out


def test_the_task_follows_from_the_target(tmp_path: Path) -> None:
    assert train(tmp_path, "level", "-t", "regression")["settings"]["task"] == "regression"
    rows = [{"x": number % 7, "y": number % 21} for number in range(210)]
    words = ["--data", str(write(tmp_path / "t.csv", rows)), "--target", "y", *QUICK]
    for given, task in (([], "regression"), (["-t", "classification"], "classification")):
        assert main(["train", *words, *given, "--output_dir", str(tmp_path)]) == 0
        settings = json.loads((tmp_path / "metrics.json").read_text())["settings"]
        assert settings["task"] == task


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


ERRORS = [
    (["--target", "prise"], "unknown column 'prise'; did you mean 'price'"),
    ([], "--data needs --target"),
    (["--target", "price", "--drop", "ide"], "unknown column 'ide'; did you mean 'id'"),
    (["--target", "price", "--drop", "price"], "'price' is among the columns of --drop"),
    (["--target", "kind", "-t", "regression"], "is text, such as 'mittel', not a number; use"),
    (["--target", "day", "-t", "regression"], "not a number; use --task classification"),
    (["--target", "price", "-t", "classification"], "is not whole; use --task regression"),
    (["--target", "id", "-t", "classification"], "120 classes, of which 0 is in one row only"),
    (["--target", "note", "-t", "regression"], "use --task classification"),
    (["--target", "$same$"], "the target '$same$' is x in every row"),
    (["--target", "void"], "the target 'void' is missing in every row"),
    (["--target", "price", "--stratify"], "--stratify is for classes"),
    (["--target", "price", "-wf", "gröse"], "unknown feature 'gröse'; did you mean 'Größe'"),
    (["--target", "price", "-d", "iris"], "not allowed with argument"),
    (["--target", "price", "-o", "softmax"], "softmax"),
    (["--target", "price", "-o", "sigmoid"], "one sigmoid unit takes two different labels"),
    (["--target", "price", "--log", "none/log.jsonl"], "none/log.jsonl"),
    (["--target", "kind", "-ts", "0.999"], "the resulting train set will be empty"),
    (["--target", "kind", "-ts", "0.98", "--no-stratify"], "no training row is of the class"),
]


@pytest.mark.parametrize(("words", "part"), ERRORS, ids=[" ".join(words) for words, _ in ERRORS])
def test_errors_are_one_line(
    words: list[str],
    part: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "houses.csv", houses())
    assert part in error_of(capsys, "train", "--data", "houses.csv", *words, *QUICK)
    assert not list(tmp_path.glob("outputs/*"))


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "t.csv is empty"),
        (b"x,y\n", "t.csv has no rows below its header"),
        (b"x,y\n1,2\n3\n", "t.csv, line 3: 1 fields, but the header has 2"),
        (b"x,y\n1,2\n3,4,5\n", "t.csv, line 3: 3 fields, but the header has 2"),
        (b"\x7fELF\x02\x01\x01\x00\x00", "t.csv is not a CSV file in UTF-8"),
        (bytes(range(256)), "t.csv is not a CSV file in UTF-8"),
        (b"x,y\n1,2\n1,3\n1,4\n1,5\n1,6\n", "there is nothing to learn from"),
        (b"y\n1\n2\n3\n", "t.csv has no column besides the target"),
        (b"x,y\ninf,1.5\n2,2.5\n3,3.5\n", "has 'inf'"),
        (b"x,y\n1,1.5\n", "n_samples=1"),
    ],
)
def test_files_that_cannot_be_learned_from(
    content: bytes, part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    data = ("--data", str(tmp_path / "t.csv"), "--target", "y", "-t", "regression")
    assert part in error_of(capsys, "train", *data, "--output_dir", str(tmp_path / "o"), *QUICK)


def test_a_file_or_folder_that_is_no_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (tmp_path, tmp_path / "none.csv"):
        assert str(path) in error_of(capsys, "train", "--data", str(path), "--target", "y")


def test_options_of_tables_are_not_for_data_sets(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--target is for --data" in error_of(capsys, "train", "-d", "iris", "--target", "y")
    assert "--drop is for --data" in error_of(capsys, "train", "-d", "iris", "--drop", "y")


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

    assert "'Größe' holds numbers, but row 0 (counted from 0) has 'big'" in error(
        "predict", Größe="big"
    )
    assert "'member' holds true and false" in error("predict", member="yes")
    assert "'day' holds dates" in error("predict", day="soon")
    assert "'rooms' holds numbers, but row 0 (counted from 0) has '-inf'" in error(
        "predict", rooms="-inf"
    )
    assert "y has labels that the model does not know: 'winzig'" in error("evaluate", kind="winzig")
    assert "the target 'kind' is missing in every row" in error("evaluate", kind="")
    data = write(tmp_path / "t.csv", [{"Größe": "1"}])
    for command, part in (
        ("predict", "the table lacks 5 columns of those that the model reads: 'Stadt, Ort', "),
        ("evaluate", "the table has no column 'kind', the target of the model; it has Größe"),
    ):
        message = error_of(capsys, command, model, "--data", str(data), "--backend", "numpy")
        assert part in message


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
        assert process.stderr.read() == b""
