"""Fitted columns, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.tables.columns import (
    CategoryColumn,
    DateColumn,
    NumberColumn,
    YesNoColumn,
    fit_category,
    fit_date,
    fit_number,
    parts_of,
)


def matrix(column, values: np.ndarray) -> np.ndarray:
    out = np.empty((len(values), len(column.features)))
    column.write(values, out)
    return out


def days(*texts: str) -> np.ndarray:
    return np.array(texts, "M8[m]").astype(float) / 1440


def test_a_missing_number_is_the_median_and_says_so() -> None:
    column = fit_number(NumberColumn, "x", np.array([1.0, 2, 9, np.nan]))
    assert column == NumberColumn("x", 4.0, float(np.std([1, 2, 9])), 2.0, True)
    assert column.features == ("x", "x is missing")
    found = matrix(column, np.array([4.0, np.nan]))
    np.testing.assert_allclose(found, [[0, 0], [-2 / column.scale, 1]], rtol=1e-15)
    whole = fit_number(NumberColumn, "x", np.array([1.0, 2]))
    assert whole is not None
    assert whole.features == ("x",)


def test_numbers_far_from_all_others_are_squeezed() -> None:
    usual = np.random.default_rng(0).normal(5, 2, 2000)
    values = np.append(usual, [1e6, 1e6, -1e9])
    column = fit_number(NumberColumn, "x", values)
    assert column is not None
    assert column.mean == pytest.approx(5, abs=0.2)
    assert column.scale == pytest.approx(2, abs=0.2)
    found = matrix(column, values)[:, 0]
    assert np.abs(found).max() < 4 + np.log(1e9)
    assert (np.diff(found[np.argsort(values, kind="stable")]) >= 0).all()
    inner = np.abs(usual - column.mean) <= 4 * column.scale
    np.testing.assert_allclose(found[:2000][inner], ((usual - column.mean) / column.scale)[inner])
    assert found[2000] == pytest.approx(4 + np.log1p((1e6 - column.mean) / column.scale - 4))
    assert "log(1 + d /" in column.meanings[0]
    plain = fit_number(NumberColumn, "x", usual[np.abs(usual - 5) < 6])
    assert plain is not None
    assert plain.bound == 0
    rare = fit_number(NumberColumn, "x", np.append(np.zeros(1000), 1.0))
    assert rare is not None
    assert rare.scale > 0


def test_columns_that_say_nothing() -> None:
    assert fit_number(NumberColumn, "x", np.full(5, 3.0)) is None
    assert fit_number(NumberColumn, "x", np.full(5, np.nan)) is None
    assert fit_category("x", np.array(["a"] * 5, object), 10) is None
    # Which of them are missing is something.
    assert fit_number(YesNoColumn, "x", np.array([1.0, np.nan])) is not None
    assert fit_category("x", np.array(["a", ""], object), 10) is not None


def test_categories_the_frequent_ones_and_others() -> None:
    cells = np.array(["c"] * 3 + ["a"] * 2 + ["b", "d", ""], object)
    column = fit_category("k", cells, 3)
    assert column == CategoryColumn("k", ("", "a", "c"), True, ("b", "d"))
    assert column.features == ("k=(missing)", "k=a", "k=c", "k=(other)")
    found = matrix(column, np.array(["c", "b", "new", ""], object))
    np.testing.assert_array_equal(found, np.eye(4)[[2, 3, 3, 0]])
    assert column.unseen(np.array(["b", "new", ""], object)).tolist() == [False, True, False]
    all_of_them = fit_category("k", cells, 4)
    assert all_of_them is not None
    assert not all_of_them.other
    np.testing.assert_array_equal(matrix(all_of_them, np.array(["new"], object)), np.zeros((1, 5)))


def test_parts_of_dates_as_far_as_they_vary() -> None:
    daily = days("2020-01-01") + np.arange(400.0)
    assert parts_of(daily, clock=False) == ("elapsed", "month", "weekday")
    assert parts_of(daily + np.arange(400) % 24 / 24, clock=False)[-1] == "hour"
    monthly = days("2020-01-01", "2020-02-01", "2020-03-01", "2020-04-01")
    assert parts_of(monthly, clock=False) == ("elapsed", "month")
    weekly = days("2020-01-01") + 7 * np.arange(5.0)
    assert parts_of(weekly, clock=False) == ("elapsed",)
    assert parts_of(np.array([0.1, 0.5]), clock=True) == ("elapsed", "hour")


def test_what_a_date_becomes() -> None:
    parts = ("elapsed", "month", "weekday", "hour")
    column = DateColumn("t", parts, 10.0, 2.0, 0.0, True)
    assert len(column.features) == len(column.scaling) == len(column.meanings) == 8
    # A Monday in the new year, at six; the 182nd day of another year.
    found = matrix(column, np.concatenate([days("2024-01-01T06:00", "2023-07-02"), [np.nan]]))
    start = float(days("2024-01-01")[0])
    assert found[0, 0] == pytest.approx((start + 0.25 - 10) / 2)
    assert found[0, 1] == pytest.approx(np.sin(2 * np.pi * 0.25 / 365.2425))
    np.testing.assert_allclose(found[0, 3:7], [0, 1, 1, 0], atol=1e-12)
    assert found[1, 2] == pytest.approx(-1, abs=1e-3)
    np.testing.assert_allclose(found[1, 3:5], [np.sin(12 * np.pi / 7), np.cos(12 * np.pi / 7)])
    assert found[:, 7].tolist() == [0, 0, 1]
    fitted = fit_date("t", days("2020-01-01", "2020-01-02"), False)
    assert fitted is not None
    assert fitted.parts == ("elapsed", "weekday")


def test_raw_features_are_those_before_the_scaling() -> None:
    values = np.array([3.0, np.nan, 8])
    for column in (
        NumberColumn("x", 2.0, 4.0, 1.0, True),
        DateColumn("x", ("elapsed", "weekday"), 2.0, 4.0, 1.0, True),
    ):
        raw = np.empty((3, len(column.features)))
        column.write_raw(values, raw)
        mean, scale = np.array(column.scaling).T
        np.testing.assert_allclose(matrix(column, values), (raw - mean) / scale)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: NumberColumn("x", 0.0, 0.0, 0.0),
        lambda: NumberColumn(1, 0.0, 1.0, 0.0),
        lambda: NumberColumn("x", 0.0, 1.0, "a"),
        lambda: NumberColumn("x", 0.0, 1.0, 0.0, 1),
        lambda: DateColumn("x", ("hour", "month"), 0.0, 1.0, 0.0),
        lambda: DateColumn("x", (), 0.0, 1.0, 0.0),
        lambda: CategoryColumn("x", (1,)),
        lambda: CategoryColumn("x", ("a",), "yes"),
    ],
)
def test_columns_that_cannot_be(wrong) -> None:
    with pytest.raises((TypeError, ValueError)):
        wrong()
