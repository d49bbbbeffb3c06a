"""Activations of other libraries, by their names there: one table a library."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..declarations.activations import Activation, get_activation

Options = Mapping[str, Any]


class UnfitError(Exception):
    """The reason why a part of a network cannot be taken; its reader adds the part's name."""


@dataclass(frozen=True)
class Row:
    """An activation of another library, and the one that it is here.

    Attributes
    ----------
    name : str
        Of the activation here.
    arguments : mapping of str to object
        What the function there takes beside its input, with the defaults that it has there.
    parameter : str
        Which of the arguments is the parameter of the activation here.
    refuse : callable
        The reason why these arguments have no counterpart here; empty where they have one.
    """

    name: str
    arguments: Options = field(default_factory=dict)
    parameter: str = ""
    refuse: Callable[[Options], str] = lambda options: ""

    @property
    def is_rowwise(self) -> bool:
        """True where it needs whole rows."""
        return get_activation(self.name).is_rowwise


class ForeignActivations(Mapping[str, Row]):
    """The activations of a library that can be taken.

    Names are found in any spelling of upper case and underscores: ``LeakyReLU`` and ``leaky_relu``
    are one.

    Parameters
    ----------
    place : str
        Where the table stands, for errors.
    rows : mapping of str to Row
    """

    def __init__(self, place: str, rows: Mapping[str, Row]) -> None:
        self._place, self._rows = place, rows
        self._spellings = {_plain(name): row for name, row in rows.items()}

    def __getitem__(self, name: str) -> Row:
        return self._spellings[_plain(name)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __str__(self) -> str:
        return f"the activations {', '.join(self._rows)} ({self._place})"

    def take(self, name: str, options: Options) -> Activation:
        """Return the activation that a function of the library is.

        Parameters
        ----------
        name : str
        options : mapping of str to object
            Arguments other than those that the row has are passed over.

        Raises
        ------
        UnfitError
            There is no row for it, or its options have no counterpart.
        """
        if name not in self:
            raise UnfitError(f"{self._place} has no row for the activation {name}")
        row = self[name]
        options = {**row.arguments, **options}
        if why := row.refuse(options):
            raise UnfitError(why)
        found = get_activation(row.name)
        if not row.parameter:
            return found
        try:
            return found.with_parameter(float(options[row.parameter]))
        except ValueError as error:
            raise UnfitError(str(error)) from None


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
