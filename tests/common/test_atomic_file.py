"""A file is replaced only when the new one is complete."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest
from frozen_networks import classifier

from fastmlp.common import safetensors


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_interrupted_write_leaves_the_old_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    (tmp_path / "m").write_bytes(b"old")
    original = safetensors.little_endian_bytes
    written = []

    def fail_at_the_second(array: np.ndarray) -> memoryview:
        if written:
            raise error
        written.append(array)
        return original(array)

    monkeypatch.setattr(safetensors, "little_endian_bytes", fail_at_the_second)
    with pytest.raises(type(error)):
        safetensors.write(tmp_path / "m", {"a": np.zeros(2), "b": np.zeros(2)})
    assert (tmp_path / "m").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["m"]


def test_write_to_a_folder_or_into_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        safetensors.write(tmp_path / "folder", {})
    with pytest.raises(FileNotFoundError):
        safetensors.write(tmp_path / "missing" / "m", {})
    assert os.listdir(tmp_path) == ["folder"]


def test_write_replaces_and_follows_links(tmp_path: Path) -> None:
    long_name = tmp_path / ("n" * 250)
    safetensors.write(long_name, {"x": np.zeros(2)})
    (tmp_path / "link").symlink_to(long_name)
    safetensors.write(tmp_path / "link", {"y": np.ones(3)})
    assert (tmp_path / "link").is_symlink()
    assert list(safetensors.read(long_name)[0]) == ["y"]
    assert len(os.listdir(tmp_path)) == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX")
def test_a_pipe_is_written_and_not_replaced(tmp_path: Path) -> None:
    predictor, pipe = classifier("numpy")[0].freeze(), tmp_path / "pipe"
    predictor.save(tmp_path / "file")
    os.mkfifo(pipe)
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()), daemon=True)
    reader.start()
    predictor.save(pipe)
    reader.join(30)
    assert found == [(tmp_path / "file").read_bytes()]
    assert pipe.is_fifo()
