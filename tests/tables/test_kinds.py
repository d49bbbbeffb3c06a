"""How a column is read is decided by its looks, and by the other columns."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.tables.cells import column_of
from fastmlp.tables.kinds import understood
from fastmlp.tables.looks import look_at

pytest.importorskip("pyarrow")
from fastmlp.tables.table import Table


def look(cells: list | np.ndarray, wish: str = "", decimal: str | None = None):
    return look_at("x", column_of(Table.of({"x": cells}), "x"), wish, decimal)


def test_what_others_say_decides() -> None:
    cells = ["1.234", "5.678", "9.012", "2.345"]
    for sign, first in ((",", "."), (".", "."), ("", ".")):
        schema, notes = understood(look(cells), sign, "", 100, False)
        assert schema.decimal == (sign or first)
        assert bool(notes) == (sign == ",")
    dates = ["01/02/2020", "03/04/2020", "02/02/2020"]
    for order in ("day first", "month first"):
        assert understood(look(dates), "", order, 100, False)[0].order == order
