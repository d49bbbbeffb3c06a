"""Errors of the library, and of packages that are not installed."""

from __future__ import annotations

from fastmlp.errors import DivergenceError, ModelFileError, missing_extra


def test_own_errors_are_value_errors() -> None:
    assert issubclass(ModelFileError, ValueError)
    assert issubclass(DivergenceError, ValueError)


def test_missing_extra_says_what_to_install() -> None:
    error = missing_extra("matplotlib", "plot")
    assert type(error) is ImportError
    assert error.name == "matplotlib"
    assert "pip install 'fastmlp[plot]'" in str(error)
