"""A Python file of a network needs NumPy alone, and tells what it cannot read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from modules import load_module
from python_files import difference, predictor_of, written

import fastmlp as fm


def test_two_files_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = predictor_of(fm.Dense(2))
    first = written(predictor, tmp_path, "beside").predict([1.0, 2.0, 3.0])
    assert {path.name for path in tmp_path.iterdir()} >= {"net.py", "net.npz"}
    # Both are found where they have gone, whatever the working folder.
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in ("net.py", "net.npz"):
        (tmp_path / name).rename(moved / name)
    np.testing.assert_array_equal(load_module(moved / "net.py").predict([1.0, 2.0, 3.0]), first)

    def full(*arguments: object, **named: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        predictor.export_python(tmp_path / "other.py", "beside")
    assert {path.name for path in tmp_path.iterdir()} - {"__pycache__"} == {"moved"}


BAD_INPUT = [
    (np.zeros((2, 4)), r"X must have shape \(n, 3\) or \(3,\), got \(2, 4\)"),
    (np.zeros(4), r"got \(4,\)"),
    (np.zeros((2, 3, 1)), r"got \(2, 3, 1\)"),
    (np.zeros((0, 3)), r"got \(0, 3\)"),
    (1.0, r"got \(\)"),
    ([[1.0, np.nan, 2.0]], "NaN, infinity or a number too large for float32"),
    ([np.inf, 0.0, 0.0], "NaN, infinity"),
    ([1e39, 0.0, 0.0], "too large for float32"),
    (["1", "2", "3"], "X must be an array of numbers, got dtype <U1"),
    ([1j, 0, 0], "got dtype complex128"),
    ([[1.0, None, 2.0]], "got dtype object"),
]


@pytest.mark.parametrize(("X", "message"), BAD_INPUT)
def test_input_that_cannot_be_read(X: Any, message: str, tmp_path: Path) -> None:
    module = written(predictor_of(fm.Dense(2, "softmax")), tmp_path)
    for function in (module.predict, module.predict_classes):
        with pytest.raises(ValueError, match=message):
            function(X)


def test_two_inputs_that_cannot_be_read(tmp_path: Path) -> None:
    module = written(
        predictor_of(fm.WideAndDeep(1, deep=[fm.Dense(4, "relu")]), n=(2, 3)), tmp_path
    )
    assert module.N_FEATURES == (2, 3)
    assert module.predict((np.zeros((5, 2)), np.zeros((5, 3)))).shape == (5, 1)
    for X, message in [
        (np.zeros((5, 5)), "must be a tuple"),
        ((np.zeros((5, 2)), np.zeros((4, 3))), r"as many rows, got \(5, 2\) and \(4, 3\)"),
        ((np.zeros((5, 2)), np.zeros(3)), "as many rows"),
        ((np.zeros((5, 3)), np.zeros((5, 3))), "X_wide must have shape"),
        ((np.zeros((5, 2)), np.full((5, 3), np.nan)), "X_deep has NaN"),
    ]:
        with pytest.raises(ValueError, match=message):
            module.predict(X)


def test_it_needs_only_numpy(tmp_path: Path) -> None:
    predictor = predictor_of(fm.Dense(64, "gelu"), fm.BatchNorm(), fm.Dense(2, "mish"))
    predictor.export_python(tmp_path / "net.py")
    right = predictor(np.arange(6.0).reshape(2, 3))
    code = (
        "import sys\n"
        "blocked = 'fastmlp numba llvmlite scipy sklearn safetensors'.split()\n"
        "sys.modules.update(dict.fromkeys(blocked))\n"
        "import numpy as np, net\n"
        "np.save('out.npy', net.predict(np.arange(6.0).reshape(2, 3)))\n"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    assert difference(np.load(tmp_path / "out.npy"), right) < 1e-5


def piped(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error::RuntimeWarning", str(folder / "net.py")]
    return subprocess.run(command, input=text, capture_output=True, encoding="utf-8", check=False)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_from_standard_input(dtype: str, tmp_path: Path) -> None:
    layers = fm.WideAndDeep(2, deep=[fm.Dense(4, "relu")])
    module = written(predictor_of(layers, n=(1, 2), dtype=dtype), tmp_path)
    run = piped(tmp_path, "1,2,3\n0.5,-1e3,4\n")
    assert (run.returncode, run.stderr) == (0, "")
    printed = np.loadtxt(run.stdout.splitlines(), delimiter=",", dtype=dtype)
    X = np.array([[1, 2, 3], [0.5, -1e3, 4]])
    assert np.array_equal(printed, module.predict((X[:, :1], X[:, 1:])))
    assert not hasattr(module, "codes"), "a network without embeddings needs no such function"
    for text in ("a,b,c\n", "1,2\n", "1,2,nan\n"):
        run = piped(tmp_path, text)
        assert run.returncode == 1
        assert run.stderr.startswith("error: ")
        assert run.stderr.count("\n") <= 2


def test_registered_activations_are_refused_by_name(tmp_path: Path) -> None:
    fm.register_activation("written_cube", lambda z: z * z * z, lambda z: 3 * z * z)
    predictor = predictor_of(fm.Dense(2, "written_cube"))
    with pytest.raises(ValueError, match="'written_cube' is a registered Python function"):
        predictor.export_python(tmp_path / "net.py")
    assert not list(tmp_path.iterdir())


def test_other_arguments_that_do_not_fit(tmp_path: Path) -> None:
    predictor = predictor_of(fm.Dense(2))
    with pytest.raises(ValueError, match="weights must be 'inside' or 'beside', got 'outside'"):
        predictor.export_python(tmp_path / "net.py", "outside")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        predictor.export_python(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        predictor.export_python(tmp_path / "none" / "net.py")
    for name in ("net.npz", "folder.py"):
        (tmp_path / "folder.npz").mkdir(exist_ok=True)
        with pytest.raises(ValueError, match="is where the weights go"):
            predictor.export_python(tmp_path / name, "beside")
