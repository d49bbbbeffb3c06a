"""Names of columns, and the words for tables with others."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from framed_rows import FRAME

from fastmlp.data.column_names import check_column_names, column_names


def test_names_of_tables() -> None:
    assert column_names(FRAME) == ("age", "pay", "years")
    arrow = SimpleNamespace(column_names=["a", "b"], columns=[np.zeros(2), np.zeros(2)])
    assert column_names(arrow) == ("a", "b")
    assert column_names(SimpleNamespace(columns=["a"])) == ("a",)
    assert column_names(FRAME.iloc[0]) == ("age", "pay", "years")


@pytest.mark.parametrize(
    "X",
    [
        np.zeros((2, 2)),
        [[0.0, 1.0]],
        pd.DataFrame(np.zeros((2, 2))),
        pd.DataFrame(np.zeros((2, 2)), columns=["a", 1]),
        pd.DataFrame(np.zeros((2, 2)), columns=[("a", "b"), ("a", "c")]),
        pd.Series([1.0, 2.0]),
        SimpleNamespace(columns=lambda: ["a"]),
        np.zeros(2, dtype=[("a", float)]),
        None,
    ],
)
def test_no_names(X: object) -> None:
    assert column_names(X) is None


def test_messages() -> None:
    check_column_names(["a", "b"], ("a", "b"), "X", "model")
    with pytest.raises(ValueError, match=r"another order, b, a, than the model reads them, a, b; "):
        check_column_names(["b", "a"], ["a", "b"], "X", "model")
    with pytest.raises(ValueError, match=r"X has other columns .*, a, b: it lacks b and it has c;"):
        check_column_names(["a", "c"], ["a", "b"], "X", "model")
    with pytest.raises(ValueError, match="it has a, a, b"):
        check_column_names(["a", "a", "b"], ["a", "b", "b"], "X", "model")
    many = [f"column{number}" for number in range(30)]
    with pytest.raises(ValueError, match="column7 and 22 more"):
        check_column_names(many[::-1], many, "X", "model")
