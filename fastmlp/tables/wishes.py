"""What the user says of columns, by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..common.checks import unknown_name

LIMIT = 100
_OPTIONS = ("numeric", "categorical", "dates", "drop", "keep", "ids")

__all__ = ["LIMIT", "Wishes"]


@dataclass(frozen=True)
class Wishes:
    """What the user says of columns, by name.

    Attributes
    ----------
    numeric, categorical, dates : tuple of str
        Columns of these kinds, whatever they look like.
    drop : tuple of str
        Columns to leave out.
    keep : tuple of str
        Columns not to leave out, though they seem to name the rows.
    ids : tuple of str
        Columns that name the rows and are never learned from.
    group : str, optional
        The column that names groups of rows, never learned from.
    join_case : tuple of str
        Columns whose texts are the same where they differ by case alone.
    limit : int
        The most categories of a column that are told apart.
    """

    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    group: str | None = None
    join_case: tuple[str, ...] = ()
    limit: int = LIMIT

    def check(self, names: Iterable[str], target: str | None) -> None:
        """Refuse names that the table has not, and columns of which two things are said."""
        known = list(names)
        _check_known([*self._named(), *self.join_case], known)
        said: dict[str, str] = {}
        for option in _OPTIONS:
            for name in getattr(self, option):
                if name == target:
                    raise ValueError(
                        f"the target {name!r} is among the columns of --{_shown(option)}"
                    )
                if option != "keep" and name in said:
                    raise ValueError(
                        f"the column {name!r} is among those of --{_shown(said[name])} and of "
                        f"--{_shown(option)}; "
                        "take it off one of them"
                    )
                said.setdefault(name, option)
        if self.group is not None and self.group == target:
            raise ValueError(f"the target {target!r} cannot name the groups")
        if self.limit < 2:
            raise ValueError(f"the limit of categories must be 2 or more, got {self.limit}")

    def _named(self) -> list[str]:
        """All columns that are named, but for those of ``join_case``."""
        group = [] if self.group is None else [self.group]
        return [name for option in _OPTIONS for name in getattr(self, option)] + group

    def of(self, name: str) -> str:
        """Which kind is wished for a column; ``"keep"``, or an empty string."""
        for option in ("numeric", "categorical", "dates", "keep"):
            if name in getattr(self, option):
                return option
        return ""


def _check_known(names: Iterable[str], known: list[str]) -> None:
    """Refuse all names at once that no column has."""
    unknown = [name for name in dict.fromkeys(names) if name not in known]
    if len(unknown) == 1:
        raise unknown_name("column", unknown[0], known)
    if unknown:
        raise ValueError(
            f"the table has no columns {', '.join(map(repr, unknown))}; it has {', '.join(known)}"
        )


def _shown(option: str) -> str:
    """The name of an option on the command line."""
    return "id" if option == "ids" else option
