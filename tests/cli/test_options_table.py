"""Each option that says how a table is read or understood decides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import error_of, read_csv, train
from given import given
from shops import ODD, QUICK, shops, write_shops

from fastmlp.cli import main
from fastmlp.cli.options_table import READING, STRICT, UNDERSTANDING, reading_of
from fastmlp.cli.options_train import TRAIN
from fastmlp.cli.values import with_underscores
from fastmlp.tables.options import ReadOptions

TARGET = ("--target", "price")


@pytest.fixture
def data(tmp_path: Path) -> str:
    return write_shops(tmp_path / "shops.csv")


def schema_of(folder: Path, *words: str) -> dict[str, Any]:
    train(folder, *words, *QUICK)
    schema: dict[str, Any] = json.loads((folder / "schema.json").read_text(encoding="utf-8"))
    return schema | {"columns": {column["name"]: column for column in schema["columns"]}}


def test_options_of_reading() -> None:
    assert reading_of(given()) == ReadOptions()
    words = ("--separator", "tab", "--decimal", ",", "--thousands", ".", "--encoding", "cp1252")
    arguments = given(*words, "--no-header", "--na-values", "-", "none")
    assert reading_of(arguments) == ReadOptions("\t", ",", ".", "cp1252", False, ("-", "none"))


@pytest.mark.parametrize("option", [*READING, *UNDERSTANDING, STRICT], ids=lambda o: o.name)
def test_each_is_an_option_in_both_spellings(option: Any) -> None:
    assert option in TRAIN.options
    is_switch = isinstance(option.default, bool)
    words = [] if is_switch else ["a"]
    spellings = {f"--{option.name}", f"--{option.name.replace('_', '-')}"}
    values = [getattr(given(spelling, *words), option.name) for spelling in spellings]
    expected = True if is_switch else ["a"] if option.nargs else "a"
    assert values == [expected] * len(values)


@pytest.mark.parametrize("option", TRAIN.options, ids=lambda o: o.name)
def test_all_long_options_may_be_written_with_hyphens(option: Any) -> None:
    if "_" not in option.name:
        return
    (word,) = with_underscores([f"--{option.name.replace('_', '-')}"])
    assert word == f"--{option.name}"
    (word,) = with_underscores([f"--{option.name.replace('_', '-')}=a-b_c"])
    assert word == f"--{option.name}=a-b_c"


def test_separator(data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = error_of(capsys, "train", "--data", data, *TARGET, "--separator", ";", *QUICK)
    assert "price" in error
    assert "separator must be one character" in error_of(
        capsys, "train", "--data", data, *TARGET, "--separator", "ab", *QUICK
    )
    assert "größe" in schema_of(tmp_path, "--data", data, *TARGET, "--separator", "|")["columns"]


def test_encoding(data: str, tmp_path: Path) -> None:
    words = ("--data", data, *TARGET, "--encoding")
    assert "größe" in schema_of(tmp_path / "1", *words, "cp1252")["columns"]
    assert "gr÷▀e" in schema_of(tmp_path / "2", *words, "cp850")["columns"]


def test_decimal_and_thousands(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lines = ["x;price"]
    # 1.234 is a number of thousands, or a small one.
    lines += [f"{x // 1000}.{x % 1000:03d};{x % 7 + 1}" for x in rng.integers(1000, 9999, 100)]
    data = write_shops(tmp_path / "t.csv", lines)
    means = []
    for place, words in enumerate((["--decimal", "."], ["--decimal", ",", "--thousands", "."])):
        folder = tmp_path / str(place)
        train(folder, "--data", data, *TARGET, "-t", "regression", *words, *QUICK)
        preparation = read_preparation(folder)
        means.append(preparation["columns"][0]["mean"])
    assert means[1] == pytest.approx(1000 * means[0], rel=1e-6)


def read_preparation(folder: Path) -> dict[str, Any]:
    import fastmlp as fm

    model = fm.load(folder / "model.safetensors", backend="numpy")
    found: dict[str, Any] = json.loads(model.metadata["preparation"])
    return found


def test_no_header(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = shops()[1:]
    data = write_shops(tmp_path / "t.csv", lines)
    train(tmp_path, "--data", data, "--target", "column_6", "--no-header", *QUICK)
    assert len(read_csv(tmp_path / "predictions.csv")) == 30
    capsys.readouterr()
    model = str(tmp_path / "model.safetensors")
    words = ("--data", data, "--no-header", "--id", "column_0", "--backend", "numpy")
    assert main(["predict", model, *words]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "row,column_0,prediction"
    assert printed[1].startswith("0,K0000,")
    assert len(printed) == 151
    # A target that is not found hints at it.
    data = write_shops(tmp_path / "u.csv", [f"{x},{x % 7},{x % 5}" for x in range(60)])
    assert "--no-header" in error_of(capsys, "train", "--data", data, *TARGET, *QUICK)


def test_na_values(data: str, tmp_path: Path) -> None:
    metrics = train(tmp_path, "--data", data, *TARGET, "--na-values", ODD, "x", *QUICK)
    assert not any(ODD in note for note in metrics["notes"])
    assert read_preparation(tmp_path)["columns"][1]["name"] == "größe"


def test_how_columns_are_understood(data: str, tmp_path: Path) -> None:
    found = schema_of(tmp_path / "0", "--data", data, *TARGET)["columns"]
    kinds = {name: column["kind"] for name, column in found.items()}
    assert kinds == {
        "id": "left out",
        "owner": "category",
        "größe": "number",
        "zip": "category",
        "color": "category",
        "when": "date",
    }
    words = (
        "--numeric",
        "zip",
        "--categorical",
        "größe",
        "when",
        "--keep",
        "id",
        "--drop",
        "owner",
    )
    found = schema_of(tmp_path / "1", "--data", data, *TARGET, *words)["columns"]
    kinds = {name: column["kind"] for name, column in found.items()}
    assert kinds == {
        "id": "category",
        "owner": "left out",
        "größe": "category",
        "zip": "number",
        "color": "category",
        "when": "category",
    }
    words = ("--dates", "when", "--join-case", "color")
    found = schema_of(tmp_path / "2", "--data", data, *TARGET, *words)["columns"]
    assert found["when"]["kind"] == "date"
    assert found["color"]["join_case"] is True


def test_an_edited_schema(data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    schema_of(tmp_path / "0", "--data", data, *TARGET, "--drop", "owner")
    written = tmp_path / "0/schema.json"
    description = json.loads(written.read_text(encoding="utf-8"))
    for column in description["columns"]:
        if column["name"] == "zip":
            column["kind"] = "left out"
    edited = tmp_path / "mine.json"
    words = ("--data", data, *TARGET, "--schema", str(edited))
    edited.write_text(json.dumps(description), encoding="utf-8")
    capsys.readouterr()
    assert "delete that line" in error_of(capsys, "train", *words, *QUICK)
    del description["sha256"]
    edited.write_text(json.dumps(description), encoding="utf-8")
    found = schema_of(tmp_path / "1", *words)["columns"]
    assert found["zip"]["kind"] == found["owner"]["kind"] == "left out"
    assert [column["name"] for column in read_preparation(tmp_path / "1")["columns"]] == [
        "größe",
        "color",
        "when",
    ]
    # The same schema, unedited, gives the same network.
    first = json.loads((tmp_path / "0/metrics.json").read_text())["test"]
    assert first == train(tmp_path / "2", *words[:-1], str(written), *QUICK)["test"]

    capsys.readouterr()
    error = error_of(capsys, "train", *words, "--drop", "color", *QUICK)
    assert "--schema says what --drop would" in error
    edited.write_text("[1", encoding="utf-8")
    assert str(edited) in error_of(capsys, "train", *words, *QUICK)
    edited.write_text('{"columns": 3}', encoding="utf-8")
    assert str(edited) in error_of(capsys, "train", *words, *QUICK)
    assert str(tmp_path / "none.json") in error_of(
        capsys, "train", *words[:-1], str(tmp_path / "none.json"), *QUICK
    )


def test_a_schema_of_a_table_with_other_columns(
    data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    schema_of(tmp_path / "0", "--data", data, *TARGET)
    lines = [line.rpartition("|")[0].replace("größe", "size") + "|" + line.rpartition("|")[2]
             for line in shops()]  # fmt: skip
    other = write_shops(tmp_path / "other.csv", lines)
    capsys.readouterr()
    words = ("--data", other, *TARGET, "--schema", str(tmp_path / "0/schema.json"))
    assert "'größe'" in error_of(capsys, "train", *words, *QUICK)


@pytest.mark.parametrize("option", ["numeric", "categorical", "dates", "drop", "keep", "join_case"])
def test_a_misspelt_column(option: str, data: str, capsys: pytest.CaptureFixture[str]) -> None:
    error = error_of(capsys, "train", "--data", data, *TARGET, f"--{option}", "colour", *QUICK)
    assert "unknown column 'colour'; did you mean 'color'" in error
