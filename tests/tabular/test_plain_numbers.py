"""All columns at once give the same bits as one after the other."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.tables.column_schema import ColumnSchema
from fastmlp.tables.preparation import fit
from fastmlp.tables.schema import Schema
from fastmlp.tables.target import Target
from fastmlp.tabular.plain_numbers import PlainNumbers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 6))
X[:, 1] *= 1e6
X[0, 2] = 5000.0
X[RNG.random(200) < 0.2, 3] = np.nan
X[:, 4] = 7.0
NAMES = tuple("abcdef")
SCHEMA = Schema(tuple(ColumnSchema(name, "number") for name in NAMES))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_same_bits(dtype: str) -> None:
    cells = dict(zip(NAMES, X.T, strict=True))
    preparation = fit(SCHEMA, cells, np.arange(100), Target("y", "number"))
    assert any(column.bound for column in preparation.columns)
    assert any(column.indicator for column in preparation.columns)
    plain = PlainNumbers.of(preparation, NAMES)
    assert plain is not None
    more = np.where(np.arange(200)[:, None] % 7 == np.arange(6), np.nan, X)
    for rows in (X, more):
        expected = preparation.matrix(dict(zip(NAMES, rows.T, strict=True)), dtype)
        np.testing.assert_array_equal(plain.matrix(rows, dtype), expected, strict=True)


def test_only_of_numbers() -> None:
    texts = np.array(["x", "y"] * 100, object)
    schema = Schema((ColumnSchema("a", "category", limit=5), ColumnSchema("b", "number")))
    preparation = fit(schema, {"a": texts, "b": X[:, 0]}, np.arange(200), Target("y", "number"))
    assert PlainNumbers.of(preparation, ("a", "b")) is None
