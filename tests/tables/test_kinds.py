"""What a column could be, as far as it alone can tell, and how that is decided."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.tables.cells import column_of
from fastmlp.tables.kinds import decimal_sign, look_at, understood

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


def test_what_others_say_decides() -> None:
    cells = ["1.234", "5.678", "9.012", "2.345"]
    for sign, first in ((",", "."), (".", "."), ("", ".")):
        schema, notes = understood(look(cells), sign, "", 100, False)
        assert schema.decimal == (sign or first)
        assert bool(notes) == (sign == ",")
    dates = ["01/02/2020", "03/04/2020", "02/02/2020"]
    for order in ("day first", "month first"):
        assert understood(look(dates), "", order, 100, False)[0].order == order
