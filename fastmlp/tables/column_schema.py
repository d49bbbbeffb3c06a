"""How one column of a table is understood, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from ..common.plain_fields import check_plain_fields
from .calendar import ORDERS

KINDS = ("number", "yes/no", "category", "date", "left out")

__all__ = ["KINDS", "ColumnSchema"]


@dataclass(frozen=True)
class ColumnSchema:
    """How one column is understood.

    Attributes
    ----------
    name : str
    kind : str
        ``"number"``, ``"yes/no"``, ``"category"``, ``"date"`` or ``"left out"``.
    missing, distinct : int
        Cells that are missing, and how many of the others are different.
    example : str
        One of its cells.
    becomes : str
        What the network reads of it, in words.
    reason : str
        Why it is left out, or a category.
    decimal, unit : str
        How numbers are written, see `fastmlp.tables.numbers.NumberFormat`.
    order, digits, clock
        How dates are written, see `fastmlp.tables.dates.DateFormat`.
    words : tuple of str
        What stands for no and for yes.
    limit : int
        The most categories that are told apart; all others count as one.
    join_case : bool
        Whether texts that differ by case alone are one category.
    na : tuple of str
        Texts that count as missing.
    whole : bool
        Whether categories are whole numbers, so that 7.0 is 7.
    """

    name: str
    kind: str
    missing: int = 0
    distinct: int = 0
    example: str = ""
    becomes: str = ""
    reason: str = ""
    decimal: str = "."
    unit: str = ""
    order: str = "day first"
    digits: bool = False
    clock: bool = False
    words: tuple[str, ...] = ()
    limit: int = 0
    join_case: bool = False
    na: tuple[str, ...] = ()
    whole: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"the column {self.name!r} is of the kind {self.kind!r}")
        check_plain_fields(self)
        if self.order not in ORDERS:
            raise ValueError(f"the column {self.name!r} has dates in the order {self.order!r}")
        if self.decimal not in (".", ","):
            raise ValueError(f"the column {self.name!r} has the decimal sign {self.decimal!r}")

    @property
    def is_used(self) -> bool:
        """Whether the network reads it."""
        return self.kind != "left out"

    def to_dict(self) -> dict[str, Any]:
        """The column as plain data, without what is as usual."""
        usual = {field.name: field.default for field in fields(self)}
        return {key: value for key, value in asdict(self).items() if value != usual[key]}

    @classmethod
    def from_dict(cls, description: Mapping[str, Any]) -> ColumnSchema:
        """Return the column that `to_dict` has described."""
        found: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in description.items()
        }
        return cls(**found)
