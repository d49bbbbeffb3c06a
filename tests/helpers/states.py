"""All that a model remembers, as its file has it: what tests of sameness compare."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import fastmlp as fm
from fastmlp.common import sealed
from fastmlp.kernels.typing import Array


def contents(model: fm.Sequential) -> tuple[dict[str, Array], dict[str, Any]]:
    """The tensors of a model's file, optimizer state included, and its description."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        model.save(path)
        tensors, metadata = sealed.read(path)
    description = json.loads(metadata["fastmlp"])
    # Two runs never take the same time.
    description["history"].pop("seconds", None)
    return tensors, description


def assert_same(a: fm.Sequential, b: fm.Sequential, *, but: tuple[str, ...] = ()) -> None:
    """Fail where two models differ in a bit of their tensors or in their description."""
    (tensors, description), (expected, wanted) = contents(a), contents(b)
    assert tensors.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(tensors[name], values, err_msg=name)
    for name in but:
        del description[name], wanted[name]
    assert description == wanted
