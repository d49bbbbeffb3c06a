"""Tables: classes by number, random splits that keep their shares."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("pandas")

import pandas as pd

from fastmlp.peers.tabular.tables import Table, own_tables


def test_classes_are_counted_from_0() -> None:
    X = pd.DataFrame({"x": [1.0, 2.0, 3.0]})
    assert Table.of("t", X, np.array(["b", "a", "b"]), False).y.tolist() == [1, 0, 1]
    assert Table.of("t", X, [1, 2, 3], True).y.dtype == np.float64


def test_splits_are_random_and_the_same_again() -> None:
    table = Table.of("t", pd.DataFrame({"x": np.arange(100.0)}), np.arange(100) % 4 == 0, False)
    train, test = table.split(3)
    assert sorted([*train, *test]) == list(range(100))
    assert (len(test), table.y[test].sum()) == (20, 5)
    np.testing.assert_array_equal(test, table.split(3)[1])
    assert set(test) != set(table.split(4)[1])


def test_own_tables_need_no_download(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    found = list(own_tables())
    assert [table.name for table in found] == [
        "iris",
        "wine",
        "diabetes",
        "breast_cancer",
        "digits",
    ]
    assert [table.is_regression for table in found] == [False, False, True, False, False]
    assert all(len(table.X) == len(table.y) for table in found)
