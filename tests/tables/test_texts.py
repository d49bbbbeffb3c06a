"""The words of a column, from Arrow and from arrays."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.tables.texts import (
    is_mark,
    joined,
    name_parts,
    truth_words,
    twins,
    words_of,
    words_of_numbers,
)

pa = pytest.importorskip("pyarrow")

CELLS = [" a", "b", None, "a", "", "B ", "  ", "b"]


def test_arrow_and_arrays_agree() -> None:
    for cells in (pa.chunked_array([CELLS[:3], CELLS[3:]], pa.string()), np.array(CELLS, object)):
        words = words_of(cells)
        assert words.words == ["a", "b", "B"]
        assert words.codes.tolist() == [0, 1, -1, 0, -1, 2, -1, 1]
        assert words.counts.tolist() == [2, 2, 1]
        assert words.n_missing == 3
        assert words.cells().tolist() == ["a", "b", "", "a", "", "B", "", "b"]
        assert words.first_row([2]) == 5
        assert words.n_cut > 0


def test_blanks_around_every_cell_are_not_told() -> None:
    for cells in (pa.chunked_array([[" a", " b", " a"]]), np.array([" a", " b"], object)):
        assert words_of(cells).n_cut == 0


def test_numbers_as_words() -> None:
    words = words_of_numbers(np.array([1.0, np.nan, 0.5, 1.0]))
    assert words.words == ["0.5", "1"]
    assert words.codes.tolist() == [1, -1, 0, 1]
    assert words_of_numbers(np.array([2, 10])).words == ["2", "10"]


def test_truth_words() -> None:
    assert truth_words(["Yes", "no", "NO"]) == ("no", "yes")
    assert truth_words(["T", "f", "?"]) == ("f", "t")
    assert truth_words(["ON", "off"]) == ("off", "on")
    for words in (["yes"], ["yes", "no", "maybe"], ["yes", "false"], ["1", "0"], []):
        assert truth_words(words) is None


def test_twins_are_joined_on_wish() -> None:
    assert twins(["Yes", "no", "yes", "NO", "x"]) == [("Yes", "yes"), ("no", "NO")]
    words = joined(words_of(np.array(["a", "B", "A", "b", "B", None], object)))
    assert words.words == ["a", "B"]
    assert words.codes.tolist() == [0, 1, 0, 1, 1, -1]


def test_marks_and_names() -> None:
    assert all(map(is_mark, ["?", "-", "n/a", "NaN", "#DIV/0!", "\\N", "None", "\u2013"]))
    assert not any(map(is_mark, ["0", "no", "x", "12O"]))
    assert name_parts("storeID") == {"store", "id"}
    assert name_parts("ZIP_code-2") == {"zip", "code", "2"}
