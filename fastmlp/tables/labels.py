"""Labels of classes as they are written, and the words that are none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from . import numbers
from .numbers import NumberFormat
from .target import Target
from .texts import NO_CLASS, Words

if TYPE_CHECKING:
    from ..kernels.typing import Array


__all__ = ["is_class", "kind_of_labels", "labels_of", "places_of", "sorted_labels"]


def is_class(target: Target, word: str) -> bool:
    """Whether a word can be a class of a target, and does not say that there is none."""
    if target.kind == "number":
        form = NumberFormat(target.decimal, target.unit)
        return bool(np.isfinite(numbers.value(word, form)))
    return word.lower() not in NO_CLASS


def kind_of_labels(kind: str, words: Sequence[str]) -> str:
    """``"number"`` only where each label is written as Python writes it."""
    if kind != "number":
        return kind
    if all(_is_whole(word) for word in words) or all(_is_float(word) for word in words):
        return "number"
    return "category"


def sorted_labels(kind: str, words: Sequence[str]) -> Array:
    """Return the labels that words are: whole numbers as int64, others as they are written."""
    if kind == "boolean":
        return np.array([False, True])
    if kind == "number":
        return np.unique([int(word) if _is_whole(word) else float(word) for word in words])
    return np.unique(np.array(words, np.str_))


def labels_of(target: Target) -> Array:
    """Return the label of each class."""
    if target.kind == "number" and not all(map(_is_number, target.classes)):
        # The labels of a data set are numbers, and its classes have names.
        return np.arange(len(target.classes))
    return sorted_labels(target.kind, target.classes)


def places_of(target: Target, words: Words) -> Array:
    """The class of each word: -1 where it is not known, -2 where it is none."""
    fold = str.casefold if target.join_case else str
    known = {fold(name): place for place, name in enumerate(target.classes)}
    found = np.full(len(words.words) + 1, -2, np.int64)
    for place, word in enumerate(words.words):
        found[place] = known.get(fold(word), -1)
        if found[place] == -1 and target.kind == "boolean":
            found[place] = {"false": 0, "true": 1, "0": 0, "1": 1}.get(word.lower(), -1)
        if found[place] == -1 and target.kind == "number" and _is_number(word):
            # 1 is 1.0 where no other class is written so.
            same = np.flatnonzero(labels_of(target) == float(word))
            found[place] = same[0] if len(same) else -1
        if found[place] == -1 and (word.lower() in NO_CLASS or _has_no_number(target, word)):
            found[place] = -2
    return np.asarray(found[:-1] if len(words.words) else found)


def _is_whole(word: str) -> bool:
    digits = word.removeprefix("-")
    return digits.isascii() and digits.isdigit() and str(int(word)) == word and len(digits) < 19


def _is_float(word: str) -> bool:
    try:
        return repr(float(word)) == word
    except ValueError:
        return False


def _is_number(word: str) -> bool:
    return bool(np.isfinite(numbers.value(word, NumberFormat())))


def _has_no_number(target: Target, word: str) -> bool:
    return target.kind == "number" and not is_class(target, word)
