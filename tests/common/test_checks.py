"""Checks of single arguments: the plain value comes back, or one error that says what is wrong."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from fastmlp.common.checks import (
    check_bool,
    check_int,
    check_number,
    check_positive_int,
    check_texts,
    find_name,
    unknown_name,
)


def test_unknown_name_gives_the_closest_in_its_own_spelling() -> None:
    error = unknown_name("activation", "RLEU", ["elu", "relu", "tanh"])
    assert isinstance(error, ValueError)
    assert str(error) == ("unknown activation 'RLEU'; did you mean 'relu'? known: elu, relu, tanh")
    assert "did you mean 'Dense'?" in str(unknown_name("layer", "dence", ["Dense", "Dropout"]))


def test_unknown_name_without_a_close_one() -> None:
    assert str(unknown_name("loss", "zzz", ["mse", "mae"])) == "unknown loss 'zzz'; known: mse, mae"


def test_find_name() -> None:
    assert find_name("merge", "CONCAT", ("concat", "add")) == "concat"
    with pytest.raises(ValueError, match="unknown merge 'ad'; did you mean 'add'"):
        find_name("merge", "ad", ("concat", "add"))
    with pytest.raises(TypeError, match=r"merge must be a name, got 3 \(int\)"):
        find_name("merge", 3, ("concat", "add"))


@pytest.mark.parametrize("value", [1, 1.0, np.float32(1), np.int64(1), np.float64(1), Fraction(1)])
def test_numbers_come_back_as_floats(value: Any) -> None:
    number = check_number("rate", value)
    assert type(number) is float
    assert number == 1.0


@pytest.mark.parametrize("value", [True, np.True_, "1", None, 1j, [1.0], np.ones(1), np.array(1.0)])
def test_what_is_no_number(value: Any) -> None:
    with pytest.raises(TypeError, match="rate must be a number, got "):
        check_number("rate", value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 10**400])
def test_numbers_must_be_finite(value: Any) -> None:
    with pytest.raises(ValueError, match="rate must be a finite number, got "):
        check_number("rate", value)


@pytest.mark.parametrize(
    ("value", "bounds", "message"),
    [
        (-1, {"low": 0}, "must be a finite number >= 0, got -1"),
        (0, {"low": 0, "open_low": True}, "must be a finite number > 0, got 0"),
        (2, {"high": 1}, "must be a finite number <= 1, got 2"),
        (1, {"high": 1, "open_high": True}, "must be a finite number < 1, got 1"),
        (1, {"low": 0, "high": 1, "open_high": True}, "must be a finite number in [0, 1), got 1"),
        (0, {"low": 0, "high": 1, "open_low": True}, "must be a finite number in (0, 1], got 0"),
    ],
)
def test_bounds(value: float, bounds: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=r"^rate ") as caught:
        check_number("rate", value, **bounds)
    assert str(caught.value) == f"rate {message}"


def test_closed_bounds_are_allowed() -> None:
    assert check_number("rate", 0, 0, 1) == 0.0
    assert check_number("rate", 1, 0, 1) == 1.0


def test_integers() -> None:
    for value in (3, np.int8(3), np.uint64(3)):
        checked = check_positive_int("units", value)
        assert type(checked) is int
        assert checked == 3
    assert check_int("patience", 0, 0) == 0
    with pytest.raises(ValueError, match=r"^units must be an integer >= 1, got 0$"):
        check_positive_int("units", 0)
    with pytest.raises(ValueError, match=r"^patience must be an integer >= 0, got -1$"):
        check_int("patience", -1, 0)


@pytest.mark.parametrize("value", [3.0, True, np.True_, "3", None])
def test_what_is_no_integer(value: Any) -> None:
    with pytest.raises(TypeError, match="units must be an integer, got "):
        check_positive_int("units", value)


def test_booleans() -> None:
    assert check_bool("shuffle", np.False_) is False
    assert check_bool("shuffle", True) is True
    with pytest.raises(TypeError, match=r"shuffle must be True or False, got 1 \(int\)"):
        check_bool("shuffle", 1)


def test_long_values_are_cut_in_messages() -> None:
    with pytest.raises(TypeError) as caught:
        check_number("rate", list(range(1000)))
    assert len(str(caught.value)) < 130


def test_declarations_import_numpy_and_the_standard_library_alone() -> None:
    code = (
        "import sys, numpy, dataclasses; before = set(sys.modules);"
        "import fastmlp.errors; from fastmlp.declarations import initializers, losses, optimizers;"
        "print(*{name.split('.')[0] for name in set(sys.modules) - before"
        " if not name.startswith(('fastmlp', 'numpy', '_'))"
        " and name.split('.')[0] not in sys.stdlib_module_names}, 'difflib' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False"]


def test_texts():
    assert check_texts("keep", "a") == ("a",)
    assert check_texts("keep", ["a", "b"]) == ("a", "b")
    for wrong in (3, None, np.array("a"), ["a", 3]):
        with pytest.raises(TypeError, match="keep must be a string or several in a list, got"):
            check_texts("keep", wrong)
