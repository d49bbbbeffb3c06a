"""What a user may say of how a file is written; all else is found out."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from dataclasses import dataclass

_NAMES = {"\\t": "\t", "tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}
_FORBIDDEN = "\"'\\\r\n\0"


@dataclass(frozen=True)
class ReadOptions:
    r"""The arguments of `read_table`, checked; None is for what shall be found out.

    Attributes
    ----------
    separator : str or None
        One character, or its name: tab (also ``\t``), comma, semicolon, pipe, space. A space
        stands for runs of blanks and tabs where the lines are written with such.
    decimal, thousands : str or None
        The marks within numbers; nothing is read differently for them, the table carries them.
    encoding : str or None
        What Python calls it.
    header : bool
        Whether the first row names the columns.
    na_values : tuple of str
        Cells that are missing besides empty ones, blanks around them aside.

    Raises
    ------
    ValueError
        One of them cannot be, or two are the same.
    """

    separator: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    encoding: str | None = None
    header: bool = True
    na_values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.separator is not None:
            separator = _NAMES.get(self.separator, self.separator)
            if not _is_mark(separator) or separator in _FORBIDDEN or separator.isalnum():
                raise ValueError(
                    f"separator must be one character such as ',' or ';', or one of "
                    f"{sorted(_NAMES)[1:]}, got {self.separator!r}"
                )
            object.__setattr__(self, "separator", separator)
        if self.decimal not in (None, ".", ","):
            raise ValueError(f"decimal must be '.' or ',', got {self.decimal!r}")
        if self.thousands is not None and (
            not _is_mark(self.thousands) or self.thousands.isalnum()
        ):
            raise ValueError(f"thousands must be one mark such as ',', got {self.thousands!r}")
        if self.decimal is not None and self.decimal == self.thousands:
            raise ValueError(f"decimal and thousands cannot both be {self.decimal!r}")
        if self.encoding is not None:
            try:
                codecs.lookup(self.encoding)
                "".encode(self.encoding)
            except (LookupError, UnicodeError, ValueError) as error:
                raise ValueError(
                    f"encoding must be one that Python knows, such as 'utf-8' or 'cp1252', "
                    f"got {self.encoding!r}"
                ) from error
        if self.header not in (True, False):
            raise ValueError(f"header must be True or False, got {self.header!r}")
        object.__setattr__(self, "na_values", _texts(self.na_values))

    def given(self) -> list[str]:
        """The names of the options that say something of delimited text."""
        named = {"separator": self.separator, "encoding": self.encoding}
        return [name for name, value in named.items() if value is not None]


def _is_mark(text: object) -> bool:
    # One byte in UTF-8, which is what the parser splits at.
    return isinstance(text, str) and len(text) == 1 and text.isascii()


def _texts(values: object) -> tuple[str, ...]:
    if isinstance(values, (str, int, float)):
        values = (values,)
    if not isinstance(values, Iterable):
        raise ValueError(f"na_values must be texts, got {values!r}")
    return tuple(dict.fromkeys(str(value).strip() for value in values))
