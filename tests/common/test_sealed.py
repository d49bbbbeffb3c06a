"""Files with a digest of what is in them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.common import safetensors, sealed

TENSORS = {
    "weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "mask": np.array([True, False]),
    "step": np.array(3.5),
    "none": np.zeros((0, 4), np.int8),
}
METADATA = {"fastmlp": '{"a": 1}', "note.größe": "\t"}


def test_back_as_it_was(tmp_path: Path) -> None:
    sealed.write(tmp_path / "file", TENSORS, METADATA)
    tensors, metadata = sealed.read(tmp_path / "file")
    assert metadata == METADATA
    assert tensors.keys() == TENSORS.keys()
    for name, values in TENSORS.items():
        np.testing.assert_array_equal(tensors[name], values)
        assert tensors[name].dtype == values.dtype


def test_every_byte_counts(tmp_path: Path) -> None:
    path = tmp_path / "file"
    sealed.write(path, TENSORS, METADATA)
    content = path.read_bytes()
    passed = []
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        try:
            sealed.read(path)
        except fm.ModelFileError:
            continue
        passed.append((place, content[place], changed[place]))
    assert passed == []


@pytest.mark.parametrize(
    "change",
    [
        {"weight": np.arange(6, dtype=np.float32).reshape(3, 2)},
        {"weight": np.arange(6, dtype=np.float32).reshape(2, 3).view(np.int32)},
        {"weight": np.arange(6, dtype=np.float32).reshape(2, 3) * np.float32(1 + 2**-23)},
        {"step": np.array([3.5])},
        {"other": np.zeros(0)},
    ],
)
def test_another_content_has_another_digest(change: dict, tmp_path: Path) -> None:
    sealed.write(tmp_path / "file", TENSORS, METADATA)
    _, metadata = safetensors.read(tmp_path / "file")
    safetensors.write(tmp_path / "file", {**TENSORS, **change}, metadata)
    with pytest.raises(fm.ModelFileError, match="is damaged, or was changed by another program"):
        sealed.read(tmp_path / "file")


def test_order_and_memory_do_not_count(tmp_path: Path) -> None:
    sealed.write(tmp_path / "file", TENSORS, METADATA)
    _, metadata = safetensors.read(tmp_path / "file")
    turned = {name: np.array(TENSORS[name], order="F") for name in reversed(TENSORS)}
    swapped = {name: v.astype(v.dtype.newbyteorder("S")) for name, v in turned.items()}
    safetensors.write(tmp_path / "file", swapped, dict(reversed(metadata.items())))
    assert sealed.read(tmp_path / "file")[1] == METADATA


def test_files_of_other_programs_are_read(tmp_path: Path) -> None:
    package = pytest.importorskip("safetensors.numpy")
    package.save_file(TENSORS, tmp_path / "file", {**METADATA, "format": "np"})
    tensors, metadata = sealed.read(tmp_path / "file")
    assert tensors.keys() == TENSORS.keys()
    assert metadata == {**METADATA, "format": "np"}


def test_the_name_of_the_digest_may_be_damaged(tmp_path: Path) -> None:
    sealed.write(tmp_path / "file", TENSORS, METADATA)
    content = (tmp_path / "file").read_bytes()
    (tmp_path / "file").write_bytes(content.replace(b'"sha256"', b'"sha257"'))
    with pytest.raises(fm.ModelFileError, match="has metadata 'sha257', which no file of fastmlp"):
        sealed.read(tmp_path / "file")


def test_a_digest_of_json() -> None:
    content = {"b": [1, 2.5, None], "a": "ü\ud800"}
    again = json.loads(json.dumps(content, indent=7))
    assert sealed.json_digest(content) == sealed.json_digest(dict(reversed(again.items())))
    assert sealed.json_digest(content) != sealed.json_digest({**content, "a": "u"})
    assert sealed.json_digest({"a": 1}) != sealed.json_digest({"a": 1.0})
