"""How one column is understood, as plain data."""

from __future__ import annotations

import pytest

from fastmlp.tables.column_schema import KINDS, ColumnSchema


@pytest.mark.parametrize("kind", KINDS)
def test_plain_data_and_back(kind: str) -> None:
    column = ColumnSchema("x", kind, 2, 5, "a", words=("no", "yes"), na=("NA",), limit=7)
    described = column.to_dict()
    assert described["words"] == ("no", "yes")
    described["words"] = ["no", "yes"]
    assert ColumnSchema.from_dict(described) == column
    assert column.is_used == (kind != "left out")
