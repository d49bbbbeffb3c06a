"""The short measurement: all methods on all tables, and the table that it prints."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("pandas")

import pandas as pd

from fastmlp.peers.tabular import short
from fastmlp.peers.tabular.tables import Table


def measured(method: str, table: Table, split: int) -> dict[str, Any]:
    about = {"rows": len(table.y), "classes": None if table.is_regression else 2}
    if method == "xgboost":
        return {**about, "failure": "no"}
    error = 0.25 if method == "linear" else 0.125
    return {**about, "error": error, "fit_cpu_seconds": 2.0, "predict_seconds": 0.004}


def test_measurement_and_report(monkeypatch: pytest.MonkeyPatch) -> None:
    X = pd.DataFrame({"x": np.arange(90.0)})
    tables = [Table.of("few", X[:40], np.arange(40) % 2, False), Table.of("many", X, X["x"], True)]
    monkeypatch.setattr(short, "own_tables", lambda: iter(tables))
    monkeypatch.setattr(short, "measure_apart", measured)
    chosen = ["linear", "hist_gradient_boosting", "xgboost"]
    monkeypatch.setattr(short, "installed", lambda names, say: chosen)
    told: list[str] = []
    found = short.measure_tabular(2, 50, told.append)
    assert found.about("many")["rows"] == 50
    assert len(told) == 12
    assert told[0] == "few, split 0, linear model: error 0.25, 2.0 s"
    text = short.report(found)
    assert "| linear model         | 25.0% | 0.25  | 2.0       | 8           | 4 " in text
    assert "| HistGradientBoosting | 12.5% | 0.125 | 1.0 " in text
    assert "XGBoost failed on few: no" in text
