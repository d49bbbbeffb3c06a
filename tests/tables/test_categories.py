"""Columns of categories, and what is told of them."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.tables.categories import category_of, codes_of
from fastmlp.tables.cells import column_of
from fastmlp.tables.looks import look_at

pytest.importorskip("pyarrow")
from fastmlp.tables.table import Table


def look(cells: list | np.ndarray, wish: str = "", decimal: str | None = None):
    return look_at("x", column_of(Table.of({"x": cells}), "x"), wish, decimal)


def told(notes: list) -> str:
    return "\n".join(note.in_shell() for note in notes)


def test_texts() -> None:
    schema, notes = category_of(look(["u", "v", "v", "NA"] * 5), 100, False)
    assert (schema.kind, schema.distinct, schema.limit) == ("category", 2, 100)
    assert told(notes).startswith("the column 'x': 5 of 20 cells count as missing, such as 'NA'")
    assert category_of(look(["u", "v", "v", "NA"] * 5, "categorical"), 100, False)[1] == []


def test_texts_that_name_rows() -> None:
    names = [f"r{n}" for n in range(20)]
    schema, notes = category_of(look(names), 100, False)
    assert schema.kind == "left out"
    assert "names the rows: 20 different texts in 20 rows" in told(notes)
    assert category_of(look(names, "keep"), 100, False)[0].kind == "category"


def test_texts_that_differ_by_case() -> None:
    found = look(["u", "U", "v"] * 5)
    assert "differ by case alone: 'u', 'U'; --join-case x" in told(category_of(found, 9, False)[1])
    schema, notes = category_of(found, 9, True)
    assert schema.join_case
    assert notes == []


def test_many_texts() -> None:
    notes = category_of(look([f"r{n}" for n in range(20)] * 2), 10, False)[1]
    assert "20 different texts: the 9 most frequent are told apart" in told(notes)


def test_numbers_that_are_read_as_texts() -> None:
    cells = [*("1.5", "2.5", "7") * 5, *["red"] * 5]
    assert "read as texts, for only 75% of its cells are numbers; --numeric x" in told(
        category_of(look(cells), 100, False)[1]
    )
    assert "leading zeros, such as '007'" in told(
        category_of(look(["007", "12"] * 9), 100, False)[1]
    )
    assert "several units ('kg', 'lb')" in told(
        category_of(look(["1 kg", "1 kg", "2 lb"] * 9), 100, False)[1]
    )


def test_codes() -> None:
    found = look(["101", "707", "-"] * 9)
    schema, notes = codes_of(found, category_of(found, 100, False)[0], 100)
    assert schema.whole
    assert "-" in schema.na
    assert "taken for codes, not for sizes; --numeric x" in told(notes)
    assert "9 of 27 cells count as missing, such as '-'" in told(notes)
