"""From the columns of a table to a matrix, and into the model's file and back."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.tables.column_schema import ColumnSchema
from fastmlp.tables.columns import CategoryColumn, DateColumn, NumberColumn, YesNoColumn
from fastmlp.tables.infer import understand
from fastmlp.tables.preparation import Preparation, fit
from fastmlp.tables.schema import Schema
from fastmlp.tables.target import Target

pytest.importorskip("pyarrow")
from fastmlp.tables.table import Table


def cells(n: int = 40) -> dict[str, list[Any]]:
    rng = np.random.default_rng(0)
    size = [f"{x:.2f}" for x in rng.normal(5, 3, n)]
    size[::7] = [""] * len(size[::7])
    days = np.datetime64("2020-01-01") + rng.integers(0, 900, n).astype("m8[D]")
    return {
        "size": size,
        "flag": [("yes", "No")[i] for i in rng.integers(2, size=n)],
        "city": [("Bern", "", "Köln", "a=b")[i] for i in rng.integers(4, size=n)],
        "day": [str(day) for day in days],
        "one": ["3"] * n,
        "no": [str(i) for i in range(n)],
        "y": [f"{x:.3f}" for x in rng.normal(2, 4, n)],
    }


@pytest.fixture
def preparation() -> Preparation:
    found = understand(Table.of(cells()), target="y")
    assert found.target is not None
    target = found.target.target.fitted(found.target.y[:30])
    return fit(found.schema, found.cells, np.arange(30), target)


def model_of(preparation: Preparation) -> fm.Sequential:
    model = fm.Sequential([fm.Dense(1)], backend="numpy", random_state=0)
    model.build(len(preparation.features))
    preparation.attach(model)
    return model


def test_what_the_network_reads(preparation: Preparation) -> None:
    assert [type(column) for column in preparation.columns] == [
        *(NumberColumn, YesNoColumn, CategoryColumn, DateColumn)
    ]
    assert preparation.features == (
        *("size", "size is missing", "flag"),
        *("city=(missing)", "city=Bern", "city=Köln", "city=a=b"),
        *("day", "day month (sine)", "day month (cosine)"),
        *("day weekday (sine)", "day weekday (cosine)"),
    )
    assert preparation.place("city") == slice(3, 7)
    assert preparation.place("one") == slice(0, 0)
    found, notes = preparation.read(Table.of(cells()))
    X = preparation.matrix(found, np.float64)
    assert notes == ()
    assert X[:30, 2].mean() == pytest.approx(0, abs=1e-12)
    assert X[:30, 2].std() == pytest.approx(1)
    assert (X[:, 3:7].sum(axis=1) == 1).all()
    raw = preparation.raw_matrix(found)
    mean, scale = np.array(preparation.scaling).T
    np.testing.assert_allclose(X, (raw - mean) / scale)


def test_only_the_named_rows_are_looked_at(preparation: Preparation) -> None:
    found = understand(Table.of(cells()), target="y")
    changed = {name: values.copy() for name, values in found.cells.items()}
    for values in changed.values():
        values[30:] = 1e6 if values.dtype == np.float64 else "elsewhere"
    assert fit(found.schema, changed, np.arange(30), preparation.target) == preparation


def test_saved_with_the_model_as_plain_data(preparation: Preparation, tmp_path) -> None:
    model_of(preparation).save(tmp_path / "m.safetensors")
    model = fm.load(tmp_path / "m.safetensors", backend="numpy")
    assert Preparation.of(model) == preparation
    described = json.loads(model.metadata["preparation"])
    assert described["version"] == 2
    assert described["columns"][2]["categories"] == ["", "Bern", "Köln", "a=b"]
    # No cells of the table are in it, such as names of persons in columns that are left out.
    assert all("example" not in column for column in described["schema"]["columns"])
    assert Preparation.of(fm.Sequential([fm.Dense(1)]).build(2)) is None


def test_arrays_are_read_without_arrow(preparation: Preparation, tmp_path) -> None:
    model_of(preparation).save(tmp_path / "m.safetensors")
    code = """
import sys
for name in ("pyarrow", "pandas", "sklearn", "scipy", "numba"):
    sys.modules[name] = None
import numpy as np
import fastmlp as fm
from fastmlp.tables.preparation import Preparation
model = fm.load(sys.argv[1], backend="numpy")
preparation = Preparation.of(model)
frame = {
    "size": np.array([4.5, np.nan]),
    "flag": np.array([True, False]),
    "city": np.array(["Bern", None], object),
    "day": np.array(["2020-03-01", "2021-03-01"], "M8[D]"),
}
cells, notes = preparation.read(frame)
print(model.predict(preparation.matrix(cells, "float32")).ravel().tolist())
"""
    run = [sys.executable, "-c", code, str(tmp_path / "m.safetensors")]
    printed = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    table = Table.of(
        {
            "day": ["2020-03-01", "2021-03-01"],
            "city": ["Bern", ""],
            "size": ["4.50", "?"],
            "flag": ["YES", "no"],
        }
    )
    found, _ = preparation.read(table)
    expected = model_of(preparation).predict(preparation.matrix(found, "float32"))
    np.testing.assert_allclose(json.loads(printed), expected.ravel(), rtol=1e-6)


def test_what_prediction_tells(preparation: Preparation) -> None:
    table = Table.of(
        {
            "size": ["4.5", "big", "3"],
            "flag": ["yes", "", "no"],
            "city": ["Wien", "Bern", "Wien"],
            "day": ["2020-03-01", "soon", ""],
        }
    )
    found, notes = preparation.read(table)
    texts = [note.text for note in notes]
    assert texts[:2] == [
        "the column 'size': 1 of 3 cells is no number, 'big' in row 1 (counted from 0), and counts "
        "as missing",
        "the column 'day': 1 of 3 cells is no date, 'soon' in row 1 (counted from 0), and "
        "counts as missing",
    ]
    assert texts[2:] == [
        "texts that training has not seen count as \"other\": 'city' in 2 rows, such as 'Wien'",
        "cells are missing where training had none, and count as usual ones: 'flag' in 1 of 3 "
        "rows; 'day' in 2 of 3 rows",
    ]
    X = preparation.matrix(found, np.float64)
    assert not X[0, preparation.place("city")].any()
    assert np.isfinite(X).all()


def test_columns_that_are_missing_in_one_error(preparation: Preparation) -> None:
    with pytest.raises(ValueError, match="lacks 3 columns .*: 'size', 'flag', 'day'; it has city"):
        preparation.read(Table.of({"city": ["Bern"]}))


DAMAGE = [
    ('"version": 2', '"version": 3'),
    ('"indicator": true', '"indicator": 1'),
    ('"kind": "date"', '"kind": "moment"'),
    ('"categories": ["", ', '"categories": ['),
    ('"categories": ["", ', '"categories": [1, '),
    ('"name": "size"', '"nome": "size"'),
    ('"columns": [', '"columns": 3, "other": ['),
    ('{"version"', '["version"'),
    ('"parts": ["elapsed"', '"parts": ["century"'),
]


@pytest.mark.parametrize(("text", "other"), DAMAGE)
def test_damaged_metadata(text: str, other: str, preparation: Preparation) -> None:
    model = model_of(preparation)
    assert text in model.metadata["preparation"]
    model.metadata["preparation"] = model.metadata["preparation"].replace(text, other)
    with pytest.raises(fm.ModelFileError, match="damaged preparation"):
        Preparation.of(model)


def test_nothing_to_learn_from() -> None:
    schema = Schema((ColumnSchema("one", "number"), ColumnSchema("id", "left out")))
    target = Target("y", "number")
    with pytest.raises(ValueError, match="nothing to learn from: .*; left out are 'id'"):
        fit(schema, {"one": np.full(9, 3.0)}, np.arange(9), target)


def test_a_column_that_is_constant_in_training_alone(preparation: Preparation) -> None:
    schema = Schema((ColumnSchema("one", "number"), ColumnSchema("x", "number")))
    columns = {"one": np.append(np.full(9, 3.0), 4), "x": np.arange(10.0)}
    found = fit(schema, columns, np.arange(9), replace(preparation.target, name="z"))
    assert found.constant == ("one",)
    assert found.features == ("x",)
