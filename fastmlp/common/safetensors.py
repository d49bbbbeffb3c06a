"""Named arrays in one file: the safetensors format, read strictly and written atomically.

A file is an 8-byte little-endian header length, a JSON header and the data. The header maps each
name to ``{"dtype", "shape", "data_offsets"}``, offsets counted from the start of the data, and
``"__metadata__"`` to a mapping of strings to strings.

Source: https://github.com/huggingface/safetensors, section "Format" of its README.
"""

from __future__ import annotations

import math
import os
import reprlib
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ModelFileError
from .atomic_file import atomic_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from io import BufferedReader

    from ..kernels.typing import Array

DTYPES = {
    "BOOL": np.dtype(np.bool_),
    "U8": np.dtype(np.uint8),
    "I8": np.dtype(np.int8),
    "U16": np.dtype(np.uint16),
    "I16": np.dtype(np.int16),
    "U32": np.dtype(np.uint32),
    "I32": np.dtype(np.int32),
    "U64": np.dtype(np.uint64),
    "I64": np.dtype(np.int64),
    "F16": np.dtype(np.float16),
    "F32": np.dtype(np.float32),
    "F64": np.dtype(np.float64),
}
_NAMES = {dtype: name for name, dtype in DTYPES.items()}
_METADATA = "__metadata__"
_FIELDS = {"dtype", "shape", "data_offsets"}
_LENGTH_BYTES = 8
_MAX_HEADER = 100_000_000
_ALIGNMENT = 64
_MAX_DIMENSIONS = 64

# Messages quote a file that may hold anything: neither length nor depth may get out of hand.
_quote = reprlib.Repr()
_quote.maxstring = 80
shown = _quote.repr


def write(
    path: str | os.PathLike[str],
    tensors: Mapping[str, Array],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write arrays and metadata to a safetensors file.

    The file appears under its name only once it is complete: a write that fails leaves the file
    that was there before. The data starts at a multiple of 64 bytes and each tensor at a multiple
    of its item size, so that readers may map the file into memory.

    Parameters
    ----------
    path : str or path-like
        Where to write; its folder must exist.
    tensors : mapping of str to array
        Arrays of any shape, memory layout and byte order; dtypes bool, (u)int8 to (u)int64 and
        float16 to float64.
    metadata : mapping of str to str, optional
        Stored as ``__metadata__``.

    Raises
    ------
    TypeError
        If a name, a metadata key or a metadata value is not a string.
    ValueError
        If a dtype is not one of the above, a name is ``"__metadata__"``, or the header would be
        larger than the format allows.
    OSError
        If the file cannot be written.
    """
    arrays = {name: np.asarray(value) for name, value in tensors.items()}
    header, order = _compose_header(arrays, dict(metadata or {}))

    with atomic_file(path, "safetensors") as file:
        file.write(len(header).to_bytes(_LENGTH_BYTES, "little"))
        file.write(header)
        for name in order:
            file.write(little_endian_bytes(arrays[name]))


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Array], dict[str, str]]:
    """Read a safetensors file.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    tensors : dict of str to array
        In the header's order. Each array owns its memory, is C-contiguous, aligned, writable and
        of native byte order.
    metadata : dict of str to str
        Empty where the file has none.

    Raises
    ------
    ModelFileError
        If the path is a folder or the file is not a valid safetensors file; the message names the
        path and what is wrong.
    FileNotFoundError
        If there is no such file.
    """
    shown = os.fspath(path)
    if os.path.isdir(path):
        raise ModelFileError(f"cannot read {shown!r}: it is a folder, not a file")
    with open(path, "rb") as file:
        try:
            return _read_open_file(file)
        except _Malformed as error:
            raise ModelFileError(
                f"{shown!r} is not a valid safetensors file: {error}"
            ) from error.__cause__


class _Malformed(Exception):
    """What is wrong with a file; `read` adds the path."""


def _compose_header(arrays: dict[str, Array], metadata: dict[str, str]) -> tuple[bytes, list[str]]:
    """Return the padded header and the order in which the tensors' data follows it."""
    import json

    for name, array in arrays.items():
        if not isinstance(name, str):
            raise TypeError(f"tensor names must be strings, not {shown(name)}")
        if name == _METADATA:
            raise ValueError(f"{_METADATA!r} cannot name a tensor: the format reserves it")
        if _native(array.dtype) not in _NAMES:
            raise ValueError(
                f"tensor {shown(name)} has dtype {array.dtype}; a safetensors file holds "
                + ", ".join(str(dtype) for dtype in _NAMES)
            )
    for key, text in metadata.items():
        if not (isinstance(key, str) and isinstance(text, str)):
            raise TypeError(f"metadata maps strings to strings, not {shown(key)} to {shown(text)}")

    # Larger items first: every tensor then starts at a multiple of its own item size.
    order = sorted(arrays, key=lambda name: -arrays[name].itemsize)
    begin = {}
    offset = 0
    for name in order:
        begin[name] = offset
        offset += arrays[name].nbytes

    content: dict[str, Any] = {_METADATA: metadata} if metadata else {}
    for name, array in arrays.items():
        content[name] = {
            "dtype": _NAMES[_native(array.dtype)],
            "shape": list(array.shape),
            "data_offsets": [begin[name], begin[name] + array.nbytes],
        }
    header = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    header += b" " * (-(_LENGTH_BYTES + len(header)) % _ALIGNMENT)
    if len(header) > _MAX_HEADER:
        raise ValueError(
            f"names and metadata take {len(header)} bytes; a safetensors header may have "
            f"{_MAX_HEADER}"
        )
    return header, order


def _native(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return dtype if dtype.isnative else dtype.newbyteorder("=")


def little_endian_bytes(array: Array) -> memoryview:
    """Return the bytes of an array as they stand in a file."""
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return little.reshape(-1).view(np.uint8).data


def _read_open_file(file: BufferedReader) -> tuple[dict[str, Array], dict[str, str]]:
    file_size = os.fstat(file.fileno()).st_size
    if file_size < _LENGTH_BYTES:
        raise _Malformed(
            f"it has {file_size} bytes, fewer than the {_LENGTH_BYTES} of the header length"
        )
    header_length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
    if header_length > _MAX_HEADER:
        raise _Malformed(
            f"its header length is {header_length}; the format allows at most {_MAX_HEADER}"
        )
    data_start = _LENGTH_BYTES + header_length
    if data_start > file_size:
        raise _Malformed(
            f"its header should end at byte {data_start}, but the file has {file_size} bytes"
        )
    header = _parse_header(file.read(header_length))
    metadata = _check_metadata(header.pop(_METADATA, {}))
    layout = {name: _check_entry(name, entry) for name, entry in header.items()}
    _check_offsets(layout, file_size - data_start)

    tensors = {}
    for name, (dtype, shape, begin, _) in layout.items():
        file.seek(data_start + begin)
        tensors[name] = _read_tensor(file, name, dtype, shape)
    return tensors, metadata


def _parse_header(text: bytes) -> dict[str, Any]:
    import json

    if not text.startswith(b"{"):
        raise _Malformed("its header does not start with '{'")
    try:
        header = json.loads(
            text.decode(), object_pairs_hook=_unique_keys, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError) as error:
        raise _Malformed(f"its header is not JSON ({error})") from error
    # A JSON text that starts with "{" is an object.
    result: dict[str, Any] = header
    return result


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen = set()
        for key, _ in pairs:
            if key in seen:
                raise _Malformed(f"its header has the key {shown(key)} twice")
            seen.add(key)
    for key in result:
        _check_unicode(key)
    return result


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON number")


def _check_unicode(text: str) -> None:
    # JSON's escapes can spell half of a surrogate pair, which is no text and cannot be written.
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _Malformed(f"its header holds {shown(text)}, which is not valid Unicode") from error


def _check_metadata(metadata: Any) -> dict[str, str]:
    if not isinstance(metadata, dict):
        raise _Malformed(f"{_METADATA} is not an object")
    for key, text in metadata.items():
        if not isinstance(text, str):
            raise _Malformed(
                f"{_METADATA} maps {shown(key)} to {shown(text)}, which is not a string"
            )
        _check_unicode(text)
    return metadata


_Entry = tuple[np.dtype[Any], tuple[int, ...], int, int]


def _check_entry(name: str, entry: Any) -> _Entry:
    """Return dtype, shape, begin and end of a tensor whose size agrees with its offsets."""
    if not isinstance(entry, dict) or entry.keys() != _FIELDS:
        raise _Malformed(
            f"the entry of {shown(name)} must hold dtype, shape and data_offsets alone"
        )
    dtype_name, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype_name, str) or dtype_name not in DTYPES:
        raise _Malformed(
            f"{shown(name)} has dtype {shown(dtype_name)}; supported are {', '.join(DTYPES)}"
        )
    if not _are_sizes(shape) or len(shape) > _MAX_DIMENSIONS:
        raise _Malformed(
            f"{shown(name)} has shape {shown(shape)}; "
            f"a shape is a list of at most {_MAX_DIMENSIONS} non-negative integers"
        )
    if not _are_sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise _Malformed(
            f"{shown(name)} has data_offsets {shown(offsets)}; they are two integers "
            "[begin, end] with 0 <= begin <= end"
        )
    dtype = DTYPES[dtype_name]
    begin, end = offsets
    size = math.prod(shape) * dtype.itemsize
    if end - begin != size:
        raise _Malformed(
            f"{shown(name)} needs {size} bytes for {dtype_name} of shape {shape}, "
            f"but its data_offsets {offsets} hold {end - begin} bytes"
        )
    return dtype, tuple(shape), begin, end


def _are_sizes(values: Any) -> bool:
    # `type is int`, since True is an instance of int; the limit keeps every product small.
    return isinstance(values, list) and all(
        type(value) is int and 0 <= value < 2**63 for value in values
    )


def _check_offsets(layout: dict[str, _Entry], data_size: int) -> None:
    """Check that the tensors cover the data from its first byte to its last, each byte once."""
    covered = 0
    for name, (_, _, begin, end) in sorted(layout.items(), key=lambda item: item[1][2:]):
        if begin != covered:
            problem = "overlaps the tensor before it" if begin < covered else "follows a gap"
            raise _Malformed(
                f"{shown(name)} starts at byte {begin} of the data and {problem}, "
                f"which ends at byte {covered}"
            )
        if end > data_size:
            raise _Malformed(
                f"{shown(name)} ends at byte {end} of the data, but the file holds {data_size}"
            )
        covered = end
    if covered != data_size:
        raise _Malformed(f"{data_size - covered} bytes follow the last tensor")


def _read_tensor(
    file: BufferedReader, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> Array:
    try:
        array: Array = np.empty(shape, dtype.newbyteorder("<"))
    except ValueError as error:
        raise _Malformed(f"{shown(name)} has a shape that no array can have ({error})") from error
    data = array.reshape(-1).view(np.uint8)
    # Another process may have cut the file since its size was read.
    if file.readinto(data.data) != data.size:
        raise _Malformed(f"it ended within the data of {shown(name)}")
    if dtype.kind == "b" and np.any(data > 1):
        raise _Malformed(f"{shown(name)} is BOOL and holds bytes other than 0 and 1")
    return array.astype(dtype, copy=False)
