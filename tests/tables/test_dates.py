"""Dates of a column, and what decides their order."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.tables.dates import DateFormat, find, say, values


def dates_of(*words: str, order: str = "", **options) -> tuple[list[str | None], list[str], str]:
    said = say(words, **options)
    found = find(said, np.ones(len(words)), **options)
    form = DateFormat(order, options.get("digits", False)) if order else found.formats[0]
    days = values(said, form)
    shown = [None if np.isnan(day) else str(np.datetime64(round(day * 86400), "s")) for day in days]
    return shown, [form.order for form in found.formats], found.decided


def test_the_whole_column_decides() -> None:
    shown, orders, decided = dates_of("01/02/2020", "13/02/2020")
    assert (orders, decided) == (["day first"], "day first")
    assert shown[0] == "2020-02-01T00:00:00"
    shown, orders, decided = dates_of("01/02/2020", "02/13/2020")
    assert (orders, decided) == (["month first"], "month first")
    assert shown[0] == "2020-01-02T00:00:00"
    shown, orders, _ = dates_of("20/01/05", "99/12/31")
    assert orders == ["year first"]
    assert shown == ["2020-01-05T00:00:00", "1999-12-31T00:00:00"]


def test_what_can_be_read_in_two_ways_is_found_so() -> None:
    assert dates_of("01/02/2020", "03/04/2021")[1] == ["day first", "month first"]
    assert dates_of("01.02.2020", "03.04.2021")[1:] == (["day first"], "day first")
    assert dates_of("2020-02-01")[1:] == (["day first"], "")


def test_the_fast_way_and_the_grammar_agree() -> None:
    fast = ["2020-02-29", "1969-12-31 23:59:59.5", "2024-07-01T12:30"]
    slow = [*fast, "1 Jan 2000"]
    assert say(fast).days is not None
    assert say(slow).days is None
    form = DateFormat()
    np.testing.assert_allclose(values(say(fast), form), values(say(slow), form)[:3], atol=1e-12)


def test_days_that_are_none() -> None:
    shown, _, _ = dates_of("2020-02-30", "2020-02-29", "2020-13-01", "0000-01-01")
    assert shown == [None, "2020-02-29T00:00:00", None, None]


def test_zones_are_taken_off() -> None:
    shown, _, _ = dates_of("2020-01-01T00:30:00+02:00", "2020-01-01T00:30:00Z")
    assert shown == ["2019-12-31T22:30:00", "2020-01-01T00:30:00"]


def test_weeks() -> None:
    shown, _, _ = dates_of("2024-W01", "2020-W53-5", "2020-W54")
    assert shown == ["2024-01-01T00:00:00", "2021-01-01T00:00:00", None]


def test_times_alone_are_parts_of_a_day() -> None:
    said = say(["06:00", "6 PM", "?"])
    found = find(said, np.ones(3))
    assert found.share == 1
    assert found.formats[0].clock
    np.testing.assert_array_equal(values(said, found.formats[0]), [0.25, 0.75, np.nan])


def test_digits_on_wish() -> None:
    assert dates_of("20240131", "20240201", digits=True)[0][0] == "2024-01-31T00:00:00"
    assert find(say(["20240131"]), np.ones(1)).share == 0


def test_names_are_no_dates() -> None:
    words = [f"name {i}" for i in range(5000)]
    assert find(say(words), np.ones(5000)).share == 0


def test_an_order_that_is_none() -> None:
    with pytest.raises(ValueError, match="have the order 'middle first'"):
        DateFormat("middle first")
