"""Each method makes an estimator for frames with texts and gaps; what is missing is told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("pandas")

import pandas as pd

from fastmlp.peers.tabular import methods
from fastmlp.peers.tabular.methods import (
    METHODS,
    Request,
    installed,
    texts,
    with_categories,
    with_filled_categories,
)

THERE = [name for name, method in METHODS.items() if method.missing() is None]


def frame(n: int = 60) -> object:
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"size": rng.normal(size=n), "town": rng.choice(["a", "b"], n), "one": 1})
    X.loc[::7, "size"] = np.nan
    X.loc[::9, "town"] = None
    return X


def test_texts_become_categories() -> None:
    X = frame()
    assert texts(X) == ["town"]
    found = with_categories(X)
    assert list(found["town"].cat.categories) == ["a", "b"]
    assert found["town"].isna().sum() == X["town"].isna().sum()
    filled = with_filled_categories(X)
    assert set(filled["town"].cat.categories) == {"a", "b", "missing"}
    assert not filled["town"].isna().any()
    assert X["town"].dtype == frame()["town"].dtype, "the frame is not changed"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("is_regression", [False, True])
@pytest.mark.parametrize("name", THERE)
def test_a_method_takes_texts_and_gaps(name: str, is_regression: bool) -> None:
    method = METHODS[name]
    X = method.prepare(frame())
    y = np.arange(60.0) if is_regression else np.arange(60) % 2
    model = method.make(Request(X, is_regression, 0, is_quick=True)).fit(X, y)
    predicted = model.predict(X) if is_regression else model.predict_proba(X)
    assert predicted.shape == ((60,) if is_regression else (60, 2))
    assert np.isfinite(predicted).all()


def test_what_is_measured_is_told_with_its_version() -> None:
    assert METHODS["linear"].measured().startswith("scikit-learn ")
    own = METHODS["fast"].measured()
    assert own.startswith("fastmlp ")
    assert own == METHODS["best"].measured()


def test_what_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = replace(METHODS["lightgbm"], needs=("sklearn", "no_such_package"))
    monkeypatch.setitem(methods.METHODS, "lightgbm", absent)
    told: list[str] = []
    assert installed(["linear", "lightgbm"], told.append) == ["linear"]
    assert told == ["LightGBM skipped: no_such_package is not installed"]
