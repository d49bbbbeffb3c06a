"""What a user may say of a file, and what not."""

from __future__ import annotations

import re
from typing import Any

import pytest

from fastmlp.tables.options import ReadOptions


@pytest.mark.parametrize(
    ("given", "mark"),
    [("tab", "\t"), ("\\t", "\t"), ("semicolon", ";"), ("space", " "), ("|", "|"), (":", ":")],
)
def test_separators_have_names(given: str, mark: str) -> None:
    assert ReadOptions(separator=given).separator == mark


@pytest.mark.parametrize("given", ["?", ["?"], ("?", " ?")])
def test_missing_cells_are_texts(given: Any) -> None:
    assert ReadOptions(na_values=given).na_values == ("?",)
    assert ReadOptions(na_values=(-999, "x")).na_values == ("-999", "x")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"separator": "||"}, "separator must be one character"),
        ({"separator": '"'}, "separator must be one character"),
        ({"separator": "a"}, "separator must be one character"),
        ({"separator": "§"}, "separator must be one character"),
        ({"separator": ""}, "separator must be one character"),
        ({"decimal": ";"}, "decimal must be '.' or ',', got ';'"),
        ({"thousands": "00"}, "thousands must be one mark"),
        ({"thousands": "0"}, "thousands must be one mark"),
        ({"decimal": ",", "thousands": ","}, "decimal and thousands cannot both be ','"),
        ({"encoding": "utf-9"}, "encoding must be one that Python knows"),
        ({"encoding": "hex"}, "encoding must be one that Python knows"),
        ({"header": "no"}, "header must be True or False, got 'no'"),
        ({"na_values": None}, "na_values must be texts, got None"),
    ],
)
def test_what_cannot_be(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        ReadOptions(**options)
