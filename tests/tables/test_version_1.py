"""Preparations that files of earlier versions hold."""

from __future__ import annotations

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.tables.preparation import Preparation
from fastmlp.tables.table import Table
from fastmlp.tables.target_rows import read_target

# As fastmlp train has written it.
VERSION_1 = (
    '{"version": 1, "columns": [{"name": "size", "kind": "number", "mean": 80.0, "scale": 20.0}, '
    '{"name": "flag", "kind": "boolean", "mean": 0.25, "scale": 0.5}, '
    '{"name": "day", "kind": "date", "mean": 18000.0, "scale": 500.0}, '
    '{"name": "city", "kind": "category", "categories": ["", "Bern", "Köln"]}], '
    '"constant": ["same"], '
    '"target": {"name": "y", "kind": "boolean", "classes": ["False", "True"], '
    '"mean": 0.0, "scale": 1.0}}'
)


@pytest.fixture
def preparation() -> Preparation:
    model = fm.Sequential([fm.Dense(1)], backend="numpy").build(6)
    model.metadata["preparation"] = VERSION_1
    found = Preparation.of(model)
    assert found is not None
    return found


def test_the_same_numbers_as_then(preparation: Preparation) -> None:
    assert preparation.features == (
        "size",
        "flag",
        "day",
        "city=(missing)",
        "city=Bern",
        "city=Köln",
    )
    assert preparation.constant == ("same",)
    table = Table.of(
        {
            "size": ["100", "NA", ""],
            "flag": ["True", "false", "null"],
            "day": ["2019-04-14", "2019-04-15T12:00:00", "NaN"],
            "city": ["Bern", "Wien", "NA"],
            "y": ["True", "FALSE", "true"],
        }
    )
    cells, notes = preparation.read(table)
    X = preparation.matrix(cells, np.float64)
    expected = [
        [1, 1.5, 0, 0, 1, 0],
        [0, -0.5, 0.003, 0, 0, 0],
        [0, 0, 0, 1, 0, 0],
    ]
    np.testing.assert_allclose(X, expected, rtol=0, atol=1e-12)
    assert any("'Wien'" in note.text for note in notes)
    assert read_target(preparation.target, table).y.tolist() == [True, False, True]


def test_it_is_saved_as_today(preparation: Preparation) -> None:
    model = fm.Sequential([fm.Dense(1)], backend="numpy").build(6)
    preparation.attach(model)
    assert '"version": 2' in model.metadata["preparation"]
    assert Preparation.of(model) == preparation


def test_numbers_whose_classes_have_names() -> None:
    text = VERSION_1[: VERSION_1.index('"target"')]
    text += '"target": {"name": "t", "kind": "number", "classes": ["setosa", "virginica"], '
    model = fm.Sequential([fm.Dense(1)], backend="numpy").build(6)
    model.metadata["preparation"] = text + '"mean": 0.0, "scale": 1.0}}'
    found = Preparation.of(model)
    assert found is not None
    y = read_target(found.target, Table.of({"t": ["1", "0", "1"]})).y
    assert y.tolist() == [1, 0, 1]
