"""Fields of dataclasses, checked by their annotations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest

from fastmlp.common.plain_fields import check_plain_fields


@dataclass(frozen=True)
class Thing:
    name: str = "ü"
    words: tuple[str, ...] = ("a",)
    whole: bool = True
    count: int = 0
    mean: float = 1

    kind: ClassVar[str] = "thing"


def test_what_is_as_annotated() -> None:
    check_plain_fields(Thing())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": 1}, "name of a Thing must be a string, got 1"),
        ({"name": "\ud800"}, "surrogates not allowed"),
        ({"words": "ab"}, "words of a Thing must be a tuple of strings, got 'ab'"),
        ({"words": ("a", None)}, "words of a Thing must be a string, got None"),
        ({"whole": 1}, "whole of a Thing must be True or False"),
        ({"count": -1}, "count of a Thing must be an integer >= 0"),
        ({"count": 2.0}, "count of a Thing must be an integer"),
        ({"count": True}, "count of a Thing must be an integer"),
        ({"mean": float("nan")}, "mean of a Thing must be a finite number"),
        ({"mean": 10**400}, "mean of a Thing must be a finite number"),
        ({"mean": "1"}, "mean of a Thing must be a number"),
    ],
)
def test_what_is_not(wrong: dict, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        check_plain_fields(Thing(**wrong))
