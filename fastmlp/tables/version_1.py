"""Preparations as version 1 has described them, in the terms of today's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .column_schema import ColumnSchema
from .schema import Schema

# What counted as missing in every column.
_MISSING = (
    "#N/A",
    "#N/A N/A",
    "#NA",
    "-1.#IND",
    "-1.#QNAN",
    "-NaN",
    "-nan",
    "1.#IND",
    "1.#QNAN",
    "<NA>",
    "N/A",
    "NA",
    "NULL",
    "NaN",
    "None",
    "n/a",
    "nan",
    "null",
)
_KINDS = {"number": "number", "boolean": "yes/no", "date": "date", "category": "category"}

__all__ = ["from_version_1"]


def from_version_1(description: Mapping[str, Any]) -> dict[str, Any]:
    """Return a description of version 2 that makes the same features."""
    columns = [_column(column) for column in description["columns"]]
    schema = [ColumnSchema(c["name"], c["kind"], na=_MISSING) for c in columns]
    return {
        "columns": columns,
        "constant": description["constant"],
        "target": description["target"],
        "schema": Schema(tuple(schema)).to_dict(),
    }


def _column(column: Mapping[str, Any]) -> dict[str, Any]:
    name, kind = column["name"], _KINDS[column["kind"]]
    if kind == "category":
        return {"name": name, "kind": kind, "categories": column["categories"]}
    # A missing number counted as the mean.
    found = {"name": name, "kind": kind, "mean": column["mean"], "scale": column["scale"]}
    found["fill"] = column["mean"]
    return found | ({"parts": ["elapsed"]} if kind == "date" else {})
