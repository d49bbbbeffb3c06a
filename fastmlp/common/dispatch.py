"""Tables with a row for each kind of object, which name a row that is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn, TypeVar

Row = TypeVar("Row")


class DispatchTable(dict[type, Row]):
    """A row for each type.

    Parameters
    ----------
    name : str
        The table's name in its module.
    module : str
        ``__name__`` of that module.
    rows : mapping of type to row

    Attributes
    ----------
    place : str
        The table and its file, for errors.

    Raises
    ------
    TypeError
        From ``table[type]``, where the type has no row: it names the type, the table and the file.
    """

    def __init__(self, name: str, module: str, rows: Mapping[type, Row]) -> None:
        super().__init__(rows)
        self.place = f"{name} in {module.replace('.', '/')}.py"

    def __missing__(self, kind: type) -> NoReturn:
        raise TypeError(f"{kind.__name__} has no row in {self.place}; add one")
