"""Means over tables, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fastmlp.peers.tabular.summary import Cell, Summary

BASE, OTHER, THIRD = "hist_gradient_boosting", "linear", "xgboost"


def result(error: float, classes: int | None = None, rows: int = 100, **more: Any) -> Any:
    return {
        "error": error,
        "classes": classes,
        "rows": rows,
        "fit_cpu_seconds": 1.0,
        "predict_seconds": 0.1,
        **more,
    }


def test_ratios_are_of_the_splits_that_both_have() -> None:
    found = Summary(
        {
            Cell("a", BASE, 0): result(2.0),
            Cell("a", BASE, 1): result(100.0),
            Cell("a", OTHER, 0): result(1.0),
            Cell("a", OTHER, 2): result(50.0),
            Cell("b", BASE, 0): result(1.0),
            Cell("b", OTHER, 0): result(2.0, fit_cpu_seconds=4.0),
            Cell("c", OTHER, 0): result(2.0),
        }
    )
    assert found.ratio("a", OTHER, BASE) == 0.5
    assert found.ratio("c", OTHER, BASE) is None
    mean = found.mean_ratio(OTHER, BASE)
    assert mean is not None
    assert (mean.value, mean.n_tables) == (pytest.approx(1.0), 2)
    assert mean.error == pytest.approx(np.std(np.log([0.5, 2.0]), ddof=1) / np.sqrt(2))
    seconds = found.mean_ratio(OTHER, BASE, "fit_cpu_seconds")
    assert seconds is not None
    assert seconds.value == pytest.approx(2.0)
    assert found.n_splits(OTHER) == [2, 1, 1]
    assert found.seconds_of_fits(OTHER) == 7.0
    assert found.mean_ratio(THIRD, BASE) is None


def test_half_a_row_is_added_to_shares_that_may_be_0() -> None:
    found = Summary(
        {
            Cell("a", BASE, 0): result(0.0, classes=2),
            Cell("a", OTHER, 0): result(0.05, classes=2),
        }
    )
    assert found.ratio("a", OTHER, BASE) == pytest.approx((0.05 + 0.025) / 0.025)
    assert found.ratio("a", BASE, OTHER) == pytest.approx(1 / 3)


def test_ranks() -> None:
    found = Summary(
        {
            Cell("a", BASE, 0): result(1.0, 2, auc=0.9),
            Cell("a", OTHER, 0): result(2.0, 2, auc=0.8),
            Cell("a", THIRD, 0): result(2.0, 2, auc=0.7),
            Cell("b", BASE, 0): result(2.0),
            Cell("b", OTHER, 0): result(1.0),
        }
    )
    assert [found.rank("a", name) for name in (BASE, OTHER, THIRD)] == [1.0, 2.5, 2.5]
    assert [found.rank("a", name, "auc") for name in (BASE, OTHER, THIRD)] == [1.0, 2.0, 3.0]
    # The last of two stands for the last of three.
    assert found.rank("b", BASE) == 3.0
    assert found.rank("b", THIRD) is None
    mean = found.mean_rank(BASE)
    assert mean is not None
    assert (mean.value, mean.error, mean.n_tables) == (2.0, pytest.approx(1.0), 2)
    assert found.mean_rank(BASE, "log_loss") is None


def test_failures_and_the_order_of_tables() -> None:
    found = Summary(
        {
            Cell("long", OTHER, 0): result(1.0, rows=1000),
            Cell("long", BASE, 0): {"failure": "no", "rows": 1000},
            Cell("short", OTHER, 0): result(1.0, rows=10),
        }
    )
    assert found.tables == ["short", "long"]
    assert found.methods == [OTHER]
    assert found.failures == {Cell("long", BASE, 0): "no"}
    assert found.error("long", BASE) is None
    assert found.about("long")["rows"] == 1000
