"""Arrow's arrays without pandas are those that it would make itself."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

pa = pytest.importorskip("pyarrow")

from fastmlp.tables.arrays import column_of, decoded, numbers, texts, to_numpy, where  # noqa: E402


@pytest.mark.parametrize("cells", [[], ["a", "", None, "größe", "中"], [None] * 9])
def test_texts(cells: list[str | None]) -> None:
    found = texts(cells)
    found.validate(full=True)
    assert found.equals(pa.array(cells, pa.string()))


@pytest.mark.parametrize(
    "values",
    [
        np.arange(5),
        np.array([1.5, -2.0], dtype=np.float32),
        np.array([True, False] * 5),
        np.arange(10, dtype=np.uint8)[::2],
        np.arange(3, dtype=">i4"),
        np.empty(0),
    ],
)
def test_numbers(values: np.ndarray[Any, Any]) -> None:
    found = numbers(values)
    found.validate(full=True)
    assert found.to_pylist() == values.tolist()
    present = np.arange(len(values)) % 2 == 0
    expected = [x if there else None for x, there in zip(values.tolist(), present, strict=True)]
    assert numbers(values, present).to_pylist() == expected


@pytest.mark.parametrize(
    ("cells", "kind", "found"),
    [
        (["a", None], pa.string(), ["a", None]),
        ([1, None, -3], pa.int64(), [1, None, -3]),
        ([1, 2.5, None, float("nan")], pa.float64(), [1.0, 2.5, None, None]),
        ([True, None], pa.bool_(), [True, None]),
        ([1, "x", None, True, float("nan")], pa.string(), ["1", "x", None, "True", None]),
        ([None], pa.string(), [None]),
    ],
)
def test_plain_values(cells: list[Any], kind: Any, found: list[Any]) -> None:
    array = column_of(cells)
    assert array is not None
    assert (array.type, array.to_pylist()) == (kind, found)


def test_where_booleans_are_true() -> None:
    mask = pa.chunked_array([[True, None], [False, True, True]])
    assert where(mask).tolist() == [0, 3, 4]
    assert where(mask.slice(0, 0)).tolist() == []


def test_what_is_left_to_arrow() -> None:
    assert column_of([1j]) is None
    assert column_of([b"a"]) is None


def test_pandas_is_left_out() -> None:
    code = (
        "import sys, numpy as np; from fastmlp.tables.arrays import *; "
        "texts(['a']); numbers(np.arange(3)); column_of([1, None]); column_of([1.5, 'x']); "
        "assert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_numbers_back_in_numpy() -> None:
    chunks = pa.chunked_array(
        [pa.array([1.5, None, 3.0, 4.0]).slice(1), pa.array([], pa.float64())]
    )
    np.testing.assert_array_equal(to_numpy(chunks, np.float64, np.nan), [np.nan, 3, 4])
    whole = pa.chunked_array([[1, None], [3]], pa.int64())
    assert to_numpy(whole, np.int64, -1).tolist() == [1, -1, 3]


@pytest.mark.parametrize("kind", ["string", "string_view", "int64"])
def test_cells_of_a_dictionary(kind: str) -> None:
    values = pa.array(["a", "b"] if kind != "int64" else [7, 8]).cast(getattr(pa, kind)())
    indices = pa.array([0, None, 1, 1], pa.uint32())
    cells = pa.chunked_array([pa.DictionaryArray.from_arrays(indices, values)] * 2)
    once = [values[0].as_py(), None, *[values[1].as_py()] * 2]
    assert decoded(cells).to_pylist() == once * 2
