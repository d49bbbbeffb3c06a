"""Where a table begins, and what is its header."""

from __future__ import annotations

import pytest

from fastmlp.tables.titles import are_row_names, first_row, fits, names_columns

NUMBERS = [["1", "2", "x"], ["3", "4", "y"], ["5", "6", "x"]]


@pytest.mark.parametrize(
    ("above", "first"),
    [
        ([["a", "b", "c"]], 0),
        ([["A title"], ["a", "b", "c"]], 1),
        ([["A title", "", ""], ["by me", "", ""], ["a", "b", "c"]], 2),
        ([["A title", "", ""], ["", "", ""], ["a", "b", "c"]], 2),
        ([["Station", "Berlin"], ["a", "b", "c"]], 1),
        # Names of groups above the names of columns, and an index without a name.
        ([["size", "", "kind"], ["a", "b", "c"]], 1),
        ([["", "b", "c"]], 0),
        # Too short a header is for the parser to refuse.
        ([["a", "b"]], 0),
        ([["a", "b", "c", "d"]], 0),
        ([["a", "b", "c", ""]], 0),
        # A header of which but the first column has a name.
        ([["a", "", ""]], 0),
    ],
)
def test_the_first_row_of_the_table(above: list[list[str]], first: int) -> None:
    assert first_row([*above, *NUMBERS], 3, has_header=True) == first


def test_one_name_above_rows_that_end_with_separators() -> None:
    assert first_row([["a"], ["1", ""], ["2", ""]], 2, has_header=True) == 0
    assert first_row([["a"], ["0", "7"], ["1", "8"]], 2, has_header=True) == 0


def test_headers() -> None:
    assert names_columns(["a", "b", "c"], NUMBERS)
    assert not names_columns(["7", "8", "x"], NUMBERS)
    assert not names_columns(["u", "v"], [["x", "y"]])


def test_rows_and_their_names() -> None:
    assert fits(["1", "2", ""], 2)
    assert not fits(["1", "2", "3"], 2)
    assert are_row_names([["1", "x"], ["2", "x"]])
    assert are_row_names([["Mazda", "x"], ["Fiat", "x"]])
    assert not are_row_names([["1", "x"], ["4", "x"]])
    assert not are_row_names([["Fiat", "x"], ["Fiat", "x"]])
