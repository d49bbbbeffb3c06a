"""Python files of networks, written and loaded."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from modules import load_module
from paths import ROOT
from random_weights import randomize

import fastmlp as fm
from fastmlp.inference.predictor import Predictor

RNG = np.random.default_rng(5)


def written(predictor: Predictor, folder: Path, weights: str = "inside") -> ModuleType:
    predictor.export_python(folder / "net.py", weights)
    return load_module(folder / "net.py")


def predictor_of(*layers: Any, n: Any = 3, dtype: str = "float32", **arguments: Any) -> Predictor:
    model = fm.Sequential(list(layers), dtype=dtype, backend="numpy", random_state=1, **arguments)
    model.build(n)
    randomize(model, np.random.default_rng(1))
    return model.freeze()


def difference(a: Any, b: Any) -> float:
    return float(np.abs(a - b).max() / np.abs(b).max())


def passes_ruff(path: Path) -> None:
    ruff = shutil.which("ruff") or shutil.which("ruff", path=str(Path(sys.executable).parent))
    if ruff is None:
        pytest.skip("ruff is not installed")
    settings = ["--config", str(ROOT / "pyproject.toml"), "--no-cache", str(path)]
    for command in (["check", *settings], ["format", "--check", *settings]):
        run = subprocess.run([ruff, *command], capture_output=True, encoding="utf-8", check=False)
        assert run.returncode == 0, run.stdout + run.stderr
