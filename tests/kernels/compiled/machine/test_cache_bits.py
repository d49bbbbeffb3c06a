"""Kernels that have just been compiled give the same bits as those loaded from the cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("numba")

# Widths that fill no vector, one, and several with a rest: where a sum's order would show.
_CODE = """
import hashlib
import numpy as np
import fastmlp as fm
rng = np.random.default_rng(0)
digest = hashlib.sha256()
for dtype in ("float32", "float64"):
    for width in (3, 13, 102, 130):
        X, y = rng.normal(size=(200, 7)), np.arange(200) % width
        layers = [
            *[fm.Dense(width), fm.BatchNorm(), fm.Activation("softmax"), fm.Dropout(0.2)],
            *[fm.Dense(width, "gelu"), fm.Dense(width, "softmax")],
        ]
        model = fm.Sequential(layers, dtype=dtype, random_state=0)
        model.fit(X, y, epochs=2, verbose=0)
        digest.update(model.predict(X).tobytes())
        for values in model.parameters.values():
            digest.update(values.tobytes())
print(digest.hexdigest())
"""


def _run(cache: Path) -> str:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", _CODE], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.slow
def test_compiled_and_loaded_kernels_give_the_same_bits(tmp_path: Path) -> None:
    compiled = _run(tmp_path)
    assert any(tmp_path.rglob("*.nbi"))
    assert _run(tmp_path) == compiled
