"""Twins are called as their reference is, and refuse to be made where they could not be."""

from __future__ import annotations

import inspect
import pickle
import pydoc
from importlib import import_module
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

from fastmlp.kernels import get_backend
from fastmlp.kernels.compiled.twins import twin

reference, compiled = get_backend("numpy"), get_backend("numba")
EVERY = pytest.mark.parametrize("name", reference.__all__)


def scaled(x: float, factor: float = 2.0, *, out: list[float] | None = None) -> float:
    """Multiply a number."""
    raise NotImplementedError


def test_signature_defaults_and_documentation_are_those_of_the_reference() -> None:
    @twin(scaled)
    def product(*, x, factor, out):
        return x * factor, out

    made: Any = product
    assert made(3.0) == (6.0, None)
    assert made(3.0, factor=3.0, out=[1.0]) == (9.0, [1.0])
    assert made.__name__ == "scaled"
    assert made.__doc__ == "Multiply a number."
    assert inspect.signature(made) == inspect.signature(scaled)
    for arguments, named, words in (
        ((3.0, 3.0, [1.0]), {}, r"scaled\(\) takes from 1 to 2 positional arguments"),
        ((), {}, r"scaled\(\) missing 1 required positional argument: 'x'"),
        ((3.0,), {"x": 3.0}, r"scaled\(\) got multiple values for argument 'x'"),
        ((3.0,), {"factr": 3.0}, r"scaled\(\) got an unexpected keyword argument 'factr'"),
    ):
        with pytest.raises(TypeError, match=words):
            made(*arguments, **named)


def test_the_rest_is_passed_on_by_name() -> None:
    @twin(scaled, {"x": "number"})
    def product(*, number, digits=3, **unchanged):
        return number, digits, unchanged

    made: Any = product
    assert made(1.0, 4.0) == (1.0, 3, {"factor": 4.0, "out": None})


def one_less(*, x, factor): ...


def one_more(*, x, factor, out, z): ...


def another(*, x, **rest): ...


@pytest.mark.parametrize(
    ("body", "renamed", "words"),
    [
        (one_less, {}, "one_less is no twin of scaled: 'out' is missing"),
        (one_more, {}, "one_more is no twin of scaled: there is no 'z'"),
        (another, {"x": "y"}, "another is no twin of scaled: there is no 'x'"),
        (scaled, {"x": "y"}, "scaled is no twin of scaled: there is no 'x', 'y' is missing"),
    ],
)
def test_a_body_that_takes_something_else_is_refused(
    body: Any, renamed: dict[str, str], words: str
) -> None:
    with pytest.raises(TypeError, match=words):
        twin(scaled, renamed)(body)


@EVERY
def test_help_says_what_the_reference_says(name: str) -> None:
    expected, actual = (
        pydoc.plain(pydoc.render_doc(getattr(backend, name))) for backend in (reference, compiled)
    )
    assert actual == expected


@EVERY
def test_the_file_has_the_name_of_that_of_the_reference(name: str) -> None:
    file = inspect.unwrap(getattr(reference, name)).__globals__["__name__"].rpartition(".")[2]
    function = getattr(import_module(f"fastmlp.kernels.compiled.{file}"), name)
    assert pickle.loads(pickle.dumps(function)) is function
    assert function.__module__ == f"fastmlp.kernels.compiled.{file}"


def test_outputs_have_no_place() -> None:
    z = np.zeros((2, 2))
    with pytest.raises(TypeError, match="positional arguments"):
        compiled.activation_forward(z, "relu", z)
