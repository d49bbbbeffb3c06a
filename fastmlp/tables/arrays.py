"""Arrow arrays of Python's and NumPy's values, made without pandas.

Where pandas is installed, ``pyarrow.array``, ``pyarrow.scalar`` and ``to_numpy`` import it to see
whether they were given something of it, which takes half a second. These build on buffers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import DTypeLike

    from ..kernels.typing import Array

__all__ = ["column_of", "decoded", "numbers", "texts", "to_numpy", "where"]


def texts(cells: Sequence[str | None]) -> pa.Array:
    """Make an array of strings, null where a cell is None.

    Raises
    ------
    UnicodeEncodeError
        A string holds half a character.
    """
    # Only called where Arrow is there.
    import pyarrow as pa

    encoded = [b"" if cell is None else cell.encode() for cell in cells]
    offsets = np.zeros(len(cells) + 1, dtype=np.int64)
    np.cumsum([len(cell) for cell in encoded], out=offsets[1:])
    buffers = [_validity(np.array([cell is not None for cell in cells], dtype=bool))]
    buffers += [pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    large = pa.Array.from_buffers(pa.large_string(), len(cells), buffers)
    return large.cast(pa.string())


def decoded(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """The values that stand in a dictionary, cell by cell."""
    # Only called where Arrow is there.
    import pyarrow as pa

    kind = cells.type.value_type
    if pa.types.is_string_view(kind):
        # Arrow takes no cells out of such.
        kind = pa.string()
    parts = [chunk.dictionary.cast(kind).take(chunk.indices) for chunk in cells.chunks]
    return pa.chunked_array(parts, type=kind)


def numbers(values: Array, present: Array | None = None) -> pa.Array:
    """Make an array of numbers or booleans, null where they are not present."""
    # Only called where Arrow is there.
    import pyarrow as pa

    validity = None if present is None else _validity(present)
    if values.dtype == bool:
        bits = pa.py_buffer(np.packbits(values, bitorder="little"))
        return pa.Array.from_buffers(pa.bool_(), len(values), [validity, bits])
    values = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))
    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(values), [validity, pa.py_buffer(values)])


def column_of(cells: Sequence[Any]) -> pa.Array | None:
    """Make an array of plain values of one kind, or of texts where they are of several.

    None and NaN are missing. Where there are values besides texts, numbers and booleans, the
    result is None.
    """
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds <= {str}:
        return texts(cells)
    present = np.array([cell is not None and cell == cell for cell in cells], dtype=bool)
    if kinds == {bool}:
        return numbers(np.array([bool(cell) for cell in cells]), present)
    if kinds == {int} and max(abs(cell) for cell in cells if cell is not None) < 2**63:
        return numbers(np.array([cell or 0 for cell in cells], dtype=np.int64), present)
    if kinds <= {int, float} and float in kinds:
        filled = [cell if there else 0.0 for cell, there in zip(cells, present, strict=True)]
        return numbers(np.array(filled, dtype=np.float64), present)
    if kinds <= {str, bool, int, float}:
        spelled = zip(cells, present, strict=True)
        return texts([str(cell) if there else None for cell, there in spelled])
    return None


def to_numpy(cells: pa.ChunkedArray, dtype: DTypeLike, missing: Any) -> Array:
    """Return the numbers of a column whose Arrow type has the size of ``dtype``.

    Null becomes ``missing``.
    """
    found = np.empty(len(cells), dtype)
    start = 0
    for chunk in cells.chunks:
        validity, data = chunk.buffers()
        part = found[start : start + len(chunk)]
        start += len(chunk)
        if len(chunk):
            part[:] = np.frombuffer(data, dtype, len(chunk), chunk.offset * found.itemsize)
        if chunk.null_count:
            bits = np.unpackbits(np.frombuffer(validity, np.uint8), bitorder="little")
            part[bits[chunk.offset : chunk.offset + len(chunk)] == 0] = missing
    return found


def where(mask: pa.ChunkedArray) -> Array:
    """The places at which booleans are true."""
    # Only called where Arrow is there.
    import pyarrow.compute as pc

    found = pc.indices_nonzero(mask)
    places = np.frombuffer(found.buffers()[1], np.uint64, len(found), 8 * found.offset)
    return places.astype(np.int64)


def _validity(present: Array) -> pa.Buffer:
    # Only called where Arrow is there.
    import pyarrow as pa

    return pa.py_buffer(np.packbits(present, bitorder="little"))
