"""A table says which row is missing, and where."""

from __future__ import annotations

import pytest

from fastmlp.common.dispatch import DispatchTable


def test_a_table_says_where_a_row_is_missing() -> None:
    table = DispatchTable("TABLE", "fastmlp.some.module", {int: 1})
    assert table[int] == 1
    with pytest.raises(TypeError, match=r"str has no row in TABLE in fastmlp/some/module.py"):
        table[str]
