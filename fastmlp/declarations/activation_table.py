"""Tables from activations to what one reader of declarations makes of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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
    derive : callable, optional
        Makes the row of an activation that has none of the formula that it declares, or returns
        None where it cannot.
    """

    def __init__(
        self,
        use: str,
        place: str,
        rows: Mapping[str, Row],
        derive: Callable[[Activation], Row | None] = lambda activation: None,
    ) -> None:
        self._use, self._place, self._rows, self._derive = use, place, rows, derive

    def __getitem__(self, name: str) -> Row:
        return self._rows[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, activation: Activation, hint: str = "") -> Row:
        """Return the row of an activation, or the one that follows from its formula.

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
        if name in self._rows:
            return self._rows[name]
        derived = self._derive(activation)
        if derived is None:
            raise ValueError(
                f"activation {name!r} cannot be {self._use}: {self._place} has no row for it, only "
                f"for {', '.join(self._rows)}, and none follows from its formula{hint}"
            )
        return derived
