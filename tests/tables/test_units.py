"""What stands before and behind numbers."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.tables.units import factors, is_currency, singular, unit_of_column


@pytest.mark.parametrize("text", ["$", "\u20ac", "US$", "CHF", "kr.", "EUR"])
def test_money(text: str) -> None:
    assert is_currency(text)


@pytest.mark.parametrize("text", ["kg", "x", "%"])
def test_other_units(text: str) -> None:
    assert not is_currency(text)


def test_the_unit_of_one() -> None:
    assert [singular(unit) for unit in ("years", "lbs", "s", "ms", "kg")] == [
        *("year", "lb", "s", "ms", "kg")
    ]


@pytest.mark.parametrize(
    ("names", "sums", "unit"),
    [
        (["", "kg"], [1, 9], "kg"),
        (["", "O"], [99, 1], ""),
        (["", "%"], [60, 40], "%"),
        (["", "%"], [95, 5], ""),
        (["", "K"], [95, 5], "K, M, B"),
        (["", "K"], [0, 5], "K"),
        (["", "$K", "$M", "$"], [0, 5, 5, 5], "$ K, M, B"),
    ],
)
def test_the_unit_of_a_column(names: list[str], sums: list[int], unit: str) -> None:
    assert unit_of_column(names, np.array(sums, float), 0.9)[0] == unit


def test_factors() -> None:
    assert factors(["", "kg"], "kg") == [1, 1]
    found = factors(["", "$K", "$", "$bn", "K", "kg"], "$ K, M, B")
    np.testing.assert_equal(found, [1, 1e3, 1, 1e9, 1e3, np.nan])
