"""What was decided of a table, told with what decides otherwise for an estimator."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..common.warn import warn
from ..errors import TableWarning

if TYPE_CHECKING:
    from ..tables.notes import Note

# By the option of a note: what a user of estimators does in its place.
_OTHERWISE = {
    "categorical": "categorical_features=[{value!r}] decides otherwise",
    "numeric": "make numbers of the column before the fit where it holds some",
    "dates": "make dates of the column before the fit where it holds some",
    "keep": "make another column of it before the fit where it tells something",
    "drop": "leave it out of X otherwise",
    "group": "groups= of fit keeps them together",
    "test_last": "X_val= and y_val= of fit decide otherwise",
    "log_target": "sklearn.compose.TransformedTargetRegressor learns them",
    "task": "make numbers of the target before the fit where it holds some",
    "join_case": "write them alike before the fit where they are one",
}
_OTHERS = "make what it should be of it before the fit to decide otherwise"

__all__ = ["in_words", "tell"]


def in_words(note: Note) -> str:
    """The sentence, and what to do to have it otherwise."""
    if not note.option:
        return note.text
    return f"{note.text}; {_OTHERWISE.get(note.option, _OTHERS).format(value=note.value)}"


def tell(notes: Iterable[Note]) -> None:
    """Warn of each thing, once, at the line outside of the library that has led here."""
    for line in dict.fromkeys(map(in_words, notes)):
        warn(line, TableWarning)
