"""Numbers of tables, in units of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastmlp as fm

FAST: dict[str, Any] = {"preset": "fast", "random_state": 0}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 3))


@pytest.mark.parametrize(("mean", "scale"), [(0, 1), (1e9, 1e3), (-5, 1e-6)])
def test_predictions_are_in_units_of_y(mean: float, scale: float) -> None:
    y = mean + scale * (X[:, 0] + 0.1 * RNG.normal(size=400))
    model = fm.TabularRegressor(**FAST).fit(X, y)
    assert model.score(X, y) > 0.9
    assert model.validation_score_ == pytest.approx(0.01 * scale**2, rel=0.5)


def test_the_absolute_error_is_that_of_the_median() -> None:
    # A tenth of the rows is far above: the mean is, too, but not the median.
    y = np.where(np.arange(400) % 10 == 0, 100.0, 1.0) + X[:, 0]
    mean, median = (
        fm.TabularRegressor(loss=loss, validation_fraction=0, **FAST).fit(X, y).predict(X).mean()
        for loss in ("squared_error", "absolute_error")
    )
    assert mean > 8
    assert median < 4
    model = fm.TabularRegressor(loss="absolute_error", eval_metric="mae", **FAST).fit(X, y)
    assert model.network_.loss.name == "mae"


def test_the_score_of_a_mean_absolute_error() -> None:
    held = X[300:], 50 * X[300:, 0]
    model = fm.TabularRegressor(loss="absolute_error", **FAST)
    model.fit(X[:300], 50 * X[:300, 0], X_val=held[0], y_val=held[1])
    error = np.abs(model.predict(held[0]) - held[1]).mean()
    assert model.validation_score_ == pytest.approx(error, rel=1e-3)


@pytest.mark.filterwarnings("ignore::fastmlp.TableWarning")
def test_a_table_that_people_know(tables: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_csv(tables / "diamonds.csv.gz").sample(4000, random_state=0)
    y = frame.pop("price")
    model = fm.TabularRegressor(preset="fast", random_state=0).fit(frame[:3000], y[:3000])
    assert model.score(frame[3000:], y[3000:]) > 0.95


def test_tables_of_every_size() -> None:
    for rows in (X[:2], X[:7], X[:50, :1], np.tile(X[:60], (1, 300))):
        model = fm.TabularRegressor(**FAST).fit(rows, rows[:, 0])
        assert np.isfinite(model.predict(rows)).all()
