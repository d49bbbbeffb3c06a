"""One fit: what it reaches, by hand, and what it takes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("pandas")

import pandas as pd

from fastmlp.peers.tabular import worker
from fastmlp.peers.tabular.methods import METHODS, Method
from fastmlp.peers.tabular.tables import Table
from fastmlp.peers.tabular.worker import measure


def table(y: Any, is_regression: bool) -> Table:
    return Table.of("t", pd.DataFrame({"x": np.arange(float(len(y)))}), y, is_regression)


class Constant:
    """Predicts the same for all rows."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.fitted: list[int] = []

    def fit(self, X: Any, y: Any) -> None:
        self.fitted.append(len(y))

    def predict(self, X: Any) -> Any:
        return np.full(len(X), self.answer)

    def predict_proba(self, X: Any) -> Any:
        return np.tile(self.answer, (len(X), 1))


def use(monkeypatch: pytest.MonkeyPatch, answer: Any, warms_up: bool = False) -> Constant:
    """Let the method "constant" be one that answers so."""
    model = Constant(answer)
    method = Method(
        *("constant", lambda request: model, (), ("numpy",), 1.0, lambda X: X, warms_up)
    )
    monkeypatch.setitem(METHODS, "constant", method)
    return model


def test_scores_of_classes_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, [0.25, 0.75])
    found = measure("constant", table(np.arange(50) % 5 > 0, False), 0)
    assert found["error"] == pytest.approx(0.2)
    assert found["log_loss"] == pytest.approx(-0.8 * np.log(0.75) - 0.2 * np.log(0.25))
    assert found["auc"] == 0.5
    assert found["measured"] == f"numpy {np.__version__}"
    assert min(found[name] for name in ("fit_cpu_seconds", "fit_seconds", "predict_seconds")) >= 0


def test_scores_of_numbers_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, 1.0)
    found = measure("constant", table(np.full(10, 4.0), True), 0)
    assert found["error"] == pytest.approx(3.0)
    assert "log_loss" not in found
    use(monkeypatch, np.inf)
    with pytest.raises(ValueError, match="not finite"):
        measure("constant", table(np.full(10, 4.0), True), 0)


def test_auc_is_left_out_where_it_is_undefined(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, [0.2, 0.3, 0.5])
    monkeypatch.setattr(Table, "split", lambda *_: (np.arange(1, 9), np.array([0, 9])))
    assert measure("constant", table(np.arange(10) // 4, False), 0)["auc"] is None


def test_warming_up_is_another_fit_of_what_has_rows_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = use(monkeypatch, [0.5, 0.4, 0.1], warms_up=True)
    monkeypatch.setattr(worker, "_WARM_ROWS", 60)
    measure("constant", table(np.r_[np.arange(95) % 2, np.full(5, 2)], False), 0)
    assert 50 < model.fitted[0] < 60
    assert model.fitted[1] == 80


def test_seconds_are_those_of_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    used = iter([5.0, 7.5])
    monkeypatch.setattr(worker.time, "process_time", lambda: next(used))
    monkeypatch.setattr(
        worker.os, "times", lambda: SimpleNamespace(children_user=1.0, children_system=0.0)
    )
    use(monkeypatch, 1.0)
    assert measure("constant", table(np.arange(10.0), True), 0)["fit_cpu_seconds"] == 2.5
