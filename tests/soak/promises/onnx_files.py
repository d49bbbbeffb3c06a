"""ONNX files are data: whatever is in them, they are refused or give a network."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np
import pytest

import fastmlp as fm

from .. import ROOT
from ..mutations import mutated
from ..promise import Trial, promise
from ..watch import watch


def _unnamed(error: Exception) -> str:
    raise AssertionError("the refusal does not name its file") from error


@promise(
    "Damaged ONNX files are refused by `fm.ModelFileError` with the file's name, are refused by "
    "what cannot be taken, or give a network. None takes 64 MB, 10 s, or anything but itself.",
    unit="mutations",
    full=100_000,
    quick=100,
)
def damaged_onnx(folder: Path) -> Iterator[Trial]:
    pytest.importorskip("onnx", reason="onnx is not installed")
    path = folder / "model.onnx"
    fm.load_predictor(ROOT / "tests/golden/model-2026-11-22.safetensors").export_onnx(path)
    content = path.read_bytes()
    fm.from_onnx(path, backend="numpy")

    def trial(number: int) -> str:
        path.write_bytes(mutated(Random(number), content, len(content)))
        with watch(folder, len(content)), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                model = fm.from_onnx(path, backend="numpy")
            except fm.ModelFileError as error:
                return "refused" if str(path) in str(error) else _unnamed(error)
            except ValueError:
                return "cannot be taken"
            n_features = model.training_state.program.n_features
            assert isinstance(n_features, int)
            assert len(model.predict(np.zeros((2, n_features)))) == 2
        return "used"

    yield trial
