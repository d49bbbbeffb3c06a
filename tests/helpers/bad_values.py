"""Values that arguments get for once: those that hardly anyone thinks of, and other spellings."""

from __future__ import annotations

import decimal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


class Lazy:
    """An array that is only made when NumPy asks, as those of dask are."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values
        self.shape, self.ndim, self.dtype = values.shape, values.ndim, values.dtype

    def __len__(self) -> int:
        return len(self.values)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(self.values, dtype)


class Subclass(np.ndarray):
    """An array of another class."""


def _memory_map(values: np.ndarray, folder: Path) -> np.ndarray:
    path = folder / "rows.npy"
    np.save(path, values)
    return np.load(path, mmap_mode="r")


def _read_only(values: np.ndarray) -> np.ndarray:
    made = values.copy()
    made.flags.writeable = False
    return made


def _strided(values: np.ndarray) -> np.ndarray:
    return np.repeat(values, 2, axis=0)[::2]


# Of an array that is right: as good as it.
SPELLINGS: dict[str, Callable[[np.ndarray, Path], Any]] = {
    "list": lambda a, folder: a.tolist(),
    "Fortran order": lambda a, folder: np.asfortranarray(a),
    "read-only": lambda a, folder: _read_only(a),
    "strided": lambda a, folder: _strided(a),
    "big-endian": lambda a, folder: a.astype(a.dtype.newbyteorder(">")),
    "wide": lambda a, folder: a.astype("f8" if a.dtype.kind == "f" else "i8"),
    "object": lambda a, folder: a.astype(object),
    "subclass": lambda a, folder: a.view(Subclass),
    "memory map": lambda a, folder: _memory_map(a, folder),
    "lazy": lambda a, folder: Lazy(a),
}

# Of an array that is right: spoiled.
SPOILED: dict[str, Callable[[np.ndarray], Any]] = {
    "NaN": lambda a: np.where(np.arange(a.size).reshape(a.shape) == 1, np.nan, a),
    "inf": lambda a: np.where(np.arange(a.size).reshape(a.shape) == 1, np.inf, a),
    "huge": lambda a: a * 1e300,
    "empty": lambda a: a[:0],
    "no columns": lambda a: a.reshape(len(a), -1)[:, :0],
    "one row less": lambda a: a[1:],
    "one more axis": lambda a: a[None],
    "no axis": lambda a: np.array(1.0),
    "complex": lambda a: a.astype("c8"),
    "dates": lambda a: a.astype("i8").astype("M8[D]"),
    "text": lambda a: a.astype(str),
    "bytes": lambda a: a.astype("S8"),
    "structured": lambda a: np.zeros(len(a), [("a", "f4"), ("b", "i4")]),
    "void": lambda a: np.zeros(a.shape, "V4"),
    "masked": lambda a: np.ma.masked_array(a, mask=np.arange(a.size).reshape(a.shape) == 1),
    "generator": lambda a: (row for row in a),
    "ragged": lambda a: [[1.0], [1.0, 2.0]],
    "None within": lambda a: np.where(np.arange(a.size).reshape(a.shape) == 1, None, a),
}

THINGS: dict[str, Callable[[], Any]] = {
    repr(value): (lambda value=value: value)
    for value in (
        *(None, True, 0, -1, 1.5, -0.0, 10**400, 2**64, 1e308, 5e-324, 1j, "", "a", b"x"),
        *(float("nan"), float("inf"), decimal.Decimal("NaN"), ..., (), print, float),
    )
} | {
    "list": list,
    "dictionary": dict,
    "list of lists": lambda: [[1, [2], 3]],
    "set": lambda: {1.0, 2.0},
    "generator": lambda: (k for k in range(3)),
    "object": object,
    "array": lambda: np.array([1, 2]),
    "masked": lambda: np.ma.masked,
    "not a time": lambda: np.datetime64("NaT"),
    "text with a zero byte": lambda: "a\0b",
}
