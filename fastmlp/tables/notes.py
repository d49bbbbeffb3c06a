"""What a person would want to know of how a table was read and understood."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from ..common.plain_fields import check_plain_fields
from ..common.warn import warn
from ..errors import TableWarning


@dataclass(frozen=True)
class Note:
    """One thing that was decided, and the option that decides otherwise.

    Attributes
    ----------
    text : str
        A sentence without its stop, which names the column, the count and an example.
    option : str
        An argument of `read_table` or `infer_schema`, such as ``"categorical"``; empty where
        nothing can be decided.
    value : str
        What to give there, such as a column's name.
    column : str
        The column that it is about; empty where it is about the whole table.
    count : int
        How many cells, rows or columns it is about.
    """

    text: str
    option: str = ""
    value: str = ""
    column: str = ""
    count: int = 0

    def __post_init__(self) -> None:
        check_plain_fields(self)

    def in_python(self) -> str:
        """The sentence with the argument of a function."""
        if self.option in _OF_TRAINING:
            return f"{self.text}; {self._words()} of fastmlp train decides otherwise"
        if not self.option:
            return self.text
        # Columns come as lists, all else as it is.
        value = repr([self.value] if self.option in _LISTS else self.value)
        return f"{self.text}; {self.option}={_SWITCHES.get(self.option, value)} decides otherwise"

    def in_shell(self) -> str:
        """The sentence with an option of the command line."""
        return f"{self.text}; {self._words()} decides otherwise" if self.option else self.text

    def _words(self) -> str:
        """The option as the command line takes it."""
        words = _SHELL.get(self.option, f"--{self.option.replace('_', '-')}")
        if self.value and self.option not in _SHELL:
            words += f" {_quoted(self.value)}"
        return words


_LISTS = ("numeric", "categorical", "dates", "drop", "keep", "join_case", "na_values")
# Decided by what trains, not by what reads or understands a table.
_OF_TRAINING = ("log_target", "test_last", "group")
# Arguments that are switches.
_SWITCHES = {"header": "False"}
_SHELL = {"header": "--no-header"}


def tell(notes: Iterable[Note]) -> None:
    """Warn of each at the line outside of the library that has led here."""
    for note in notes:
        warn(note.in_python(), TableWarning)


def _quoted(value: str) -> str:
    plain = value.replace("_", "").replace("-", "").replace(".", "").isalnum()
    quoted = shlex.quote(value)
    return value if plain else f"'{value}'" if quoted == value else quoted
