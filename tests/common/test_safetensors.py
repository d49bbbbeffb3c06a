"""The safetensors reader and writer, beside the package of that name and against damaged files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastmlp.common import safetensors
from fastmlp.errors import ModelFileError

ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


def samples() -> dict[str, np.ndarray]:
    """Arrays of every dtype, of odd sizes so that a naive layout would misalign them."""
    rng = np.random.default_rng(0)
    arrays: dict[str, np.ndarray] = {}
    for dtype in safetensors.DTYPES.values():
        if dtype.kind == "f":
            values = rng.normal(size=(3, 5)).astype(dtype)
        else:
            values = rng.integers(0, 2 if dtype.kind == "b" else 100, size=(3, 5)).astype(dtype)
        arrays[f"{dtype}.matrix"] = values
        arrays[f"{dtype}.scalar"] = np.array(values[0, 0])
        arrays[f"{dtype}.none"] = np.empty((0, 3), dtype)
    arrays["extremes"] = np.array([np.nan, -np.inf, -0.0, 5e-324, 1.7976931348623157e308])
    arrays["Gewicht äöü \U0001f600 \"'\n"] = np.arange(3)
    return arrays


def assert_identical(actual: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert actual.keys() == expected.keys()
    for name, array in expected.items():
        assert actual[name].dtype == array.dtype.newbyteorder("="), name
        assert actual[name].shape == array.shape, name
        assert actual[name].tobytes() == array.astype(array.dtype.newbyteorder("=")).tobytes(), name


def file_of(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def test_round_trip_keeps_bits_order_and_metadata(tmp_path: Path) -> None:
    arrays = samples()
    metadata = {"b": "2", "a": '{"nested": "ä"}', "": ""}
    safetensors.write(tmp_path / "m", arrays, metadata)
    tensors, read_metadata = safetensors.read(tmp_path / "m")
    assert_identical(tensors, arrays)
    assert list(tensors) == list(arrays)
    assert list(read_metadata.items()) == list(metadata.items())


def test_arrays_read_are_ordinary_ones(tmp_path: Path) -> None:
    safetensors.write(tmp_path / "m", samples())
    tensors, _ = safetensors.read(tmp_path / "m")
    for array in tensors.values():
        assert array.flags.owndata
        assert array.flags.c_contiguous
        assert array.flags.behaved
        assert array.dtype.isnative


def test_package_reads_ours(tmp_path: Path) -> None:
    package = pytest.importorskip("safetensors.numpy")
    from safetensors import safe_open

    safetensors.write(tmp_path / "m", samples(), {"key": "ä"})
    assert_identical(package.load_file(tmp_path / "m"), samples())
    with safe_open(tmp_path / "m", "numpy") as file:
        assert file.metadata() == {"key": "ä"}


def test_we_read_the_packages(tmp_path: Path) -> None:
    package = pytest.importorskip("safetensors.numpy")
    package.save_file(samples(), tmp_path / "m", {"key": "ä"})
    tensors, metadata = safetensors.read(tmp_path / "m")
    assert_identical(tensors, samples())
    assert metadata == {"key": "ä"}


def test_no_tensors_and_no_metadata(tmp_path: Path) -> None:
    safetensors.write(tmp_path / "m", {})
    assert safetensors.read(tmp_path / "m") == ({}, {})


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=">f4").reshape(3, 4),
        np.arange(12, dtype=">i8").reshape(3, 4),
        np.array(1.5, ">f2"),
        np.arange(12.0).reshape(3, 4).T,
        np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        np.arange(12, dtype=">u2").reshape(3, 4)[::-2, ::2],
        np.broadcast_to(np.float32(2), (2, 3)),
        np.arange(9, dtype=np.uint8)[1:].view(np.float64),
    ],
    ids=[
        "big f4",
        "big i8",
        "big 0-d",
        "transposed",
        "Fortran",
        "strided",
        "broadcast",
        "unaligned",
    ],
)
def test_any_layout_and_byte_order_is_written_right(tmp_path: Path, array: np.ndarray) -> None:
    safetensors.write(tmp_path / "m", {"x": array})
    read = safetensors.read(tmp_path / "m")[0]["x"]
    np.testing.assert_array_equal(read, array, strict=False)
    assert read.dtype == array.dtype.newbyteorder("=")
    assert read.shape == array.shape


def test_data_and_tensors_are_aligned_in_the_file(tmp_path: Path) -> None:
    arrays = samples()
    safetensors.write(tmp_path / "m", arrays)
    content = (tmp_path / "m").read_bytes()
    length = int.from_bytes(content[:8], "little")
    assert (8 + length) % 64 == 0
    for name, entry in json.loads(content[8 : 8 + length]).items():
        assert entry["data_offsets"][0] % arrays[name].itemsize == 0


def test_header_order_need_not_be_the_datas(tmp_path: Path) -> None:
    header = {
        "second": {"dtype": "I16", "shape": [2], "data_offsets": [1, 5]},
        "first": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]},
    }
    (tmp_path / "m").write_bytes(file_of(header, b"\x07\x01\x00\x00\x01"))
    tensors, _ = safetensors.read(tmp_path / "m")
    assert list(tensors) == ["second", "first"]
    np.testing.assert_array_equal(tensors["second"], [1, 256])
    np.testing.assert_array_equal(tensors["first"], [7])
    assert tensors["second"].flags.aligned


@pytest.mark.parametrize(
    ("tensors", "metadata", "error", "message"),
    [
        ({"x": np.zeros(2, complex)}, {}, ValueError, "'x' has dtype complex128"),
        ({"x": np.array(["a"])}, {}, ValueError, "'x' has dtype <U1"),
        ({"x": np.array([None])}, {}, ValueError, "'x' has dtype object"),
        ({"x": np.zeros(2, "f4,f4")}, {}, ValueError, "'x' has dtype"),
        ({"__metadata__": np.zeros(2)}, {}, ValueError, "reserves it"),
        ({1: np.zeros(2)}, {}, TypeError, "tensor names must be strings, not 1"),
        ({}, {"a": 1}, TypeError, "strings to strings, not 'a' to 1"),
        ({}, {1: "a"}, TypeError, "strings to strings, not 1 to 'a'"),
        ({}, {"a": "\ud800"}, ValueError, "surrogates not allowed"),
        ({}, {"a": "x" * 1000}, ValueError, "may have 1000"),
    ],
)
def test_what_cannot_be_written_leaves_the_old_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tensors: Any,
    metadata: Any,
    error: type[Exception],
    message: str,
) -> None:
    monkeypatch.setattr(safetensors, "_MAX_HEADER", 1000)
    (tmp_path / "m").write_bytes(b"old")
    with pytest.raises(error, match=message):
        safetensors.write(tmp_path / "m", tensors, metadata)
    assert (tmp_path / "m").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["m"]


def test_relative_and_string_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    safetensors.write("m", {"x": np.zeros(2)})
    assert safetensors.read("m")[0]["x"].shape == (2,)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        safetensors.read(tmp_path / "m")
    with pytest.raises(ModelFileError, match="it is a folder"):
        safetensors.read(tmp_path)


def entry(**changes: Any) -> bytes:
    return file_of({"x": ENTRY | changes}, bytes(8))


def two(first: list[int], second: list[int]) -> bytes:
    """Two U8 tensors at these offsets in eight bytes of data."""
    header = {
        name: {"dtype": "U8", "shape": [end - begin], "data_offsets": [begin, end]}
        for name, (begin, end) in {"x": first, "y": second}.items()
    }
    return file_of(header, bytes(8))


MALFORMED = {
    "empty": (b"", "0 bytes"),
    "seven bytes": (b"\x02" + bytes(6), "7 bytes"),
    "zero header": (bytes(8), "does not start with"),
    "header beyond the file": ((3).to_bytes(8, "little") + b"{}", "end at byte 11"),
    "header beyond the limit": ((100_000_001).to_bytes(8, "little") + b"{}", "100000001"),
    "header length of all ones": (b"\xff" * 8 + b"{}", "18446744073709551615"),
    "no JSON": (file_of(b"{nonsense}"), "not JSON"),
    "JSON and more": (file_of(b"{} {}"), "not JSON"),
    "unclosed": (file_of(b'{"x"'), "not JSON"),
    "no UTF-8": (file_of(b'{"\xff": 1}'), "not JSON"),
    "UTF-16": (file_of("{}".encode("utf-16-le")), "not JSON"),
    "leading space": (file_of(b" {}"), "does not start with"),
    "a list": (file_of(b"[]"), "does not start with"),
    "deep nesting": (file_of(b'{"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}"), "not JSON"),
    "deep metadata": (
        file_of(b'{"__metadata__":{"a":' + b"[" * 400 + b"]" * 400 + b"}}"),
        "not a string",
    ),
    "NaN": (file_of(b'{"x": NaN}'), "not JSON"),
    "endless integer": (file_of(b'{"x": ' + b"1" * 10_000 + b"}"), "not JSON"),
    "half a surrogate": (file_of(b'{"\\ud800": 1}'), "not valid Unicode"),
    "half a surrogate in metadata": (
        file_of(b'{"__metadata__": {"a": "\\ud800"}}'),
        "not valid Unicode",
    ),
    "duplicate name": (file_of(b'{"x": 1, "x": 1}'), "'x' twice"),
    "duplicate field": (file_of(b'{"x": {"dtype": 1, "dtype": 1}}'), "'dtype' twice"),
    "duplicate metadata": (file_of(b'{"__metadata__": {"a": "1", "a": "1"}}'), "'a' twice"),
    "metadata a list": (file_of({"__metadata__": []}), "not an object"),
    "metadata null": (file_of({"__metadata__": None}), "not an object"),
    "metadata a number": (file_of({"__metadata__": {"a": 1}}), "not a string"),
    "entry a list": (file_of({"x": []}), "entry of 'x'"),
    "entry without shape": (
        file_of({"x": {"dtype": "F32", "data_offsets": [0, 8]}}, bytes(8)),
        "entry of 'x'",
    ),
    "entry with more": (entry(stride=[1]), "entry of 'x'"),
    "unknown dtype": (entry(dtype="BF16"), "'BF16'; supported are BOOL, U8"),
    "lower-case dtype": (entry(dtype="f32"), "'f32'"),
    "dtype a list": (entry(dtype=["F32"]), r"\['F32'\]"),
    "shape a number": (entry(shape=2), "has shape 2"),
    "shape negative": (entry(shape=[-2, -1]), "has shape"),
    "shape of booleans": (entry(shape=[True, 2]), "has shape"),
    "shape of floats": (entry(shape=[2.0]), "has shape"),
    "shape huge": (entry(shape=[2**63]), "has shape"),
    "shape overflowing 64 bits": (entry(shape=[2**62, 2, 2, 2, 2]), "needs"),
    "shape wrapping to the size": (entry(shape=[2**62 + 2, 4, 4]), "needs"),
    "shape of too many dimensions": (entry(shape=[1] * 65), "has shape"),
    "shape no array can have": (
        file_of({"x": {"dtype": "F32", "shape": [2**62, 2**62, 0], "data_offsets": [0, 0]}}),
        "no array can have",
    ),
    "shape too small": (entry(shape=[1]), "needs 4 bytes"),
    "shape too large": (entry(shape=[3]), "needs 12 bytes"),
    "offsets a number": (entry(data_offsets=8), "data_offsets 8"),
    "three offsets": (entry(data_offsets=[0, 4, 8]), "data_offsets"),
    "offsets swapped": (entry(data_offsets=[8, 0]), "data_offsets"),
    "offset negative": (entry(data_offsets=[-8, 0]), "data_offsets"),
    "offset of booleans": (
        file_of({"x": {"dtype": "U8", "shape": [1], "data_offsets": [False, True]}}, b"\0"),
        "data_offsets",
    ),
    "offset outside": (entry(data_offsets=[8, 16]), "follows a gap"),
    "overlap": (two([0, 5], [4, 8]), "'y' starts at byte 4 of the data and overlaps"),
    "the same bytes twice": (two([0, 8], [0, 8]), "overlaps"),
    "empty tensor within another": (two([0, 8], [3, 3]), "overlaps"),
    "gap": (two([0, 3], [4, 8]), "'y' starts at byte 4 of the data and follows a gap"),
    "gap at the start": (two([1, 3], [3, 8]), "follows a gap"),
    "data cut": (two([0, 4], [4, 9]), "ends at byte 9 of the data, but the file holds 8"),
    "bytes left": (two([0, 4], [4, 7]), "1 bytes follow"),
    "bytes without a tensor": (file_of({}, b"\0"), "1 bytes follow"),
    "BOOL of two": (
        file_of({"x": {"dtype": "BOOL", "shape": [1], "data_offsets": [0, 1]}}, b"\2"),
        "other than 0 and 1",
    ),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_file(tmp_path: Path, case: str) -> None:
    content, message = MALFORMED[case]
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=message) as caught:
        safetensors.read(path)
    assert repr(str(path)) in str(caught.value)
    assert len(str(caught.value)) < len(str(path)) + 600


def test_well_formed_neighbor_of_the_malformed_files(tmp_path: Path) -> None:
    for content in (entry(), two([0, 4], [4, 8]), two([0, 8], [8, 8]), file_of(b"{}   ")):
        (tmp_path / "m").write_bytes(content)
        safetensors.read(tmp_path / "m")


def test_damaged_bytes_are_refused_or_harmless(tmp_path: Path) -> None:
    """Random damage either is found or leaves the tensors' names, dtypes and shapes readable."""
    rng = np.random.default_rng(1)
    path = tmp_path / "m"
    arrays = {
        "0.weight": rng.normal(size=(3, 4)).astype(np.float32),
        "0.bias": np.zeros(4, np.float32),
        "mask": np.array([True, False, True]),
        "none": np.empty((0, 2)),
        "step": np.array(7),
    }
    safetensors.write(path, arrays, {"config": '{"a": [1, 2]}', "kind": "model"})
    valid = path.read_bytes()
    header_end = 8 + int.from_bytes(valid[:8], "little")

    refused = 0
    for round_number in range(1200):
        content = bytearray(valid)
        # Half of the damage in the header, where it can hurt.
        stop = header_end if round_number % 2 else len(content)
        for place in rng.integers(0, stop, size=rng.integers(1, 4)):
            if rng.random() < 0.5:
                content[place] ^= 1 << rng.integers(8)
            else:
                content[place] = rng.choice(list(b'0123456789-+.eE"[]{},: \\x\x00\xff'))
        if rng.random() < 0.3:
            cut = rng.integers(0, len(content) + 1)
            content = content[:cut] if rng.random() < 0.7 else content + bytes(int(cut))
        path.write_bytes(content)
        try:
            tensors, metadata = safetensors.read(path)
        except ModelFileError:
            refused += 1
            continue
        assert sum(array.nbytes for array in tensors.values()) <= len(content)
        assert all(isinstance(text, str) for pair in metadata.items() for text in pair)
        safetensors.write(path, tensors, metadata)
        again, metadata_again = safetensors.read(path)
        assert_identical(again, tensors)
        assert metadata_again == metadata
    assert 400 < refused < 1200


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m"
    safetensors.write(path, {"x": np.arange(2.0)}, {"a": "b"})
    valid = path.read_bytes()
    for length in range(len(valid)):
        path.write_bytes(valid[:length])
        with pytest.raises(ModelFileError):
            safetensors.read(path)
