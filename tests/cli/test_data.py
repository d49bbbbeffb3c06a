"""Training on a CSV file: what is read of it, and which files cannot be learned from."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from commands import error_of, read_csv
from houses import QUICK, houses, train, write

import fastmlp as fm
from fastmlp.cli import main

COLUMNS = ("Stadt, Ort", "Größe", "member", "rooms", "day", "note", "$same$", "void", "id")


def test_what_the_network_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train(tmp_path, "price", "-wf", "Stadt, Ort", "Größe", "4", "note")
    printed = capsys.readouterr().out
    assert "regression, 96 training rows, 24 test rows" in printed
    assert "the network reads 21 numbers" in printed
    pictures = {path.name for path in tmp_path.glob("response*.png")}
    assert pictures == {f"response_feature{place}.png" for place in (0, 1, 4, 5)}
    model = fm.load(tmp_path / "model.safetensors", backend="numpy")
    assert model.parameters["0.weight"].shape == (21, 8)


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


def test_a_standardized_target_is_written_in_its_own_units(tmp_path: Path) -> None:
    metrics = train(tmp_path, "price", "-e", "60")
    rows = read_csv(tmp_path / "predictions.csv")
    targets = np.array([float(row["target"]) for row in rows])
    errors = targets - [float(row["prediction"]) for row in rows]
    assert targets.mean() > 200
    assert np.mean(errors**2) == pytest.approx(metrics["test"]["mse"], rel=1e-9)
    assert metrics["test"]["r2"] > 0.5
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
    assert min(int(row["row"]) for row in read_csv(tmp_path / "predictions.csv")) >= 20
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


ERRORS = [
    (["--target", "prise"], "unknown column 'prise'; did you mean 'price'"),
    ([], "--data needs --target"),
    (["--target", "price", "--drop", "ide"], "unknown column 'ide'; did you mean 'id'"),
    (["--target", "price", "--drop", "price"], "'price' is among the columns of --drop"),
    (["--target", "price", "--id", "price"], "'price' is among the columns of --id"),
    (["--target", "price", "--output-dir", "houses.csv"], "houses.csv is a file, not a folder"),
    (["--target", "price", "--test-data", "houses.csv", "-ts", "0.1"], "leave out --test_size"),
    (["--target", "kind", "--stratify", "--test-last"], "--stratify and --test_last say two"),
    (["--target", "kind", "--stratify", "--group", "id"], "--stratify and --group say two"),
    (["--target", "price", "--group", "grp"], "unknown column 'grp'"),
    (["--target", "kind", "--log-target"], "--log_target is for a regression"),
    (["--target", "kind", "-t", "regression"], "is text, such as 'mittel', not a number; use"),
    (["--target", "day", "-t", "regression"], "holds dates or times, such as"),
    (
        ["--target", "price", "-t", "classification"],
        "is not whole: 120 different values in 120 rows",
    ),
    (
        ["--target", "id", "-t", "classification"],
        "cannot be classes: 120 different values in 120 rows",
    ),
    (["--target", "note", "-t", "regression"], "use --task classification"),
    (["--target", "$same$"], "the target '$same$' is x in every row"),
    (["--target", "void"], "the target 'void' is missing in every row"),
    (["--target", "price", "--stratify"], "--stratify is for classes"),
    (["--target", "price", "-wf", "gröse"], "unknown feature 'gröse'; did you mean 'Größe'"),
    (["--target", "price", "-d", "iris"], "not allowed with argument"),
    (["--target", "price", "-o", "softmax"], "softmax"),
    (["--target", "price", "-o", "sigmoid"], "one sigmoid unit takes two different labels"),
    (["--target", "price", "--log", "none/log.jsonl"], "none/log.jsonl"),
    (["--target", "kind", "-ts", "0.999"], "no row is left for the training"),
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
        (b"x,y\n1,2\n3\n", "the 2 fields of the header: line 3 has 1"),
        (b"x,y\n1,2\n3,4,5\n", "the 2 fields of the header: line 3 has 3"),
        (b"\x7fELF\x02\x01\x01\x00\x00", "t.csv is no text but binary"),
        (bytes(range(256)), "t.csv is no text but binary"),
        (b"x,y\n1,2\n1,3\n1,4\n1,5\n1,6\n", "there is nothing to learn from"),
        (b"y\n1\n2\n3\n", "t.csv has no column besides the target"),
        (b"x,y\n1,1.5\n", "the target 'y' is 1.5 in every row"),
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


def test_errors_of_a_table_for_the_test_name_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = str(write(tmp_path / "houses.csv", houses()))
    other = str(write(tmp_path / "other.csv", [{**row, "price": "?"} for row in houses()]))
    words = ("--data", data, "--test-data", other, "--target", "price", *QUICK)
    error = error_of(capsys, "train", *words)
    assert f"{other}: the target 'price' is missing in every row" in error
