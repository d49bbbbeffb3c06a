"""``fastmlp export``: from words to files that other programs use."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import error_of, read_csv, train
from houses import QUICK, TARGETS, houses, model_of, write
from modules import load_module
from shops import ODD, shops, write_shops

import fastmlp as fm
from fastmlp.cli import main
from fastmlp.tables.columns import CategoryColumn, DateColumn
from fastmlp.tables.preparation import Preparation


def turns(day: float) -> list[float]:
    """The sines and cosines of the year and of the week."""
    start = np.datetime64(int(np.floor(day)), "D").astype("M8[Y]").astype("M8[D]").astype(int)
    # 1970 began on a Thursday, three days after a Monday.
    parts = (day - start) / 365.2425, np.floor(day + 3) % 7 / 7
    return [turn(2 * np.pi * part) for part in parts for turn in (np.sin, np.cos)]


def numbers_of(cells: dict[str, Any], preparation: Preparation) -> list[float]:
    """What a person would type for a row, as the help says."""
    row: list[float] = []
    for column in preparation.columns:
        cell = str(cells[column.name])
        missing = cell in ("", "NA")
        if isinstance(column, CategoryColumn):
            row += [
                float(cell == category if category else missing) for category in column.categories
            ]
        elif isinstance(column, DateColumn):
            date = (
                column.fill
                if missing
                else (np.datetime64(cell) - np.datetime64(0, "D")).astype(int)
            )
            row += [
                float(date),
                *turns(float(date)),
                *([float(missing)] if column.indicator else []),
            ]
        else:
            number = column.fill if missing else float({"True": 1, "False": 0}.get(cell, cell))
            row += [number, *([float(missing)] if column.indicator else [])]
    return row


@pytest.mark.parametrize("target", TARGETS)
def test_a_table_s_numbers_go_in_and_its_predictions_come_out(
    target: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = model_of(folder, target)
    assert main(["export", path, "--format", "python", "-o", str(tmp_path / "net.py")]) == 0
    assert main(["predict", path, "--data", str(folder / "houses.csv"), *QUICK[:2]]) == 0
    printed = capsys.readouterr().out
    preparation = Preparation.of(fm.load(path, backend="numpy"))
    assert preparation is not None
    X = np.array([numbers_of(row, preparation) for row in houses()])
    module = load_module(tmp_path / "net.py")
    assert tuple(module.FEATURES) == preparation.features
    outputs = module.predict(X)
    rows = list(csv.DictReader(printed[printed.index("row,prediction") :].splitlines()))
    assert len(rows) == len(X)
    if target == "price":
        expected = np.array([float(row["prediction"]) for row in rows])
        assert np.abs(outputs[:, 0] - expected).max() < 1e-4 * np.abs(expected).max()
        assert not hasattr(module, "LABELS")
    else:
        names = [name for name in rows[0] if name.startswith("probability_")]
        shares = np.array([[float(row[name]) for name in names] for row in rows])
        given = np.hstack([1 - outputs, outputs]) if len(names) == 2 else outputs
        assert np.abs(given - shares).max() < 1e-4
        assert [f"probability_{label}" for label in module.LABELS] == names
        classes = [str(label) for label in module.predict_classes(X)]
        assert np.mean(np.array(classes) == [row["prediction"] for row in rows]) > 0.98


def test_what_is_said_of_a_regression(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--format", "c", "-o", str(tmp_path / "house.h"), "--prefix", "house"]
    assert main(["export", model_of(folder, "price"), *words, "--math", "inline"]) == 0
    printed = capsys.readouterr().out
    size = (tmp_path / "house.h").stat().st_size
    preparation = Preparation.of(fm.load(model_of(folder, "price"), backend="numpy"))
    assert preparation is not None
    fills = {
        column.name: f"{column.fill:.7g}"
        for column in preparation.columns
        if not isinstance(column, CategoryColumn)
    }
    for line in (
        f"written: {tmp_path / 'house.h'} ({size:,} bytes)",
        "inputs: 21 float32 numbers, as in the table; what training did to them is part of the "
        "network",
        "   0  Stadt, Ort=(missing)  1 where Stadt, Ort is missing, else 0",
        "   3  Stadt, Ort=Zürich     1 where Stadt, Ort is 'Zürich', else 0",
        f"   5  Größe                 a number; where it is missing, {fills['Größe']}",
        "   6  Größe is missing      1 where Größe is missing, else 0",
        "   7  member                1 for yes or true, 0 for no or false; where it is missing, "
        f"{fills['member']}",
        "  11  day                   days since 1970-01-01 in UTC; where it is missing, "
        f"{fills['day']}",
        "  14  day weekday (sine)    the sine of 2 pi times the part of the week in whole days "
        "that has passed",
        "outputs: 1 float32 number",
        "  0  price, in its own units",
        '  #include "house.h"',
        "  float x[HOUSE_N_FEATURES], y[HOUSE_N_OUTPUTS], scratch[HOUSE_SCRATCH];",
        "  if (house_predict(x, y, scratch) == HOUSE_OK) ...",
    ):
        assert f"\n{line}\n" in f"\n{printed}"
    assert "note:" not in printed
    header = (tmp_path / "house.h").read_text()
    assert "#define HOUSE_N_FEATURES 21" in header
    assert "math.h" not in header


def test_what_is_said_of_classes(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "net.h")
    assert main(["export", model_of(folder, "kind"), "--format=c", "-o", path]) == 0
    printed = capsys.readouterr().out
    assert "\n  1  the probability of 'klein, alt'\n" in printed
    assert "\n  model_labels[model_predict_class(y)]\n" in printed
    assert main(["export", model_of(folder, "large"), "--format=c", "-o", path]) == 0
    assert "\n  0  the probability of 'True'; below 0.5 the class is 'False'\n" in (
        capsys.readouterr().out
    )


def test_integers_are_calibrated_on_the_table(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, data = str(tmp_path / "net.h"), str(folder / "houses.csv")
    words = ["--format", "c-int8", "--calibration", data, "-o", out]
    assert main(["export", model_of(folder, "price"), *words]) == 0
    printed = capsys.readouterr().out
    assert "int8 beside float on 120 rows" in printed
    (line,) = [line for line in printed.splitlines() if line.startswith("  RMSE")]
    small, full = (float(word.strip(",")) for word in (line.split()[1], line.split()[3]))
    assert main(["evaluate", model_of(folder, "price"), "--data", data, *QUICK[:2]]) == 0
    rmse = capsys.readouterr().out.split("rmse")[1].split()[0]
    assert full == pytest.approx(float(rmse), rel=1e-3)
    assert abs(small - full) < 0.1 * full
    assert "int8" in Path(out).read_text()

    # A table without the target will do, and so will one where it is empty.
    without = [{key: row[key] for key in row if key != "kind"} for row in houses()]
    for rows in (without, [{**row, "kind": ""} for row in without]):
        words[3] = str(write(tmp_path / "t.csv", rows))
        assert main(["export", model_of(folder, "kind"), *words]) == 0
        printed = capsys.readouterr().out
        assert "same class" in printed
        assert "accuracy" not in printed


def test_how_the_table_of_calibration_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_shops(tmp_path / "shops.csv", shops()[1:])
    words = ("--data", data, "--target", "column_6", "--no-header", "--id", "column_0")
    train(tmp_path, *words, "--backend", "numpy", "-e", "3")
    capsys.readouterr()
    model, output = str(tmp_path / "model.safetensors"), str(tmp_path / "m.h")
    words = (model, "--format", "c-int8", "--calibration", data, "-o", output)
    assert "column_1" in error_of(capsys, "export", *words)
    assert "--strict: " in error_of(capsys, "export", *words, "--no-header", "--strict")
    assert not Path(output).exists()
    said = ("--separator", "|", "--encoding", "cp1252", "--na-values", ODD)
    assert main(["export", *words, "--no-header", "--strict", *said]) == 0
    assert "int8 beside float on 150 rows" in capsys.readouterr().out
    words = (model, "--format", "c", "-o", output, "--separator", ";")
    assert "--separator is for --format c-int8, not for c" in error_of(capsys, "export", *words)


@pytest.mark.parametrize("target", TARGETS)
def test_what_the_recipe_has_trained(target: str, tmp_path: Path) -> None:
    others = sorted({*TARGETS} - {target})
    data = str(write(tmp_path / "houses.csv", houses()))
    words = ("--data", data, "--target", target, "--drop", "id", *others, "-e", "5")
    train(tmp_path, *words, "--backend", "numpy")
    path, out = str(tmp_path / "model.safetensors"), tmp_path / "out.csv"
    assert main(["predict", path, "--data", data, "--backend", "numpy", "-o", str(out)]) == 0
    assert main(["export", path, "--format", "python", "-o", str(tmp_path / "net.py")]) == 0
    preparation = Preparation.of(fm.load(path, backend="numpy"))
    assert preparation is not None
    X = np.array([numbers_of(row, preparation) for row in houses()])
    found = load_module(tmp_path / "net.py").predict(X)
    rows = read_csv(out)
    if target == "price":
        expected = np.array([[float(row["prediction"])] for row in rows])
    else:
        names = [name for name in rows[0] if name.startswith("probability_")][-found.shape[1] :]
        expected = np.array([[float(row[name]) for name in names] for row in rows])
    assert np.abs(found - expected).max() < 1e-3 * np.abs(expected).max()
    for kind, more in (("c", ()), ("c-int8", ("--calibration", data)), ("onnx", ())):
        if kind == "onnx":
            pytest.importorskip("onnx")
        output = tmp_path / f"net.{kind}"
        assert main(["export", path, "--format", kind, "-o", str(output), *more]) == 0
        assert output.stat().st_size > 500


def test_onnx(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    path = str(tmp_path / "net.onnx")
    assert main(["export", model_of(folder, "price"), "--format", "onnx", "-o", path]) == 0
    assert 'session.run(None, {"X": X})' in capsys.readouterr().out
    assert main(["export", model_of(folder, "price"), "--format=python", "-o", path + ".py"]) == 0
    module = load_module(Path(path + ".py"))
    X = np.tile(np.linspace(0, 1, 21, dtype=np.float32), (3, 1))
    X[:, 8] = 19000
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"X": X})[0], module.predict(X), rtol=1e-4)


def test_weights_beside(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--format", "python", "-o", str(tmp_path / "net.py"), "--weights", "beside"]
    assert main(["export", model_of(folder, "kind"), *words]) == 0
    printed = capsys.readouterr().out
    assert f"written: {tmp_path / 'net.npz'} (" in printed
    assert "  from net import predict, predict_classes\n" in printed
    assert load_module(tmp_path / "net.py").predict(np.zeros(21)).shape == (3,)


def test_two_inputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = fm.Sequential([fm.WideAndDeep(1, deep=[fm.Dense(4, "relu")])], backend="numpy")
    model.build((2, 3)).save(tmp_path / "m.safetensors")
    words = ["export", str(tmp_path / "m.safetensors"), "-o", str(tmp_path / "net.py")]
    assert main([*words, "--format", "python"]) == 0
    printed = capsys.readouterr().out
    assert "inputs: 2 and 3 float32 numbers, X_wide and X_deep\n" in printed
    assert "  predict((X_wide, X_deep))\n" in printed
    rows = str(write(tmp_path / "t.csv", [{"a": 1}]))
    assert "does not know WideAndDeep" in error_of(
        capsys, *words, "--format", "c-int8", "--calibration", rows
    )


ERRORS = [
    (["--format", "c"], "-o"),
    (["-o", "x"], "--format"),
    (["--format", "rust", "-o", "x"], "rust"),
    (["--format", "c", "-o", "x", "--weights", "beside"], "--weights is for --format python"),
    (["--format", "python", "-o", "x", "--prefix", "a"], "--prefix is for --format c and c-int8"),
    (["--format", "c-int8", "-o", "x"], "--format c-int8 needs --calibration FILE.csv"),
    (
        ["--format", "onnx", "-o", "x", "--calibration", "t.csv"],
        "for --format c-int8, not for onnx",
    ),
    (["--format", "c", "-o", "x", "--prefix", "1a"], "prefix must be a C identifier"),
    (["--format", "c", "-o", "none/x.h"], "there is no folder"),
    (["--format", "python", "-o", "."], "folder"),
    (["--format", "c", "-o", "."], "cannot write '.': it is a folder"),
    (["--format", "c", "-o", "x", "--prefix", ""], "prefix must be a C identifier"),
    (["--format", "c-int8", "-o", "x", "--calibration", "none.csv"], "none.csv"),
]


@pytest.mark.parametrize(("words", "part"), ERRORS, ids=[" ".join(words) for words, _ in ERRORS])
def test_errors_are_one_line(
    words: list[str],
    part: str,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert part in error_of(capsys, "export", model_of(folder, "kind"), *words)
    assert not list(tmp_path.iterdir())
