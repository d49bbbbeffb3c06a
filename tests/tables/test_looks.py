"""What a column could be, as far as it alone can tell."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.tables.cells import column_of
from fastmlp.tables.looks import decimal_sign, empty, example_of, look_at

pytest.importorskip("pyarrow")
from fastmlp.tables.table import Table


def look(cells: list | np.ndarray, wish: str = "", decimal: str | None = None):
    return look_at("x", column_of(Table.of({"x": cells}), "x"), wish, decimal)


def test_a_look_at_cells() -> None:
    assert look(["1", "2"]).kind == "number"
    assert look(["yes", "no"]).kind == "yes/no"
    assert look(["1", "x"]).kind == "category"
    assert look(["1", "x"], "numeric").kind == "number"
    assert look(["1", "2"], "categorical").kind == "category"
    assert look(["20200101"], "dates").kind == "date"
    assert look(["2020-01-01"]).kind == "date"
    assert look(["", ""]).kind == "left out"
    assert look(np.array([1.0, 2])).kind == "number"


def test_the_sign_that_a_column_leaves_no_doubt_of() -> None:
    assert decimal_sign(look(["0.5", "1"])) == "."
    assert decimal_sign(look(["1,5", "1"])) == ","
    for cells in (["1", "2"], ["1.234", "5.678"], ["1,234"], ["a"], np.array([0.5])):
        assert decimal_sign(look(cells)) == ""


def test_empty_columns() -> None:
    schema, (note,) = empty(look(["?", ""]))
    assert (schema.kind, schema.missing) == ("left out", 2)
    assert note.text == "the column 'x' is empty but for cells such as '?', and left out"
    assert empty(look(["", ""]))[1][0].text == "the column 'x' is empty, and left out"
    schema, (note,) = empty(look(["u", "v"], "numeric"))
    assert note.in_shell() == (
        "the column 'x' holds no numbers, but cells such as 'u', and is left out; --categorical x "
        "decides otherwise"
    )


@pytest.mark.parametrize(
    ("cells", "example"),
    [(["", "b"], "b"), (["1.50", "2"], "1.50"), (np.array([0.5, 2]), "0.5"), ([None, None], "")],
)
def test_examples(cells: list, example: str) -> None:
    assert example_of(look(cells).column) == example
