"""Numbers as people write them, and what decides how those of a column are read."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fastmlp.tables.numbers import NumberFormat, find, plain, spell, value, values

pa = pytest.importorskip("pyarrow")

POINT, COMMA = NumberFormat("."), NumberFormat(",")

SPELLED = [
    ("12", POINT, 12),
    ("-0.5", POINT, -0.5),
    ("+7", POINT, 7),
    (".5", POINT, 0.5),
    ("3.", POINT, 3),
    ("1e5", POINT, 1e5),
    ("1.5E-3", POINT, 1.5e-3),
    ("\u22125", POINT, -5),
    ("\u20137.5", POINT, -7.5),
    ("5-", POINT, -5),
    ("(1,234.50)", POINT, -1234.5),
    ("1,234,567.8", POINT, 1234567.8),
    ("12,34,567", POINT, 1234567),
    ("1 234 567", POINT, 1234567),
    ("1\u00a0234.5", POINT, 1234.5),
    ("1\u202f234", POINT, 1234),
    ("1\u2009234", POINT, 1234),
    ("1'234.5", POINT, 1234.5),
    ("1\u2019234", POINT, 1234),
    ("1.234,5", COMMA, 1234.5),
    ("-0,36", COMMA, -0.36),
    ("1,5e3", COMMA, 1500),
    ("$1,234.50", NumberFormat(".", "$"), 1234.5),
    ("-$5", NumberFormat(".", "$"), -5),
    ("$-5", NumberFormat(".", "$"), -5),
    ("($3.00)", NumberFormat(".", "$"), -3),
    ("1.234,50 \u20ac", NumberFormat(",", "\u20ac"), 1234.5),
    ("EUR 12", NumberFormat(".", "EUR"), 12),
    ("5 USD", NumberFormat(".", "USD"), 5),
    ("12.5 %", NumberFormat(".", "%"), 12.5),
    ("12kg", NumberFormat(".", "kg"), 12),
    ("-3 \u00b0C", NumberFormat(".", "\u00b0C"), -3),
    ("inf", POINT, math.inf),
    ("-Infinity", POINT, -math.inf),
    ("\u221e", POINT, math.inf),
    ("'51.5", POINT, 51.5),
    ("1e400", POINT, math.inf),
    ("\u0661\u0662\u066b\u0665", POINT, 12.5),
    ("\uff11\uff12", POINT, 12),
    ("1.2K", NumberFormat(".", "K, M, B"), 1200),
    ("$3.5M", NumberFormat(".", "$ K, M, B"), 3.5e6),
    ("900", NumberFormat(".", "K, M, B"), 900),
    ("2 bn", NumberFormat(".", "K, M, B"), 2e9),
]


@pytest.mark.parametrize(("word", "form", "expected"), SPELLED)
def test_numbers_that_are_read(word: str, form: NumberFormat, expected: float) -> None:
    assert value(word, form) == pytest.approx(expected, rel=1e-15)


NONE = ["", "?", "12O", "1.2.3", "#DIV/0!", "\\N", "1_000", "12:30", "2020-01-01", "--5"]
NONE += ["1,23,4", "1,2345", "(5", "5)", "v1", "CUST01", "1 2", "e5", "0x10", "1-2", "-", "+", "."]
NONE += ["1,377e+02", "12M", "+-5", "(-5)", "nan", "Q1 2024", "1 234,5 6"]


@pytest.mark.parametrize("word", NONE)
def test_texts_that_are_none(word: str) -> None:
    assert math.isnan(value(word, POINT))


def test_no_thousands_stand_before_an_exponent() -> None:
    assert value("1,377e+02", COMMA) == pytest.approx(137.7)
    assert found("1,377e+02", "2,5e1", "7").decided == ","


@pytest.mark.parametrize(
    ("words", "unit"),
    [
        (["1.2K", "3K", "900"], "K, M, B"),
        (["1M", "5K", "2K"], "K, M, B"),
        (["$1.2B", "$30M", "$7"], "$ K, M, B"),
        (["3 mio.", "2 Tsd.", "7"], "K, M, B"),
        # One of many is all the same.
        (["1.5M", "2.5M"], "M"),
        (["12 m", "13", "14 m"], "m"),
        (["12 m", "3 k", "4 k"], "K, M, B"),
        (["$1M", "\u20ac5K", "$2M"], "$M"),
        # A slip.
        (["1M", *map(str, range(30))], ""),
    ],
)
def test_thousands_and_millions(words: list[str], unit: str) -> None:
    assert found(*words).formats[0].unit == unit


def found(*words: str, decimal: str | None = None):
    return find(spell(words), np.ones(len(words)), decimal)


def test_decimals_are_decided_by_the_whole_column() -> None:
    assert found("1,234", "12,345.5").formats == (POINT,)
    assert found("1,5", "1,234").formats == (COMMA,)
    assert found("1.234", "1.234.567").formats == (COMMA,)
    assert found("0.123", "1.234").formats == (POINT,)
    # Both readings do: the first is the usual one.
    assert found("1,234", "999").formats == (POINT, COMMA)
    assert found("1,234", decimal=",").formats == (COMMA,)
    assert found("1", "2").formats == (POINT,)
    assert found("1", "2").decided == ""
    assert found("1,5").decided == ","


def test_one_unit_is_no_matter_and_several_are() -> None:
    one = found("12 kg", "3 kg", "4")
    assert one.share == 1
    assert one.formats == (NumberFormat(".", "kg"),)
    two = found("12 kg", "3 lb", "5 kg", "7 lb")
    assert two.share == 0.5
    assert two.units == ("kg", "lb")
    assert found("$5", "\u20ac3").share == 0.5
    assert found("1 year", "3 years", "2 lb", "5 years").units == ("year", "lb")
    assert found("1 year", "3 years").formats == (NumberFormat(".", "year"),)
    assert found(*"123456789", "12O").formats == (POINT,)


def test_the_share_is_of_cells_that_say_something() -> None:
    assert found("1", "2", "?", "n/a", "-", "\\N").share == 1
    assert found("1", "2", "3", "x").share == 0.75
    weighted = find(spell(["1", "x"]), np.array([99, 1]))
    assert weighted.share == 0.99
    assert found("?", "NA").share == 0


def test_leading_zeros_are_codes() -> None:
    assert found("00501", "10001").zeros
    assert found("01", "1", "2").zeros
    assert not found("0", "0.5", "10").zeros
    one_slip = find(spell(["07", "8", "15"]), np.array([1, 500, 500]))
    assert not one_slip.zeros


def test_plain_numbers_take_the_fast_way() -> None:
    def fast(*cells: str | None):
        return plain(pa.chunked_array([pa.array(cells, pa.string())]))

    np.testing.assert_array_equal(fast("1", "-2.5e3", None), [1, -2500, np.nan])
    for slow in ("1,5", "$1", "nan", "inf", "007", "12345678901234567", " 1 x"):
        assert fast("1", slow) is None, slow
    assert fast("0", "0.5") is not None
    two = pa.chunked_array([pa.array(["1"]), pa.array(["8", "00501"]).slice(1)])
    assert plain(two) is None


def test_values_of_another_unit_are_none() -> None:
    read = values(spell(["5 kg", "5", "5 lb"]), NumberFormat(".", "kg"))
    np.testing.assert_array_equal(read, [5, 5, np.nan])
