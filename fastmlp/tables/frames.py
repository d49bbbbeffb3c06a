"""Data frames of other libraries, and what resembles one, as tables."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import missing_extra
from .arrays import column_of, numbers, texts

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["arrow_of"]


def arrow_of(frame: Any) -> tuple[pa.Table, str]:
    """Make an Arrow table of what `Table.of` takes, and say what it was, for messages."""
    try:
        # Prediction from arrays needs no Arrow.
        import pyarrow as pa
    except ImportError as error:
        raise missing_extra("pyarrow", "tables") from error

    title, names, columns = _columns_of(frame)
    shown = [_name(name) for name in names]
    if not shown:
        raise ValueError(f"{title} has no columns")
    for name in shown:
        if shown.count(name) > 1:
            raise ValueError(f"{title} has two columns with the name {name!r}; rename one")
    cells = [_chunked(name, column) for name, column in zip(shown, columns, strict=True)]
    lengths = {name: len(column) for name, column in zip(shown, cells, strict=True)}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"the columns of {title} differ in length: {lengths}")
    if not len(cells[0]):
        raise ValueError(f"{title} has no rows")
    return pa.table(cells, names=shown), title


def _columns_of(frame: Any) -> tuple[str, list[Any], Iterable[Any]]:
    """What it is, the names of its columns and the columns."""
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(frame, pandas.DataFrame):
        names = list(frame.columns)
        return "the data frame", names, [frame.iloc[:, place] for place in range(len(names))]
    if pandas is not None and isinstance(frame, pandas.Series):
        raise TypeError("expected a table, got a pandas.Series; series.to_frame() makes one")
    if isinstance(frame, np.ndarray):
        return _array(frame)
    if hasattr(frame, "collect_schema") and hasattr(frame, "collect"):
        raise TypeError("expected a table, got a lazy frame; frame.collect() makes one")
    if hasattr(frame, "__arrow_c_stream__"):
        import pyarrow as pa

        try:
            # Arrow 18 crashes on its own tables of string views.
            table = frame if isinstance(frame, pa.Table) else pa.table(frame)
        except (pa.ArrowInvalid, TypeError, ValueError) as error:
            # A series offers a stream too, but one of values.
            raise TypeError(f"expected a table, got {type(frame).__name__}: {error}") from error
        what = "the table" if isinstance(frame, pa.Table) else "the data frame"
        return what, table.column_names, table.columns
    if isinstance(frame, Mapping):
        return "the dict", list(frame), list(frame.values())
    if isinstance(frame, Sequence) and not isinstance(frame, (str, bytes)):
        return _records(frame)
    raise TypeError(
        f"expected a data frame of pandas, polars or Arrow, a dict of columns, a list of dicts or "
        f"an array, got {type(frame).__name__}"
    )


def _array(frame: np.ndarray[Any, Any]) -> tuple[str, list[Any], Iterable[Any]]:
    if frame.dtype.names is not None and frame.ndim == 1:
        return "the array", list(frame.dtype.names), [frame[name] for name in frame.dtype.names]
    if frame.ndim == 2:
        names = [f"column_{place}" for place in range(frame.shape[1])]
        return "the array", names, [frame[:, place] for place in range(frame.shape[1])]
    raise TypeError(f"expected an array of two dimensions or of records, got shape {frame.shape}")


def _records(rows: Sequence[Any]) -> tuple[str, list[Any], Iterable[Any]]:
    for place, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise TypeError(f"expected a list of dicts, got {type(row).__name__} at {place}")
    names = list(dict.fromkeys(name for row in rows for name in row))
    return "the list", names, [[row.get(name) for row in rows] for name in names]


def _name(name: Any) -> str:
    """A column's name as a string; the levels of several are joined, empty ones left out."""
    if isinstance(name, tuple):
        return " ".join(part for part in map(str, name) if part)
    return str(name)


def _chunked(name: str, column: Any) -> pa.ChunkedArray:
    # Only called where Arrow is there.
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        return column
    if isinstance(column, pa.Array):
        return pa.chunked_array([column])
    if isinstance(column, np.ndarray) and column.ndim != 1:
        raise ValueError(f"the column {name!r} must have one dimension, got shape {column.shape}")
    if isinstance(column, (str, bytes)) or not hasattr(column, "__len__"):
        raise TypeError(f"the column {name!r} must be a sequence, got {type(column).__name__}")
    if isinstance(column, np.ndarray) and column.dtype.kind in "mM":
        # Arrow has no hours, minutes and months.
        unit = np.datetime_data(column.dtype)[0]
        known = (
            ("s", "ms", "us", "ns") if column.dtype.kind == "m" else ("D", "s", "ms", "us", "ns")
        )
        column = column if unit in known else column.astype(f"{column.dtype.kind}8[us]")
    cells = _plain(column)
    if cells is None:
        try:
            cells = pa.array(column, from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, TypeError, OverflowError):
            # Objects of several types, of which each is what it spells.
            cells = None
    if cells is None or _has_own_types(cells.type):
        cells = texts([_spelled(cell) for cell in column])
    return cells if isinstance(cells, pa.ChunkedArray) else pa.chunked_array([cells])


def _plain(column: Any) -> pa.Array | None:
    """What can be made without pandas; None for all else."""
    if isinstance(column, np.ndarray):
        if column.dtype.kind in "iub" or (column.dtype.kind == "f" and column.itemsize <= 8):
            return numbers(column, column == column)
        if column.dtype.kind not in "OU":
            return None
        column = column.tolist()
    return column_of(column) if isinstance(column, (list, tuple, range)) else None


def _spelled(cell: Any) -> str | None:
    """What a cell spells; None, NaN, NaT and pandas.NA are missing."""
    missing = cell is None or type(cell).__name__ in ("NAType", "NaTType")
    if missing or (isinstance(cell, (float, np.floating)) and np.isnan(cell)):
        return None
    if isinstance(cell, bytes):
        return cell.decode(errors="replace")
    return str(cell)


def _has_own_types(kind: pa.DataType) -> bool:
    """Whether values are of a type that only its library can spell, such as periods of pandas."""
    # Only called where Arrow is there.
    import pyarrow as pa

    value_type = kind.value_type if pa.types.is_dictionary(kind) else kind
    return isinstance(value_type, pa.BaseExtensionType)
