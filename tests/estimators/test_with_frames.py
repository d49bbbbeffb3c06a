"""Frames of pandas, polars and Arrow: names of columns, and what is no plain number."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone
from twin_estimators import TABLES, assert_alike, fit_both, made, pair

import fastmlp as fm

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

LIBRARIES: dict[str, Any] = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table}
NAMES = list("abcde")
every_library = pytest.mark.parametrize("library", LIBRARIES)


def frame(library: str, X: Any, names: list[str] = NAMES) -> Any:
    return LIBRARIES[library](dict(zip(names, np.asarray(X).T, strict=True)))


@every_library
@pytest.mark.parametrize("task", ["multiclass", "several numbers"])
def test_frames_everywhere(library: str, task: str) -> None:
    (_, ours), X, y = pair(task, early_stopping=True)
    plain = clone(ours)
    rows = frame(library, X)
    ours.fit(rows, y, X_val=rows, y_val=y)
    plain.fit(X, y, X_val=X, y_val=y)
    assert ours.feature_names_in_.tolist() == NAMES
    assert ours.network_.feature_names == tuple(NAMES)
    assert_alike(plain, ours, rtol=0)
    np.testing.assert_array_equal(ours.predict(rows), plain.predict(X))
    assert ours.score(rows, y) == plain.score(X, y)


@every_library
def test_names_are_compared(library: str) -> None:
    (theirs, ours), X, y = pair("binary", max_iter=2)
    rows = frame(library, X)
    theirs.fit(frame("pandas", X), y)
    ours.fit(rows, y)
    others = {
        "a name": ["z", *NAMES[1:]],
        "an order": NAMES[::-1],
    }
    for names in others.values():
        told = []
        for each, kind in ((theirs, "pandas"), (ours, library)):
            with pytest.raises(ValueError, match="feature names") as caught:
                each.predict(frame(kind, X, names))
            told.append(str(caught.value))
        assert told[0] == told[1]
    with pytest.raises(ValueError, match="feature names"):
        fm.MLPClassifier(early_stopping=True).fit(
            rows, y, X_val=frame(library, X, NAMES[::-1]), y_val=y
        )
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        ours.predict(X)
    # One library's names are another's.
    for other in LIBRARIES:
        np.testing.assert_array_equal(ours.predict(frame(other, X)), ours.predict(rows))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        unnamed = ours.fit(X, y)
    assert not hasattr(unnamed, "feature_names_in_")
    with pytest.warns(UserWarning, match="X has feature names, but MLPClassifier was fitted"):
        unnamed.predict(rows)


NUMBERS = np.arange(40) % 4
SPECIAL: dict[str, Any] = {
    "nullable": pd.DataFrame(
        {
            "a": pd.array(NUMBERS, dtype="Int64"),
            "b": pd.array(NUMBERS / 2, dtype="Float32"),
            "c": pd.array(NUMBERS > 1, dtype="boolean"),
        }
    ),
    "categories of numbers": pd.DataFrame({"a": pd.Categorical(NUMBERS), "b": NUMBERS > 1}),
    "booleans": pd.DataFrame({"a": NUMBERS > 1, "b": NUMBERS > 2}),
    "Arrow in pandas": pd.DataFrame({"a": pd.array(NUMBERS, dtype="int64[pyarrow]"), "b": 1.5}),
    "numbers as names": pd.DataFrame({0: NUMBERS, 1: NUMBERS / 3}),
    "polars": pl.DataFrame({"a": NUMBERS, "b": NUMBERS > 1, "c": NUMBERS / 3}),
    "Arrow": pa.table({"a": NUMBERS, "b": NUMBERS > 1, "c": NUMBERS / 3}),
    "objects": np.array([[1, 2.5], [True, "3"]] * 20, dtype=object),
}


@pytest.mark.parametrize("name", SPECIAL)
def test_special_dtypes(name: str) -> None:
    rows = SPECIAL[name]
    y = np.arange(40) % 3
    both = made("MLPClassifier", hidden_layer_sizes=(4,), max_iter=5, random_state=0)
    fit_both(both, "fit", rows, y)
    assert_alike(*both)
    np.testing.assert_array_equal(both[0].predict(rows), both[1].predict(rows))


@every_library
def test_float32_columns(library: str) -> None:
    """What dtype the columns have as an array, the network has."""
    both, X, y = pair("binary", max_iter=2)
    fit_both(both, "fit", frame(library, np.float32(X)), y)
    assert both[0].coefs_[0].dtype == both[1].coefs_[0].dtype
    if library == "pandas":
        assert both[1].coefs_[0].dtype == np.float32


MAKES = {"pandas": pd.Series, "polars": pl.Series, "pyarrow": pa.array}


@pytest.mark.parametrize(
    "make", [pd.Series, pl.Series, pa.array], ids=["pandas", "polars", "Arrow"]
)
def test_targets_of_other_libraries(make: Any) -> None:
    for task in ("numbers", "multiclass"):
        both, X, y = pair(task, max_iter=3)
        fit_both(both, "fit", X, make(y))
        assert_alike(*both)
    classes = np.where(TABLES["binary"][2] > 0, "yes", "no")
    model = fm.MLPClassifier((4,), max_iter=2).fit(TABLES["binary"][1], make(classes.tolist()))
    assert model.classes_.tolist() == ["no", "yes"]
