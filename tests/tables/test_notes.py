"""Notes on a table, in words for Python and for the command line."""

from __future__ import annotations

import warnings

import fastmlp as fm
from fastmlp.tables.notes import Note, tell


def test_the_option_is_named_as_it_is_given() -> None:
    note = Note("the column 'a b' holds texts", option="numeric", value="a b", column="a b")
    assert note.in_python() == ("the column 'a b' holds texts; numeric=['a b'] decides otherwise")
    assert note.in_shell() == "the column 'a b' holds texts; --numeric 'a b' decides otherwise"
    assert Note("x", option="header").in_python() == "x; header=False decides otherwise"
    assert Note("x", option="header").in_shell() == "x; --no-header decides otherwise"
    assert Note("x", option="join_case", value="a").in_python() == (
        "x; join_case=['a'] decides otherwise"
    )
    found = Note("x", option="na_values", value="?")
    assert found.in_python() == "x; na_values=['?'] decides otherwise"
    assert found.in_shell() == "x; --na-values '?' decides otherwise"
    assert Note("x", option="separator", value=";").in_python() == (
        "x; separator=';' decides otherwise"
    )
    of_training = Note("x", option="test_last")
    assert of_training.in_python() == "x; --test-last of fastmlp train decides otherwise"
    assert of_training.in_shell() == "x; --test-last decides otherwise"
    assert Note("nothing to decide").in_shell() == "nothing to decide"


def test_each_is_one_warning_at_the_line_of_the_caller() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tell([Note("one"), Note("two", option="drop", value="a")])
    assert [str(warning.message) for warning in caught] == [
        "one",
        "two; drop=['a'] decides otherwise",
    ]
    assert {warning.category for warning in caught} == {fm.TableWarning}
    assert {warning.filename for warning in caught} == {__file__}
