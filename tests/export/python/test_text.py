"""Weights, labels and names of users as text of Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from modules import load_module
from python_files import RNG, passes_ruff, predictor_of, written

import fastmlp as fm


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("place", ["inside", "beside"])
def test_weights_are_the_same_bits(dtype: str, place: str, tmp_path: Path) -> None:
    limits = np.finfo(dtype)
    model = fm.Sequential([fm.Dense(7), fm.Dense(3), fm.Dense(40)], dtype=dtype, backend="numpy")
    model.build(20)
    special = [0.0, -0.0, limits.smallest_subnormal, -limits.tiny, limits.max, 1 / 3, 1e23]
    model.parameters["0.bias"][...] = special
    rng = np.random.default_rng(0)
    for name in ("0.weight", "1.weight", "2.weight"):
        shape = model.parameters[name].shape
        exponents = rng.integers(limits.minexp, limits.maxexp, shape)
        model.parameters[name][...] = np.ldexp(rng.normal(size=shape) / 8, exponents)
    predictor = model.freeze()
    module = written(predictor, tmp_path, place)
    names = ["W1", "b1", "W2", "b2", "W3", "b3"]
    for name, values in zip(names, predictor.weights.values(), strict=True):
        read = getattr(module, name)
        assert (read.dtype, read.shape) == (values.dtype, values.shape)
        assert read.tobytes() == values.tobytes()
    text = (tmp_path / "net.py").read_text()
    assert ("decoded(" in text) == (place == "inside")


LABELS = [
    np.array(["no", "yes"]),
    np.array(["quote \" and ' both", "back\\slash\nline"]),
    np.array(["ä", "漢字 \u202e \x00 x"]),
    np.array([False, True]),
    np.array([3, 7], np.int16),
    np.array([-1.5, 2.0], np.float32),
    np.array([b"a", b"b'\xff"]),
    np.array(["2024-01-02", "2024-03-04"], "datetime64[D]"),
    np.array([1, 86400], "timedelta64[s]"),
    np.arange(120) * 1000,
    np.array([f"number {place:03}" for place in range(100)]),
]


@pytest.mark.parametrize("labels", LABELS, ids=[str(labels[0]) for labels in LABELS])
def test_labels_of_every_kind(labels: Any, tmp_path: Path) -> None:
    units = 1 if len(labels) == 2 else len(labels)
    output = fm.Dense(units, "sigmoid" if units == 1 else "softmax")
    model = fm.Sequential([output], backend="numpy", random_state=0)
    X = RNG.normal(size=(2 * len(labels), 3))
    model.fit(X, np.concatenate([labels, labels]), epochs=1, verbose=0)
    module = written(model.freeze(), tmp_path)
    assert module.LABELS.dtype == model.classes.dtype
    np.testing.assert_array_equal(module.LABELS, model.classes)
    np.testing.assert_array_equal(module.predict_classes(X), model.predict_classes(X))
    if labels[-1].dtype.kind != "U" or labels[1].isascii():
        passes_ruff(tmp_path / "net.py")


def test_classes_without_labels_are_numbers(tmp_path: Path) -> None:
    X = RNG.normal(size=(6, 3))
    for units, output in ((4, "softmax"), (1, "sigmoid"), (4, "sigmoid")):
        predictor = predictor_of(fm.Dense(units, output))
        module = written(predictor, tmp_path)
        assert not hasattr(module, "LABELS")
        outputs = predictor(X)
        right = outputs.argmax(axis=1) if output == "softmax" else (outputs >= 0.5).squeeze()
        np.testing.assert_array_equal(module.predict_classes(X), right)


NAMES = ('"""', "a\nb", "\\", "x\\", "#", "{x}", "\N{SNOWMAN}", "'", "\ud800")


def test_names_from_users_are_only_text(tmp_path: Path) -> None:
    predictor = predictor_of(fm.Dense(2), n=len(NAMES))
    predictor.feature_names = NAMES
    module = written(predictor, tmp_path, "beside")
    assert tuple(module.FEATURES) == NAMES
    assert str(module.__doc__).count("\n") == str(module.__doc__).rstrip("\n").count("\n") + 1
    assert "Features, in this order: " in str(module.__doc__)
    strange = tmp_path / 'a "b" \\ c\'.py'
    predictor.export_python(strange, "beside")
    row = np.ones(len(NAMES))
    np.testing.assert_array_equal(load_module(strange).predict(row), module.predict(row))
