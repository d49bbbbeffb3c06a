"""The open tables as data frames."""

from __future__ import annotations

from functools import cache
from typing import Any

import pandas as pd

from fastmlp.peers.tabular.tables import Table

from ..shared.open_tables import Columned, open_tables

# So says the census.
_NOT_KNOWN = "?"


@cache
def tables() -> dict[str, Table]:
    """All that there are, the shortest first."""
    found = [framed(table) for table in open_tables()]
    return {table.name: table for table in sorted(found, key=lambda table: len(table.y))}


def framed(table: Columned) -> Table:
    """The same table as a data frame, with gaps where something is not known."""
    columns = dict(table.columns)
    y = columns.pop("target")
    X = pd.DataFrame({name: _series(values) for name, values in columns.items()})
    return Table.of(table.name.replace(" ", "_"), X, y, table.is_regression)


def _series(values: Any) -> Any:
    if values.dtype != object:
        return pd.Series(values)
    return pd.Series([None if value == _NOT_KNOWN else value for value in values])
