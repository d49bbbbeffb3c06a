"""Labels and numbers as people have them, with gaps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from fastmlp.tables.labels import labels_of
from fastmlp.tabular.targets import labels_in, name_of, numbers_in, target_of_labels, values_of


@pytest.mark.parametrize(
    ("given", "labels", "rows"),
    [
        (["b", None, "a"], ["b", "a"], [0, 2]),
        ([True, None, False], [True, False], [0, 2]),
        ([1, 2, None], [1, 2], [0, 1]),
        ([1.5, float("nan"), 2.5], [1.5, 2.5], [0, 2]),
        (np.array([3, 1], np.uint8), [3, 1], [0, 1]),
    ],
)
def test_labels_without_gaps(given: Any, labels: list[Any], rows: list[int]) -> None:
    found = labels_in(values_of(given), "y")
    assert found.y.tolist() == labels
    assert found.rows.tolist() == rows
    assert [note.count for note in found.notes] == ([1] if len(given) > len(labels) else [])


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_series_of_any_library(library: str) -> None:
    module: Any = pytest.importorskip(library)
    make = module.array if library == "pyarrow" else module.Series
    for cells in (["a", None, "b"], [True, None, False], [1, None, 2]):
        found = labels_in(values_of(make(cells)), "y")
        assert found.y.tolist() == [cells[0], cells[2]]
    assert numbers_in(values_of(make([1.5, None, 2])), "y").y.tolist() == [1.5, 2.0]


def test_numbers_that_are_written_as_texts() -> None:
    found = numbers_in(values_of(["1.5 m", "2 m", "none at all", "4 m", "5 m", "6 m"]), "y")
    assert found.y.tolist() == [1.5, 2, 4, 5, 6]
    assert any("'none at all'" in note.text for note in found.notes)
    assert numbers_in(np.array([1, None, 2.5], object), "y").y.tolist() == [1, 2.5]
    with pytest.raises(ValueError, match="holds what is no number"):
        numbers_in(np.array([1, "x"], object), "y")


@pytest.mark.parametrize("read", [labels_in, numbers_in])
def test_nothing_and_infinity_are_refused(read: Any) -> None:
    with pytest.raises(ValueError, match="'y' is missing in every row"):
        read(np.full(3, np.nan), "y")
    with pytest.raises(ValueError, match="contains infinity"):
        read(np.array([1, np.inf]), "y")


def test_names() -> None:
    pandas = pytest.importorskip("pandas")
    assert name_of([1], ()) == "target"
    assert name_of(pandas.Series([1], name="price"), ("a",)) == "price"
    assert name_of(pandas.Series([1], name="price"), ("price",)) == "price_"
    assert name_of(pandas.DataFrame({"cost": [1]}), ()) == "cost"


@pytest.mark.parametrize(
    "labels", [["a", "b"], [False, True], [-3, 10], [0.5, 1.5], ["1", "x"]], ids=str
)
def test_a_target_knows_its_labels(labels: list[Any]) -> None:
    found = target_of_labels("y", np.array(labels), 2)
    assert labels_of(found).tolist() == labels
    assert (found.missing, found.distinct) == (2, 2)


def test_a_categorical_without_a_series() -> None:
    given = pd.Categorical(["a", None, "b"], categories=["a", "b", "unused"])
    found = labels_in(values_of(given), "kind")
    assert found.y.tolist() == ["a", "b"]
    assert found.rows.tolist() == [0, 2]


def test_texts_are_no_numbers() -> None:
    with pytest.raises(ValueError, match="text, such as 'no', .*; TabularClassifier takes classes"):
        numbers_in(np.array(["no", "yes", "no"]), "sold")
