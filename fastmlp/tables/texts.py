"""Columns of texts: the different ones with blanks cut, and which of them each row has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from .arrays import to_numpy

if TYPE_CHECKING:
    from ..kernels.typing import Array

# Cells that people write where they have no value; in lower case.
_SIGNS = ("?", "??", "???", "-", "--", "---", ".", "..", "...", "*", "\u2013", "\u2014", "\\n")
_ERRORS = ("#n/a", "#na", "#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!", "#n/a n/a")
_NULLS = ("nan", "-nan", "null", "<na>", "nat", "(null)", "1.#qnan", "-1.#ind")
_WORDS = ("n/a", "na", "n.a.", "n. a.", "none", "nil", "missing", "unknown", "not available", "n/d")
MARKS = frozenset((*_SIGNS, *_ERRORS, *_NULLS, *_WORDS))
# What programs write for a missing cell, whatever the column holds.
NULLS = ("NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "<NA>", "NaT", "#NULL!")
# Those that no class is called.
NO_CLASS = frozenset((*_SIGNS, *_ERRORS, *_NULLS))

_WHOLE = re.compile(r"(-?(?:0|[1-9][0-9]*))(?:\.0*)?")
_PAIRS = (("false", "true"), ("no", "yes"), ("n", "y"), ("f", "t"), ("off", "on"))

__all__ = [
    "MARKS",
    "NO_CLASS",
    "NULLS",
    "Words",
    "are_whole",
    "is_mark",
    "is_null",
    "joined",
    "name_parts",
    "truth_words",
    "twins",
    "whole",
    "words_of",
    "words_of_numbers",
]


@dataclass(frozen=True, eq=False)
class Words:
    """The texts of a column.

    Attributes
    ----------
    words : list of str
        The different ones, blanks around them cut, in the order in which they appear.
    codes : ndarray of int, shape (n,)
        The place of each row's text in ``words``; -1 where it is missing.
    n_cut : int
        How many cells had blanks around them that others of the same text have not.
    """

    words: list[str]
    codes: Array
    n_cut: int = 0

    @cached_property
    def counts(self) -> Array:
        """How many rows have each of the words."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.words))

    @property
    def n_missing(self) -> int:
        """How many rows have none."""
        return int(np.count_nonzero(self.codes < 0))

    def spread(self, values: Array, missing: Any) -> Array:
        """The values of the words, for each row."""
        return np.append(values, np.array([missing], values.dtype))[self.codes]

    def cells(self) -> Array:
        """The texts of all rows as objects; empty ones where they are missing."""
        texts = np.empty(len(self.words), object)
        texts[:] = self.words
        return self.spread(texts, "")

    def first_row(self, places: Iterable[int]) -> int:
        """The first row that has one of some words."""
        return int(np.isin(self.codes, np.fromiter(places, np.int64)).argmax())


def words_of(cells: Any) -> Words:
    """Return the texts of a ``pyarrow.ChunkedArray`` of strings, or of an array of objects.

    Empty texts, None and NaN are missing.
    """
    if hasattr(cells, "combine_chunks"):
        return _of_arrow(cells)
    places: dict[str, int] = {}
    given: dict[str, set[str]] = {}
    codes = np.empty(len(cells), np.int64)
    n_cut = 0
    for row, cell in enumerate(cells):
        if cell is None or cell != cell or type(cell).__name__ in ("NAType", "NaTType"):
            codes[row] = -1
            continue
        text = cell if isinstance(cell, str) else str(cell)
        word = text.strip()
        codes[row] = places.setdefault(word, len(places)) if word else -1
        given.setdefault(word, set()).add(text)
        n_cut += word != text
    # Blanks that are around every cell are of no interest.
    is_told = any(len(texts) > 1 for texts in given.values())
    return Words(list(places), codes, n_cut if is_told else 0)


def words_of_numbers(values: Array) -> Words:
    """Return numbers as texts, whole ones without a point; NaN is missing."""
    present = ~np.isnan(values) if values.dtype.kind == "f" else np.ones(len(values), bool)
    different, places = np.unique(values[present], return_inverse=True)
    codes = np.full(len(values), -1, np.int64)
    codes[present] = places
    return Words([_spelled(value) for value in different.tolist()], codes)


def is_mark(word: str) -> bool:
    """Whether a cell says that it has no value."""
    return word.lower() in MARKS


def is_null(word: str) -> bool:
    """Whether a cell is a sign, or what programs write, where there is no value."""
    return word in NULLS or word.lower() in NO_CLASS


def are_whole(words: Sequence[str]) -> bool:
    """Whether all words are whole numbers, some of them perhaps written as 7.0."""
    return bool(words) and all(map(_WHOLE.fullmatch, words))


def whole(word: str) -> str:
    """Return 7 for 7.0, as programs write whole numbers beside missing ones."""
    found = _WHOLE.fullmatch(word)
    return word if found is None else found[1]


def truth_words(words: Sequence[str]) -> tuple[str, str] | None:
    """Return the pair of words, for false and true, of which a column's are both; else None."""
    found = {word.lower() for word in words if not is_mark(word)}
    return next((pair for pair in _PAIRS if found == set(pair)), None)


def twins(words: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the words that differ by case alone, those that belong together in a tuple."""
    groups: dict[str, list[str]] = {}
    for word in words:
        groups.setdefault(word.casefold(), []).append(word)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def joined(words: Words) -> Words:
    """Return words with those that differ by case alone as the most frequent of them."""
    counts = dict(zip(words.words, words.counts.tolist(), strict=True))
    spelling = {
        word: max(group, key=lambda w: counts[w]) for group in twins(words.words) for word in group
    }
    spelled = [spelling.get(word, word) for word in words.words]
    places = {word: place for place, word in enumerate(dict.fromkeys(spelled))}
    new = np.array([*(places[word] for word in spelled), -1])
    return Words(list(places), new[words.codes], words.n_cut)


def name_parts(name: str) -> set[str]:
    """Return the parts of a column's name in lower case: of ``storeID`` store and id."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return {part.lower() for part in re.split(r"[\W_]+", spaced) if part}


def _of_arrow(cells: Any) -> Words:
    import pyarrow as pa
    import pyarrow.compute as pc

    trimmed = pc.utf8_trim_whitespace(cells)
    n_cut = 0
    if pc.count_distinct(cells).as_py() != pc.count_distinct(trimmed).as_py():
        n_cut = pc.sum(pc.not_equal(cells, trimmed)).as_py() or 0
    encoded = pa.chunked_array(trimmed).combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    codes = to_numpy(pa.chunked_array([encoded.indices]), np.int32, -1).astype(np.int64)
    words = encoded.dictionary.to_pylist()
    if "" in words:
        empty = words.index("")
        words.pop(empty)
        codes = np.where(codes == empty, -1, codes - (codes > empty))
    return Words(words, codes, n_cut)


def _spelled(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return str(int(value))
    return str(value)
