"""Numbers and dates are told from names, for the sake of the header."""

from __future__ import annotations

import pytest

from fastmlp.tables.spelling import is_data, looks_like_data, spells


@pytest.mark.parametrize(
    "cell",
    [
        *("1", "-2.5", " 3e-7 ", "1,5", "1.234,50", "1,234.5", "$5", "5 €", "45%", "(12)", "+.5"),
        *("2024-01-31", "31.12.2024", "1/31/24", "2024-01-31 10:00", "10:30", "9:05 pm"),
    ],
)
def test_data(cell: str) -> None:
    assert is_data(cell)


@pytest.mark.parametrize("cell", ["", "a", "a1", "1a", "x-1", "12O", "1 thing", "Q1 2024", "-"])
def test_names(cell: str) -> None:
    assert not is_data(cell)


def test_columns_spell_by_most_of_their_cells() -> None:
    assert spells(["1", "?", "", "n/a", "2"])
    assert spells(["1"] * 9 + ["x"])
    assert not spells(["1"] * 8 + ["x"])
    assert not spells(["", "?"])


@pytest.mark.parametrize(
    ("header", "rows", "is_like"),
    [
        (["1.5", "u"], [["2.5", "u"], ["3.5", "v"]], True),
        (["a", "b"], [["1", "u"]], False),
        (["1.5", "b"], [["2", "3"]], False),
        (["red", "big"], [["blue", "small"], ["red", "big"]], True),
        (["color", "size"], [["blue", "small"], ["red", "big"]], False),
        (["country", "2019", "2020"], [["A", "1", "2"]], False),
        (["0", "1", "2"], [["5", "3", "4"]], False),
        (["5", "", "9"], [["5", "3", "4"]], True),
        (["1", "2.5"], [], True),
        (["a"], [], False),
    ],
)
def test_headers_that_look_like_data(
    header: list[str], rows: list[list[str]], is_like: bool
) -> None:
    assert looks_like_data(header, rows) is is_like
