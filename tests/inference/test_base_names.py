"""Predictors know the names of their columns, and refuse tables with others."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from forms_of_rows import (
    layers_of,
    predictor_of,
    whole_numbers,
)

import fastmlp as fm

NAMES = ("a", "b", "c", "d", "e")
ENTRIES: dict[str, Callable[[fm.Predictor, Any], Any]] = {
    "call": lambda predictor, x: predictor(x),
    "a row": lambda predictor, x: predictor(x.iloc[0]),
    "out": lambda predictor, x: predictor(x, np.empty((len(x), 3), "f4")),
    "classes": lambda predictor, x: predictor.predict_classes(x),
    "quantize": lambda predictor, x: predictor.quantize(x),
    "export in int8": lambda predictor, x: predictor.export_c(
        os.devnull, quantize="int8", calibration=x
    ),
    "quantized": lambda predictor, x: predictor.quantize(whole_numbers(50))(x),
    "quantized classes": lambda predictor, x: predictor.quantize(whole_numbers(50)).predict_classes(
        x
    ),
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_frames_with_other_columns_are_refused(entry: str, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    predictor = predictor_of(layers_of("plain"), "numpy")
    predictor.feature_names = NAMES
    frame = pandas.DataFrame(whole_numbers(50), columns=list(NAMES))
    predictor.save(tmp_path / "p.safetensors")
    loaded = fm.load_predictor(tmp_path / "p.safetensors")
    for known in (predictor, loaded, pickle.loads(pickle.dumps(predictor))):
        assert known.feature_names == NAMES
        ENTRIES[entry](known, frame)
        ENTRIES[entry](known, frame.set_axis(range(5), axis=1))
        order = r"x has its columns in another order, e, d, c, b, a, .*predictor\.feature_names"
        with pytest.raises(ValueError, match=f"(?i){order}"):
            ENTRIES[entry](known, frame[list(NAMES)[::-1]])
        with pytest.raises(ValueError, match="(?i)x has other columns .* it lacks b and it has z"):
            ENTRIES[entry](known, frame.rename(columns={"b": "z"}))
    known.feature_names = None
    ENTRIES[entry](known, frame.rename(columns={"b": "z"}))


def test_names_of_two_inputs(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    wide = pandas.DataFrame(whole_numbers(40, 2), columns=["u", "v"])
    deep = pandas.DataFrame(whole_numbers(40, 3), columns=["a", "b", "c"])
    y = np.arange(40) % 2
    layers = [fm.WideAndDeep(1, "sigmoid", deep=[fm.Dense(4, "relu")])]
    given: Any
    for given in ((wide, deep), (wide, deep.to_numpy()), (wide.to_numpy(), deep)):
        model = fm.Sequential(layers, backend="numpy", random_state=0)
        predictor = model.fit(given, y, epochs=1, verbose=0) and model.freeze()
        predictor.save(tmp_path / "p.safetensors")
        for known in (predictor, fm.load_predictor(tmp_path / "p.safetensors")):
            named = [part for part in given if part is wide or part is deep]
            expected = sum((tuple(part) for part in named), ()) if len(named) == 2 else None
            assert known.feature_names == expected
            known((wide, deep))
            if given[0] is wide:
                with pytest.raises(
                    ValueError, match=r"X_wide has .*another order, v, u,.*'X_wide'"
                ):
                    known((wide[["v", "u"]], deep))
            else:
                known((wide[["v", "u"]], deep))
            if given[1] is deep:
                with pytest.raises(ValueError, match=r"X_deep has other columns .*lacks a "):
                    known((wide, deep.rename(columns={"a": "z"})))
                with pytest.raises(ValueError, match=r"X_deep has .*another order, b, a, c"):
                    known((wide.iloc[0], deep.iloc[0][["b", "a", "c"]]))


def test_names_must_be_as_many_as_columns() -> None:
    predictor = predictor_of(layers_of("plain"), "numpy")
    with pytest.raises(ValueError, match="X has 5 columns, but 4 names"):
        predictor.feature_names = NAMES[:4]
    with pytest.raises(ValueError, match="X has 5 columns, but 6 names"):
        predictor.feature_names = (*NAMES, "f")
    assert predictor.feature_names is None
