"""Names of columns, whatever the frame and the version of scikit-learn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from fastmlp.estimators import named
from fastmlp.estimators.named import with_names


@pytest.fixture
def before(monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that does not know polars."""
    monkeypatch.setattr(named, "_READS_ALL", False)


@pytest.mark.usefixtures("before")
def test_a_frame_of_polars_is_an_array_with_names() -> None:
    frame = pl.DataFrame({"a": [1, 2], "b": [0.5, None]})
    if hasattr(frame, "__dataframe__"):
        # Some versions still speak the protocol.
        assert with_names(frame) is frame
        return
    rows = with_names(frame)
    assert (len(rows), rows.shape) == (2, (2, 2))
    assert rows.__dataframe__().column_names() == ["a", "b"]
    np.testing.assert_array_equal(np.asarray(rows), [[1.0, 0.5], [2.0, np.nan]])
    assert np.asarray(rows, dtype=np.float32).dtype == np.float32


@pytest.mark.usefixtures("before")
def test_all_else_stays_what_it_is() -> None:
    others = [np.eye(2), [[1.0]], pd.DataFrame({"a": [1]}), pa.table({"a": [1]})]
    for rows in others:
        assert with_names(rows) is rows
