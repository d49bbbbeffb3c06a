"""Errors of rows that are refused name columns, and what to do."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from twin_estimators import made, pair

import fastmlp as fm

LIBRARIES: dict[str, Any] = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table}
N = 20
NUMBERS = {"area": np.arange(N, dtype=float), "rooms": np.arange(N)}
TEXTS = ["Berlin", "Rome"] * (N // 2)
Y = np.arange(N) % 2
every_library = pytest.mark.parametrize("library", LIBRARIES)


def refused(X: Any, each: Any = fm.MLPClassifier) -> str:
    with pytest.raises(ValueError, match=".") as caught:
        each(max_iter=1).fit(X, Y)
    return str(caught.value)


@every_library
def test_texts(library: str) -> None:
    frame = LIBRARIES[library]({**NUMBERS, "city": TEXTS})
    told = (
        "X holds texts or dates in 1 of 3 columns: 'city' (such as 'Berlin'). {} takes numbers "
        "only; fm.{} takes such columns as they are, or encode them, as by "
        "sklearn.preprocessing.OneHotEncoder"
    )
    assert refused(frame) == told.format("MLPClassifier", "TabularClassifier")
    assert refused(frame, fm.MLPRegressor) == told.format("MLPRegressor", "TabularRegressor")


@every_library
def test_missing_values(library: str) -> None:
    area = [None, 1.0, None, 2.0] * (N // 4)
    told = refused(LIBRARIES[library]({**NUMBERS, "area": area, "old": [True, None] * (N // 2)}))
    assert told == (
        "Input X contains NaN.\nMissing: 20 in 2 of 3 columns: 'area' (10), 'old' (10). "
        "MLPClassifier takes no missing values; fill them, as by sklearn.impute.SimpleImputer, or "
        "use fm.TabularClassifier, which takes them as they are"
    )


@every_library
def test_infinite_values(library: str) -> None:
    told = refused(LIBRARIES[library]({**NUMBERS, "far": [1.0, np.inf] * (N // 2)}))
    assert told == (
        "Input X contains infinity or a value too large for dtype('float64').\n"
        "Infinite: 10 in 1 of 3 columns: 'far' (10)"
    )


def test_dates() -> None:
    days = pd.date_range("2024-05-01", periods=N)
    told = "1 of 3 columns: 'day' (such as 2024-05-01"
    assert told in refused(pd.DataFrame({**NUMBERS, "day": days}))
    assert told in refused(pd.DataFrame({**NUMBERS, "day": pd.Series(days.date, dtype=object)}))


OTHERS: dict[str, tuple[Any, str]] = {
    "categories": (
        pd.DataFrame({"a": pd.Categorical(TEXTS), "b": range(N)}),
        "1 of 2 columns: 'a' (such as 'Berlin')",
    ),
    "an Enum of polars": (
        pl.DataFrame({"a": pl.Series(TEXTS, dtype=pl.Enum(["Berlin", "Rome"])), "b": range(N)}),
        "1 of 2 columns: 'a' (such as 'Berlin')",
    ),
    "a dictionary of Arrow": (
        pa.table({"a": pa.array(TEXTS).dictionary_encode(), "b": range(N)}),
        "1 of 2 columns: 'a' (such as 'Berlin')",
    ),
    "nullable integers": (
        pd.DataFrame({"a": pd.array([1, None] * (N // 2), dtype="Int64"), "b": range(N)}),
        "Missing: 10 in 1 of 2 columns: 'a' (10)",
    ),
    "pandas.NA among objects": (
        pd.DataFrame({"a": pd.Series([1, pd.NA] * (N // 2), dtype=object), "b": range(N)}),
        "Missing: 10 in 1 of 2 columns: 'a' (10)",
    ),
    "two columns of one name": (
        pd.DataFrame([["x", 1.0]] * N, columns=["a", "a"]),
        "1 of 2 columns: 'a' (such as 'x')",
    ),
    "numbers as names": (pd.DataFrame([[1.0, "x"]] * N), "1 of 2 columns: 1 (such as 'x')"),
    "an array of texts": (np.array([["1", "x"]] * N), "1 of 2 columns: 1 (such as 'x')"),
    "an array of objects": (
        np.array([[1.5, None]] * N, dtype=object),
        "Missing: 20 in 1 of 2 columns: 1 (20)",
    ),
    "a list": ([["2", "x"], [1.0, b"y"]] * (N // 2), "1 of 2 columns: 1 (such as 'x')"),
    "an array": (np.where(np.eye(N), np.nan, 1.0)[:, :2], "2 of 2 columns: 0 (1), 1 (1)"),
    "an empty text": ([["", 1.0]] * N, "1 of 2 columns: 0 (such as '')"),
    "a long text": (
        [["a" * 200, 1.0]] * N,
        f"0 (such as '{'a' * 29}...)",
    ),
    "many columns": (
        [["x"] * 7] * N,
        "7 of 7 columns: 0 (such as 'x'), 1 (such as 'x'), 2 (such as 'x'), 3 (such as 'x'), "
        "4 (such as 'x') and 2 more.",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_forms_of_rows(name: str) -> None:
    rows, told = OTHERS[name]
    assert told in refused(rows)


def test_rows_to_predict_and_to_judge_by() -> None:
    X = np.column_stack(list(NUMBERS.values()))
    bad = np.where(X == 3, np.nan, X)
    model = fm.MLPClassifier(max_iter=1, early_stopping=True)
    with pytest.raises(ValueError, match=r"Input X_val contains NaN.\nMissing: 2 in 2 of 2"):
        model.fit(X, Y, X_val=bad, y_val=Y)
    with pytest.raises(ValueError, match="X_val holds texts or dates in 1 of 2 columns: 1"):
        model.fit(X, Y, X_val=[[1.0, "x"]] * N, y_val=Y)
    model = fm.MLPRegressor(hidden_layer_sizes=(), solver="lbfgs").fit(X / N, Y)
    with pytest.raises(ValueError, match=r"Input X contains NaN.\nMissing: 2 in 2 of 2"):
        model.predict(bad)
    with pytest.raises(ValueError, match="X holds texts or dates in 2 of 2 columns: 0 "):
        model.predict([["x", "y"]])


def test_what_is_wrong_with_all_columns_comes_first() -> None:
    """Texts in a frame of other columns are not what is told, nor is anything made up."""
    frame = pd.DataFrame(NUMBERS)
    model = fm.MLPClassifier((), solver="lbfgs", alpha=1.0).fit(frame / N, Y)
    with pytest.raises(ValueError, match="The feature names should match"):
        model.predict(pd.DataFrame({"area": TEXTS, "town": TEXTS}))
    with pytest.raises(ValueError, match="X has 1 features, but MLPClassifier is expecting 2"):
        model.fit(frame.to_numpy() / N, Y).predict(np.array([[1.0]]))
    with pytest.raises(TypeError, match="Feature names are only supported if all"):
        fm.MLPClassifier().fit(pd.DataFrame({"a": TEXTS, 1: TEXTS}), Y)


@pytest.mark.parametrize(
    "X", [[[{"a": 1}]] * 4, [[1.0], [1.0, 2.0]] * 2, [1.0] * 4, np.ones((4, 1, 1)), None]
)
def test_other_errors_are_scikit_learns(X: Any) -> None:
    told = []
    for each in made("MLPClassifier", max_iter=1):
        with pytest.raises((TypeError, ValueError)) as caught:
            each.fit(X, [0, 1, 0, 1])
        told.append((caught.type, str(caught.value)))
    assert told[0] == told[1]


def test_sparse_rows_with_gaps_are_refused_as_by_scikit_learn() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    both, X, y = pair("binary")
    told = []
    for each in both:
        with pytest.raises(ValueError, match="contains NaN") as caught:
            each.fit(sparse.csr_array(np.where(X > 2, np.nan, X)), y)
        told.append(re.sub("[^a-z]", "", str(caught.value)))
    assert told[0] == told[1]
