"""Every column gets a name of its own, and none that is a mere count stays."""

from __future__ import annotations

from typing import Any

import pytest

pa = pytest.importorskip("pyarrow")

from fastmlp.tables.headers import name_columns, numbered  # noqa: E402


def columns(*cells: list[Any]) -> list[Any]:
    return [pa.chunked_array([pa.array(column)]) for column in cells]


def test_equal_names_are_numbered() -> None:
    assert numbered(["a", "b", "a", "a"]) == ["a", "b", "a.1", "a.2"]
    assert numbered(["a", "a", "a.1"]) == ["a", "a.2", "a.1"]
    assert numbered(["a.1", "a", "a"]) == ["a.1", "a", "a.2"]


@pytest.mark.parametrize(
    ("header", "cells", "names", "aside", "told"),
    [
        ([" a ", "b"], [["1"], ["2"]], ["a", "b"], [], []),
        (["", "a"], [["0", "1"], ["x", "y"]], ["a"], ["Unnamed: 0"], ["counts the rows"]),
        (["", "a"], [["1", "2"], ["x", "y"]], ["a"], ["Unnamed: 0"], ["counts the rows"]),
        (["Unnamed: 0", "a"], [[0, 1], [7, 8]], ["a"], ["Unnamed: 0"], ["counts the rows"]),
        (["a", "__index_level_0__"], [[7], [0]], ["a"], ["__index_level_0__"], ["counts"]),
        (["id", "a"], [["0", "1"], ["x", "y"]], ["id", "a"], [], []),
        (["", "a"], [["0", "2"], ["x", "y"]], ["Unnamed: 0", "a"], [], ["is called 'Unnamed: 0'"]),
        (["", "a"], [["1", None], ["x", "y"]], ["Unnamed: 0", "a"], [], ["is called"]),
        (["", "a"], [["0", "x", "2"], ["x"] * 3], ["Unnamed: 0", "a"], [], ["is called"]),
        (["a", "", ""], [["1"], [None], [None]], ["a"], [], ["the last 2 columns"]),
        (
            ["", "a", "", "b"],
            [[None], ["1"], [None], ["2"]],
            ["a", "b"],
            [],
            ["2 columns, without"],
        ),
        (["", "a"], [[None], ["1"]], ["a"], [], ["a column, without a name or a cell, is"]),
        (
            ["a", "", "b", ""],
            [["1"], ["x"], ["2"], [None]],
            ["a", "Unnamed: 1", "b"],
            [],
            ["the last column", "called"],
        ),
        (["a", ""], [["1"], ["2"]], ["a", "Unnamed: 1"], [], ["called 'Unnamed: 1'"]),
        (["a", "a"], [["1"], ["2"]], ["a", "a.1"], [], ["the later ones are called 'a.1'"]),
        (["", ""], [["0"], ["0"]], ["Unnamed: 1"], ["Unnamed: 0"], ["counts", "Unnamed: 1"]),
        ([""], [["0"]], ["Unnamed: 0"], [], ["is called"]),
    ],
)
def test_names(
    header: list[str], cells: list[list[Any]], names: list[str], aside: list[str], told: list[str]
) -> None:
    found, set_aside, notes = name_columns(header, columns(*cells))
    assert list(found) == names
    assert list(set_aside) == aside
    assert len(notes) == len(told)
    for note, words in zip(notes, told, strict=True):
        assert words in note.text
    assert [note.value for note in notes if note.option == "keep"] == aside
