"""What single texts say as dates and times."""

from __future__ import annotations

import pytest

from fastmlp.tables.calendar import parse

DATES = [
    ("2024-01-31", (2024, 1, 31)),
    ("2024/1/31", (2024, 1, 31)),
    ("2024.01.31", (2024, 1, 31)),
    ("2024-05", (2024, 5, 1)),
    ("05/2024", (2024, 5, 1)),
    ("2024-Q3", (2024, 7, 1)),
    ("Q4 2023", (2023, 10, 1)),
    ("31 January 2024", (2024, 1, 31)),
    ("31-Jan-24", (2024, 1, 31)),
    ("Jan 31, 2024", (2024, 1, 31)),
    ("January 31st, 1999", (1999, 1, 31)),
    ("March 2024", (2024, 3, 1)),
    ("May-24", (2024, 5, 1)),
    ("2024-Feb-03", (2024, 2, 3)),
    ("Wed, 31 Jan 2024", (2024, 1, 31)),
    ("5. M\u00e4rz 2024", (2024, 3, 5)),
    ("12 d\u00e9cembre 2024", (2024, 12, 12)),
    ("3 enero 2024", (2024, 1, 3)),
    ("1 januari 2021", (2021, 1, 1)),
    ("3 mrt 2021", (2021, 3, 3)),
    ("5 fevereiro de 2021", (2021, 2, 5)),
    ("1 de mayo de 2021", (2021, 5, 1)),
    ("17 pa\u017adziernika 2021", (2021, 10, 17)),
    ("2020 05 17", (2020, 5, 17)),
    ("2020\u5e745\u670817\u65e5", (2020, 5, 17)),
    ("Sat Oct 11 17:13:46 UTC 2003", (2003, 10, 11)),
    ("Mon Jan  1 00:00:00 2024", (2024, 1, 1)),
    ("[31/Jan/2024:13:55:36 +0000]", (2024, 1, 31)),
    ("31-Jan-68", (2068, 1, 31)),
    ("31-Jan-69", (1969, 1, 31)),
]


@pytest.mark.parametrize(("word", "numbers"), DATES)
def test_dates_that_tell_their_order(word: str, numbers: tuple[int, int, int]) -> None:
    moment = parse(word)
    assert moment is not None
    assert moment.ordered
    assert moment.numbers == numbers


@pytest.mark.parametrize("word", ["01/02/2024", "1.2.24", "1. 2. 2024", "01-02-2024", "31/12/99"])
def test_dates_of_numbers_do_not_tell_it(word: str) -> None:
    moment = parse(word)
    assert moment is not None
    assert not moment.ordered


TIMES = [
    ("13:45", 13.75),
    ("1:45 PM", 13.75),
    ("12 AM", 0),
    ("12:30 pm", 12.5),
    ("3 p.m.", 15),
    ("24:00", 24),
    ("06:00:36", 6.01),
    ("06:00:36.5", 6 + 36.5 / 3600),
    ("10:30Z", 10.5),
    ("10:30+02:00", 8.5),
    ("10:30 -0530", 16),
    ("10:30 CET", 9.5),
]


@pytest.mark.parametrize(("word", "hours"), TIMES)
def test_times(word: str, hours: float) -> None:
    moment = parse(word)
    assert moment is not None
    assert moment.numbers is None
    assert moment.seconds == pytest.approx(3600 * hours)
    dated = parse(f"2024-01-31T{word}" if word[1] != " " else f"2024-01-31 {word}")
    assert dated is not None
    assert (dated.numbers, dated.seconds) == ((2024, 1, 31), moment.seconds)


NONE = [
    "",
    "abc",
    "1/2",
    "may 5",
    "mixed 20",
    "25:00",
    "12:60",
    "13 PM",
    "v1.2.3",
    "1-2",
    "12",
    "2024",
]
NONE += ["20240131", "Jan", "10:30 XYZ", "2024-01-31Tnoon", "5 Foo 2024", "1.5", "CUST-01-2024"]


@pytest.mark.parametrize("word", NONE)
def test_texts_that_are_none(word: str) -> None:
    assert parse(word) is None


def test_digits_alone_are_dates_on_wish_only() -> None:
    for word, numbers in (
        ("20240131", (2024, 1, 31)),
        ("202405", (2024, 5, 1)),
        ("2024", (2024, 1, 1)),
        ("20240131123000", (2024, 1, 31)),
    ):
        assert parse(word) is None
        moment = parse(word, digits=True)
        assert moment is not None
        assert moment.numbers == numbers
    assert parse("20240131T120000Z") is not None
