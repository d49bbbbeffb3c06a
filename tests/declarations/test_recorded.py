"""Digests in files are compared with those of the functions that are registered."""

from __future__ import annotations

import warnings

import pytest

from fastmlp.declarations.recorded import OtherFunctionError, check_function, reading_functions

OWN = ("cpython-311:ab", "source:cd")


@pytest.mark.parametrize("saved", [OWN, OWN[:1], ("cpython-311:00", OWN[1]), (OWN[0], "source:0")])
def test_one_digest_that_is_the_same_is_enough(saved: tuple[str, ...]) -> None:
    with warnings.catch_warnings(), reading_functions("m.file", True):
        warnings.simplefilter("error")
        check_function("activation", "bent", saved, OWN)


@pytest.mark.parametrize("saved", [("source:00",), ("cpython-311:00", "cpython-310:ab")])
def test_others_are_refused(saved: tuple[str, ...]) -> None:
    with pytest.raises(OtherFunctionError, match=r"fm.register_loss\('bent', ...\)$"):
        check_function("loss", "bent", saved, OWN)
    with (
        pytest.raises(OtherFunctionError, match="another function .* check_functions=False"),
        reading_functions("m.file", True),
    ):
        check_function("loss", "bent", saved, OWN)
    with reading_functions("m.file", False):
        check_function("loss", "bent", saved, OWN)


@pytest.mark.parametrize("saved", [(), ("cpython-310:ab",)])
def test_what_cannot_be_compared_is_told_once_for_a_file(saved: tuple[str, ...]) -> None:
    def read() -> None:
        with reading_functions("m.file", True):
            for name in ("bent", "flat", "bent"):
                check_function("activation", name, saved, OWN)

    with pytest.warns(UserWarning, match="m.file does not tell whether 'bent', 'flat' of") as told:
        read()
    assert len(told) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_function("activation", "bent", saved, OWN)
        with reading_functions("m.file", False):
            check_function("activation", "bent", saved, OWN)
