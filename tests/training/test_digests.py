"""A fit is resumed with the rows that it had, or refused."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse

import fastmlp as fm
from fastmlp.training.digests import Digests

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = RNG.normal(size=40)
WEIGHT = RNG.uniform(0.5, 1.0, 40)


class StopError(Exception):
    pass


def broken_off(path: Path, *rows: Any, wide: bool = False, **fit: Any) -> None:
    """Write a checkpoint after the first of three epochs."""

    def stop(*_: Any) -> None:
        raise StopError

    callbacks = [fm.ModelCheckpoint(path), fm.LambdaCallback(on_epoch_end=stop)]
    layers: list[Any] = [fm.WideAndDeep(1, deep=[fm.Dense(2)])] if wide else [fm.Dense(1)]
    model = fm.Sequential(layers, backend="numpy", random_state=0)
    with pytest.raises(StopError):
        model.fit(*rows, epochs=3, verbose=0, callbacks=callbacks, **fit)


def changed(values: Any) -> Any:
    other = values.copy()
    other[-1] += 1e-3
    return other


FITS: dict[str, dict[str, Any]] = {
    "plain": {},
    "weighted": {"sample_weight": WEIGHT},
    "validated": {"validation_data": (X[:9], Y[:9])},
}
OTHERS = {
    "X": ("plain", changed(X), Y, {}, "had other X"),
    "the dtype of X": ("plain", X.astype(np.float32), Y, {}, "had other X"),
    "fewer rows": ("plain", X[:-1], Y[:-1], {}, "had other X"),
    "y": ("plain", X, changed(Y), {}, "had other y"),
    "weights": ("weighted", X, Y, {"sample_weight": changed(WEIGHT)}, "had other sample weights"),
    "lost weights": ("weighted", X, Y, {}, "had sample weights; sample_weight and class_weight"),
    "new weights": ("plain", X, Y, {"sample_weight": WEIGHT}, "had no sample weights"),
    "validation": (
        *("validated", X, Y, {"validation_data": (changed(X[:9]), Y[:9])}),
        "had other validation data",
    ),
    "lost validation": ("validated", X, Y, {}, "had validation data; validation_data is given"),
}


@pytest.mark.parametrize("what", OTHERS)
def test_other_rows_are_refused(what: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    fit, x, y, given, reason = OTHERS[what]
    broken_off(path, X, Y, **FITS[fit])
    with pytest.raises(ValueError, match=f"the fit to resume {reason}"):
        fm.resume(path, x, y, backend="numpy", verbose=0, **given)
    assert len(fm.resume(path, X, Y, backend="numpy", verbose=0, **FITS[fit]).history) == 3


def test_other_sparse_rows_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    wide = scipy.sparse.random_array((40, 6), density=0.3, rng=1, format="csr")
    broken_off(path, (wide, X), Y, wide=True)
    other = wide.copy()
    other.data[0] += 1.0
    with pytest.raises(ValueError, match="had other X"):
        fm.resume(path, (other, X), Y, backend="numpy", verbose=0)
    assert len(fm.resume(path, (wide, X), Y, backend="numpy", verbose=0).history) == 3


def test_of_chunks_the_numbers_of_rows_are_compared(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    chunks = [(X[:16], Y[:16]), (X[16:], Y[16:])]
    broken_off(path, chunks)
    with pytest.raises(ValueError, match="had other numbers of rows"):
        fm.resume(path, chunks[:1], backend="numpy", verbose=0)
    assert len(fm.resume(path, chunks, backend="numpy", verbose=0).history) == 3


def test_a_copy_has_the_digests_and_not_the_rows() -> None:
    digests = Digests({"X": [np.zeros((10_000, 10))]})
    written = pickle.dumps(digests)
    assert len(written) < 1000
    assert pickle.loads(written).to_dict() == digests.to_dict()
