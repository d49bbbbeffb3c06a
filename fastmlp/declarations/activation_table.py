"""Tables from activations to what one reader of declarations makes of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from .activations import Activation
from .custom import CustomActivation

Row = TypeVar("Row")


class ActivationTable(Mapping[str, Row]):
    """The rows of an exporter, by the name of the activation that each writes.

    Parameters
    ----------
    use : str
        For errors, after "cannot be": "written as C".
    place : str
        Where the table stands, for errors.
    rows : mapping of str to Row
    """

    def __init__(self, use: str, place: str, rows: Mapping[str, Row]) -> None:
        self._use, self._place, self._rows = use, place, rows

    def __getitem__(self, name: str) -> Row:
        return self._rows[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, activation: Activation, hint: str = "") -> Row:
        """Return the row of an activation.

        Raises
        ------
        ValueError
            There is none; the message names the activation and the table, and ends in `hint`.
        """
        name = activation.name
        if isinstance(activation, CustomActivation):
            raise ValueError(
                f"activation {name!r} is a registered Python function, which cannot be "
                f"{self._use}; use one of fastmlp's own activations{hint}"
            )
        if name not in self._rows:
            raise ValueError(
                f"activation {name!r} cannot be {self._use}: {self._place} has no row for it, only "
                f"for {', '.join(self._rows)}{hint}"
            )
        return self._rows[name]
