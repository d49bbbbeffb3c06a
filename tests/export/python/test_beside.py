"""A Python file has the weights that it was written with, whatever comes between the two files."""

from __future__ import annotations

import os
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from modules import load_module

import fastmlp as fm
from fastmlp.common import atomic_file
from fastmlp.export.python import beside
from fastmlp.inference.predictor import Predictor

X = np.arange(6.0).reshape(2, 3)


@pytest.fixture
def predictors() -> tuple[Predictor, Predictor]:
    """Two whose files have the same length."""
    first, second = (
        fm.Sequential([fm.Dense(500)], backend="numpy", random_state=seed).build(3).freeze()
        for seed in (0, 1)
    )
    return first, second


def output(folder: Path) -> np.ndarray:
    values: np.ndarray = load_module(folder / "net.py").predict(X)
    return values


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"__pycache__"}


def test_files_of_two_exports_are_told_apart(
    tmp_path: Path, predictors: tuple[Predictor, Predictor]
) -> None:
    for name, predictor in zip(("a", "b"), predictors, strict=True):
        (tmp_path / name).mkdir()
        predictor.export_python(tmp_path / name / "net.py", "beside")
    shutil.copy(tmp_path / "a/net.npz", tmp_path / "b/net.npz")
    message = "net.py has lost its weights: net.npz beside it is missing or holds other weights"
    with pytest.raises(ImportError, match=message):
        output(tmp_path / "b")
    (tmp_path / "b/net.npz").unlink()
    with pytest.raises(ImportError, match=message):
        output(tmp_path / "b")
    predictors[1].export_python(tmp_path / "b/net.py", "beside")
    np.testing.assert_allclose(output(tmp_path / "b"), predictors[1](X), rtol=1e-6)


@pytest.mark.parametrize("fails", ["net.py", "net.npz"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_each_step_that_fails_leaves_a_whole_pair(
    tmp_path: Path,
    predictors: tuple[Predictor, Predictor],
    monkeypatch: pytest.MonkeyPatch,
    fails: str,
    error: BaseException,
) -> None:
    predictors[0].export_python(tmp_path / "net.py", "beside")
    replace = os.replace

    def refuse(source: Any, target: Any) -> None:
        if Path(target).suffix == Path(fails).suffix:
            raise error
        replace(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(type(error)):
        predictors[1].export_python(tmp_path / "net.py", "beside")
    np.testing.assert_allclose(output(tmp_path), predictors[0](X), rtol=1e-6)
    assert names(tmp_path) == {"net.py", "net.npz"}


def test_an_interrupt_behind_the_python_file_ends_what_was_begun(
    tmp_path: Path, predictors: tuple[Predictor, Predictor], monkeypatch: pytest.MonkeyPatch
) -> None:
    predictors[0].export_python(tmp_path / "net.py", "beside")
    write = beside.write_python

    def interrupted(path: Path, source: bytes) -> None:
        write(path, source)
        raise KeyboardInterrupt

    monkeypatch.setattr(beside, "write_python", interrupted)
    with pytest.raises(KeyboardInterrupt):
        predictors[1].export_python(tmp_path / "net.py", "beside")
    np.testing.assert_allclose(output(tmp_path), predictors[1](X), rtol=1e-6)
    assert names(tmp_path) == {"net.py", "net.npz"}


def test_what_a_killed_export_has_left_is_found_and_then_taken_away(
    tmp_path: Path, predictors: tuple[Predictor, Predictor]
) -> None:
    predictors[0].export_python(tmp_path / "net.py", "beside")
    # As it is before the last step of the export.
    digest = beside.digest_of((tmp_path / "net.npz").read_bytes())
    (tmp_path / "net.npz").rename(tmp_path / f"net.{digest[:16]}.npz")
    (tmp_path / "net.npz").write_bytes(b"those of the pair before")
    np.testing.assert_allclose(output(tmp_path), predictors[0](X), rtol=1e-6)
    for name in ("net.0123.npz", "other.0123456789abcdef.npz", "net.0123456789ABCDEF.npz"):
        (tmp_path / name).touch()
    (tmp_path / f".{24 * '0'}.npz.tmp").touch()
    predictors[1].export_python(tmp_path / "net.py", "beside")
    assert len(names(tmp_path)) == 5, "of users' own files none is taken away"
    assert f"net.{digest[:16]}.npz" not in names(tmp_path)
    np.testing.assert_allclose(output(tmp_path), predictors[1](X), rtol=1e-6)


@pytest.mark.parametrize("weights", ["inside", "beside"])
def test_bytecode_of_the_file_before_does_not_pass_for_the_new_one(
    tmp_path: Path, predictors: tuple[Predictor, Predictor], weights: str
) -> None:
    path, sizes = tmp_path / "net.py", set()
    for predictor in predictors:
        predictor.export_python(path, weights)
        # Python compares the second and the length.
        os.utime(path, (10**9, 10**9))
        sizes.add(path.stat().st_size)
        run = subprocess.run(
            [sys.executable, "-c", "import net; print(net.predict([[1.0, 2.0, 3.0]])[0, 0])"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert float(run.stdout) == pytest.approx(float(predictor([1.0, 2.0, 3.0])[0]), rel=1e-5)
        py_compile.compile(str(path), doraise=True)
        other = Path(tmp_path / "__pycache__/network.cpython-311.pyc")
        other.touch()
    assert len(sizes) == 1, "the files differ in length, and show nothing"
    assert other.exists(), "bytecode of another module"


def test_bytecode_that_another_process_writes_on_the_way(
    tmp_path: Path, predictors: tuple[Predictor, Predictor], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net.py"
    predictors[0].export_python(path)
    replace = os.replace

    def import_before(source: Any, target: Any) -> None:
        py_compile.compile(str(path), doraise=True)
        replace(source, target)

    monkeypatch.setattr(atomic_file.os, "replace", import_before)
    predictors[1].export_python(path)
    assert not list((tmp_path / "__pycache__").iterdir())


def test_errors_name_the_file_that_was_to_be_written(
    tmp_path: Path, predictors: tuple[Predictor, Predictor], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*/net.npz'"):
        predictors[0].export_python(tmp_path / "net.py", "beside")
    assert not names(tmp_path)
