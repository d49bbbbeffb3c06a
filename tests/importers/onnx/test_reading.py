"""Files that are no models, or damaged, and weights in files beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx_graphs import graph_of, network, node, onnx
from onnx_layers import RNG

import fastmlp as fm


def test_damaged_files(tmp_path: Path) -> None:
    model, _ = network(1, "float32")
    path = tmp_path / "model.onnx"
    model.freeze().export_onnx(path)
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    damaged = [content[:cut] for cut in rng.integers(0, len(content), 40)]
    for _ in range(150):
        changed = bytearray(content)
        for place in rng.integers(0, len(content), rng.integers(1, 4)):
            changed[place] = rng.integers(256)
        damaged.append(bytes(changed))
    damaged += [b"", b"no model at all", rng.bytes(1000), b"\x00" * 100]
    refused = 0
    for number, wrong in enumerate(damaged):
        path.write_bytes(wrong)
        message = ""
        try:
            # A byte of a weight or of a name may be changed without harm.
            fm.from_onnx(path, backend="numpy")
        except ValueError as raised:
            message = str(raised)
            refused += 1
        assert "\n" not in message, number
    assert refused > 60
    model.save(path)
    with pytest.raises(fm.ModelFileError, match="model.onnx: no ONNX model, or damaged"):
        fm.from_onnx(path)
    with pytest.raises(FileNotFoundError):
        fm.from_onnx(tmp_path / "missing.onnx")
    with pytest.raises(IsADirectoryError):
        fm.from_onnx(tmp_path)


def test_weights_in_another_file(tmp_path: Path) -> None:
    weight = RNG.normal(size=(4, 300)).astype(np.float32)
    graph = graph_of([node("MatMul", "x w", "y")], {"w": weight})
    path = tmp_path / "model.onnx"
    onnx.save(graph, path, save_as_external_data=True, location="weights.bin")
    model = fm.from_onnx(path)
    np.testing.assert_array_equal(model.parameters["0.weight"], weight)
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(fm.ModelFileError, match="weights in other files.*weights.bin"):
        fm.from_onnx(path)
