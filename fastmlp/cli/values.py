"""The values that options of the command line take, and the spellings of their names."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..common.checks import check_int, check_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def with_underscores(words: Sequence[str]) -> list[str]:
    """Return words with each long option in the one spelling that the parser knows."""
    result = []
    for word in words:
        name, equals, value = word.partition("=")
        if name.startswith("--"):
            name = "--" + name[2:].replace("-", "_")
        result.append(name + equals + value)
    return result


class Stored(argparse.Action):
    """Store a value, and note that it was given, though it may be the default."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        """Store it."""
        setattr(namespace, self.dest, values)
        note_given(namespace, self.dest)


def note_given(namespace: argparse.Namespace, name: str) -> None:
    """Add a name to ``namespace.given``."""
    namespace.given = {*getattr(namespace, "given", ()), name}


class Switch(argparse.Action):
    """An option without a value that has a counterpart: ``--x`` and ``--no_x``."""

    def __init__(self, option_strings: Sequence[str], dest: str, **settings: object) -> None:
        both = [*option_strings, *(f"--no_{name[2:]}" for name in option_strings)]
        super().__init__(both, dest, nargs=0, **settings)  # type: ignore[arg-type]

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        """Note which of the two was given."""
        setattr(namespace, self.dest, not (option_string or "").startswith("--no_"))
        note_given(namespace, self.dest)


def integer(low: int, high: int | None = None) -> Callable[[str], int]:
    """Return a parser of integers within bounds."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not an integer") from None
        try:
            check_number("value", check_int("value", value, low), low, high)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
        return value

    return parse


def number(low: float, high: float | None = None, **open_ends: bool) -> Callable[[str], float]:
    """Return a parser of finite numbers within bounds; see `common.checks.check_number`."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
        try:
            return check_number("value", value, low, high, **open_ends)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parse


def threads(text: str) -> int | str:
    """Parse a number of threads, or ``auto``."""
    return text if text == "auto" else integer(1)(text)


def stem(text: str) -> str:
    """Check a part of a file's name."""
    if not text or any(separator in text for separator in "/\\"):
        raise argparse.ArgumentTypeError(f"{text!r} cannot be part of a file name")
    return text
