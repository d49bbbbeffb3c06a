"""Targets in any form: frames, tensors, of another length; y is never modified."""

from __future__ import annotations

import numpy as np
import pytest
from encoders import encoder_for


def test_numbers_of_the_models_dtype_are_not_copied():
    y = np.ones((5, 2), np.float32)
    assert encoder_for("linear", 2, dtype="float32").encode(y, 5, fit=True).base in (y, y.base)
    assert np.shares_memory(encoder_for("linear", 2, dtype="float32").encode(y, 5, fit=True), y)


@pytest.mark.parametrize(
    ("activation", "units"), [("softmax", 3), ("sigmoid", 1), ("sigmoid", 2), ("linear", 1)]
)
@pytest.mark.parametrize("y", [[0, 1], [[0], [1]], np.zeros((2, 2)), [[0, 1, 0]]])
def test_another_length_than_X(activation, units, y):
    with pytest.raises(ValueError, match=f"X has 5 rows, but y has {len(y)}"):
        encoder_for(activation, units).encode(y, 5, fit=True)


def test_pandas():
    pandas = pytest.importorskip("pandas")
    series = pandas.Series(["b", "a", "b"], index=[7, 8, 9])
    for y in (series, series.astype("category"), series.astype("string"), series.to_frame()):
        encoder = encoder_for("softmax", 2)
        np.testing.assert_array_equal(encoder.encode(y, 3, fit=True), [1, 0, 1])
        assert encoder.decode(np.eye(2)).tolist() == ["a", "b"]
    missing = pandas.Series(["b", None, "b"])
    for y in (missing, missing.astype("string"), missing.astype("category")):
        with pytest.raises(ValueError, match="missing labels.*row 1"):
            encoder_for("softmax", 2).encode(y, 3, fit=True)
    with pytest.raises(ValueError, match="missing labels.*row 1"):
        encoder_for("softmax", 2).encode(pandas.array([1, None], "Int64"), 2, fit=True)
    days = pandas.Series(pandas.to_datetime(["2020-01-02", "2020-01-01"]))
    np.testing.assert_array_equal(encoder_for("softmax", 2).encode(days, 2, fit=True), [1, 0])


def test_torch():
    torch = pytest.importorskip("torch")
    np.testing.assert_array_equal(
        encoder_for("softmax", 3).encode(torch.tensor([2, 0]), 2, fit=True), [2, 0]
    )
    np.testing.assert_array_equal(
        encoder_for("sigmoid", 1).encode(torch.tensor([[1.0], [0.0]]), 2, fit=True), [[1], [0]]
    )


def test_sparse_y():
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(TypeError, match=r"y is a sparse matrix; pass y\.toarray\(\)"):
        encoder_for("sigmoid", 2).encode(sparse.eye(2).tocsr(), 2, fit=True)


def test_y_is_never_modified():
    for activation, units, y in [
        ("softmax", 3, np.array([2, 0, 1])),
        ("softmax", 3, np.eye(3)),
        ("sigmoid", 1, np.array([0.0, 1.0, 0.5])),
        ("linear", 1, np.array([3.0, 1.0, 0.5])),
    ]:
        before = y.copy()
        encoder_for(activation, units).encode(y, 3, fit=True)
        np.testing.assert_array_equal(y, before)
