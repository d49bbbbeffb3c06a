"""Predictions as frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.model_selection import cross_val_predict
from twin_estimators import pair

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

LIBRARIES: dict[str, Any] = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table}
COLUMNS = {
    "binary": ["prediction", "probability of -2", "probability of 7"],
    "multiclass": ["prediction", *(f"probability of {each}" for each in (3, 4, 5))],
    "multilabel": [f"{what} of {k}" for what in ("prediction", "probability") for k in range(3)],
    "numbers": ["prediction"],
    "several numbers": [f"prediction of {k}" for k in range(3)],
}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("task", COLUMNS)
def test_predictions_are_of_the_library_of_the_rows(library: str, task: str) -> None:
    (_, ours), X, y = pair(task, max_iter=3)
    rows = LIBRARIES[library](dict(zip("abcde", X.T, strict=True)))
    found = ours.fit(rows, y).predict_frame(rows)
    assert type(found) is type(rows)
    names = found.column_names if library == "pyarrow" else list(found.columns)
    assert names == COLUMNS[task]
    parts = [ours.predict(rows).reshape(len(X), -1)]
    if hasattr(ours, "predict_proba"):
        parts.append(ours.predict_proba(rows))
    columns = np.column_stack(parts).T
    for name, expected in zip(names, columns, strict=True):
        np.testing.assert_array_equal(np.asarray(found[name]), expected)


def test_the_index_stays() -> None:
    (_, ours), X, y = pair("binary", max_iter=3)
    rows = pd.DataFrame(X, columns=list("abcde"), index=[f"row {k}" for k in range(len(X))])
    found = ours.fit(rows, y).predict_frame(rows[::2])
    assert found.index.equals(rows.index[::2])


def test_rows_without_a_library_give_pandas() -> None:
    (_, ours), X, y = pair("numbers", max_iter=3)
    ours.fit(X, y)
    for rows in (X, X.tolist(), csr_array(X)):
        found = ours.predict_frame(rows)
        assert type(found) is pd.DataFrame
        np.testing.assert_allclose(found["prediction"], ours.predict(X), rtol=1e-12)
        assert found.index.equals(pd.RangeIndex(len(X)))


def test_all_else_returns_arrays() -> None:
    """As whatever is made of estimators counts on."""
    (_, ours), X, y = pair("multiclass", max_iter=3)
    rows = pd.DataFrame(X, columns=list("abcde"))
    ours.fit(rows, y)
    assert type(ours.predict(rows)) is type(ours.predict_proba(rows)) is np.ndarray
    found = cross_val_predict(clone(ours), rows, y, cv=2, method="predict_proba")
    assert type(found) is np.ndarray
    assert not hasattr(ours, "set_output")
    assert not hasattr(ours, "get_feature_names_out")
