"""The grammar of numbers as people write them, read by the whole of a column."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .arrays import to_numpy
from .texts import is_mark
from .units import factors, is_currency, singular, unit_of_column

if TYPE_CHECKING:
    from ..kernels.typing import Array

# Of the cells that hold something, how many must be of a kind that a column is of it.
MOST = 0.9

_TEXT_MARKS = ("'", "\u2019")
_BLANKS = " \u00a0\u2007\u2009\u202f"
_PLAIN = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INFINITE = re.compile(r"([+\-\u2212]?)(?:inf|infinity|\u221e|1\.#inf)", re.IGNORECASE)
_MINUS = r"\-\u2212\u2013"
_LOOSE = re.compile(
    rf"(?P<open>\()?\s*(?P<sign>[+{_MINUS}])?\s*(?P<before>[^\W\d_]{{1,4}}\.?|"
    rf"[A-Z]{{0,3}}[^\w\s.,()+{_MINUS}])??\s*(?P<sign_2>[+{_MINUS}])?\s*"
    rf"(?P<body>[0-9.,'\u2019{_BLANKS}]*[0-9][.,]?)(?P<exponent>[eE][+-]?[0-9]+)?"
    rf"(?P<trailing>[{_MINUS}])?\s*(?P<after>[^\W\d_][^\s()]{{0,11}}|[^\w\s()]{{1,2}}[^\W\d_]?)?"
    r"\s*(?P<close>\))?",
)
# Digits in groups of three, or of two before the last three, as in India.
_GROUPED = {
    ".": re.compile(
        rf"(?:[1-9][0-9]{{0,2}}(?:([,'\u2019{_BLANKS}])[0-9]{{3}})(?:\1[0-9]{{3}})*|"
        r"[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+"
    ),
    ",": re.compile(
        rf"(?:[1-9][0-9]{{0,2}}(?:([.'\u2019{_BLANKS}])[0-9]{{3}})(?:\1[0-9]{{3}})*|[0-9]+)"
        r"(?:,[0-9]*)?|,[0-9]+"
    ),
}
_DIGIT = re.compile("[0-9]")
_GROUPS = re.compile(rf"['\u2019{_BLANKS}]")
_LEADING_ZERO = re.compile(r"0[0-9]+")

__all__ = [
    "MOST",
    "NumberFormat",
    "Numbers",
    "Spelled",
    "find",
    "is_odd",
    "plain",
    "spell",
    "value",
    "values",
]


@dataclass(frozen=True)
class NumberFormat:
    """How the numbers of a column are written.

    Attributes
    ----------
    decimal : str
        A point or a comma; the other one, blanks and apostrophes stand between thousands.
    unit : str
        What stands before or behind the numbers, such as ``"$"``, ``"%"`` or ``"kg"``. Where it
        ends with ``"K, M, B"``, thousands, millions and so on are written so.
    """

    decimal: str = "."
    unit: str = ""


@dataclass(frozen=True, eq=False)
class Numbers:
    """What is found in the words of a column.

    Attributes
    ----------
    share : float
        Of the cells that are no marks of a missing one, those that are numbers.
    formats : tuple of NumberFormat
        Two where either of them could be meant.
    units : tuple of str
        Those that are found, the most frequent first.
    zeros : bool
        Whether there are codes with leading zeros, as ``00501``.
    decided : str
        The sign of decimals that no other reading allows; empty where none was needed.
    """

    share: float
    formats: tuple[NumberFormat, ...]
    units: tuple[str, ...] = ()
    zeros: bool = False
    decided: str = ""


@dataclass(frozen=True, eq=False)
class Spelled:
    """What single words say as numbers.

    Attributes
    ----------
    point, comma : ndarray of float64
        The number where a point, or a comma, begins the decimals; NaN where it is none.
    units : ndarray of int
        The place of each one's unit in ``names``; -1 where the word is no number.
    names : list of str
        The first is empty.
    zeros : ndarray of bool
        Which words are digits that begin with 0.
    marks : ndarray of bool
        Which words say that there is no value.
    """

    point: Array
    comma: Array
    units: Array
    names: list[str]
    zeros: Array
    marks: Array

    def by(self, decimal: str) -> Array:
        """The numbers with a sign of decimals."""
        return self.point if decimal == "." else self.comma


def spell(words: Sequence[str]) -> Spelled:
    """Read words as numbers, whatever the column they come from."""
    n = len(words)
    point, comma = np.full(n, np.nan), np.full(n, np.nan)
    units = np.full(n, -1, np.int64)
    names = {"": 0}
    for place, word in enumerate(words):
        part = _parts(word if word.isascii() else _with_ascii_digits(word))
        if part is not None:
            point[place], comma[place] = _value(part, "."), _value(part, ",")
            units[place] = names.setdefault(part[2], len(names))
    zeros = np.array([_LEADING_ZERO.fullmatch(word) is not None for word in words], bool)
    marks = np.array([is_mark(word) for word in words], bool)
    return Spelled(point, comma, units, list(names), zeros, marks)


def find(words: Spelled, counts: Array, decimal: str | None = None) -> Numbers:
    """Find how the numbers among some words are written.

    Parameters
    ----------
    words : Spelled
        The different cells of a column.
    counts : ndarray of int
        How often each of them appears.
    decimal : str, optional
        Where it is known.
    """
    weights = np.where(words.marks, 0.0, counts)
    total = float(weights.sum())
    if not total:
        return Numbers(0.0, (NumberFormat(),))
    ok = {sign: ~np.isnan(words.by(sign)) for sign in ".,"}
    either = ok["."] | ok[","]
    held = np.bincount(words.units + 1, np.where(either, weights, 0), len(words.names) + 1)[1:]
    unit, ranked = unit_of_column(words.names, held, MOST)
    if float(weights[either].sum()) < MOST * total:
        ranked = ()
    of_unit = ~np.isnan(_factors(words, unit))
    sums = {sign: float(weights[ok[sign] & of_unit].sum()) for sign in ".,"}
    decided = ""
    if decimal is not None:
        signs = [decimal]
    elif sums["."] != sums[","]:
        signs = [max(sums, key=lambda sign: sums[sign])]
        decided = signs[0]
    else:
        differ = ok["."] & ok[","] & of_unit & (words.point != words.comma)
        signs = [".", ","] if differ.any() else ["."]
    return Numbers(
        sums[signs[0]] / total,
        tuple(NumberFormat(sign, unit) for sign in signs),
        ranked,
        _are_codes(words, weights, either),
        decided,
    )


def values(words: Spelled, form: NumberFormat) -> Array:
    """Return the numbers that words spell, float64; NaN where one spells none."""
    return words.by(form.decimal) * _factors(words, form.unit)


def value(word: str, form: NumberFormat) -> float:
    """Return the number that a word spells; NaN where it spells none."""
    return float(values(spell([word]), form)[0])


def plain(cells: Any) -> Array | None:
    """Return the numbers of a ``pyarrow.ChunkedArray`` of strings; None where any is no plain one.

    Plain are those with a point for decimals and nothing around them; codes with leading zeros, and
    what float64 cannot tell apart, are not.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        found = pc.cast(cells, pa.float64())
    except pa.ArrowInvalid:
        return None
    numbers = to_numpy(found, np.float64, np.nan)
    # Texts such as nan and inf are told of.
    finite = np.isfinite(numbers)
    if not finite.all() and int(np.count_nonzero(~finite)) != cells.null_count:
        return None
    largest = np.abs(numbers[finite]).max(initial=0.0)
    if largest >= 2**53 or any(_has_leading_zero(chunk) for chunk in cells.chunks):
        return None
    return numbers


def _has_leading_zero(chunk: Any) -> bool:
    """Whether a string of a ``pyarrow.StringArray`` begins with 0 and another digit."""
    _, offsets, data = chunk.buffers()
    if data is None or not len(chunk):
        return False
    starts = np.frombuffer(offsets, np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
    letters = np.frombuffer(data, np.uint8)
    first = starts[:-1][np.diff(starts) > 1]
    second = letters[first + 1]
    return bool(((letters[first] == 48) & (second >= 48) & (second <= 57)).any())


def _parts(word: str) -> tuple[float, str, str, str] | None:
    """The sign, digits, unit and exponent of a word; infinite ones as the sign."""
    if _PLAIN.fullmatch(word):
        sign = -1.0 if word[0] == "-" else 1.0
        digits, _, exponent = word.lstrip("+-").lower().partition("e")
        return sign, digits, "", exponent
    infinite = _INFINITE.fullmatch(word) if word and word[-1] in "fFyY\u221e" else None
    if infinite is not None:
        return (1.0 if infinite[1] in ("", "+") else -1.0) * np.inf, "", "", ""
    if word[:1] in _TEXT_MARKS and word[1:2].isdigit():
        # So spreadsheets mark numbers that they keep as texts.
        word = word[1:]
    found = _LOOSE.fullmatch(word) if _DIGIT.search(word, 0, 8) else None
    if found is None or (found["open"] is None) != (found["close"] is None):
        return None
    before, after = found["before"] or "", found["after"] or ""
    if before and not is_currency(before):
        return None
    signs = [sign for sign in (found["sign"], found["sign_2"], found["trailing"]) if sign]
    if len(signs) + (found["open"] is not None) > 1:
        return None
    negative = found["open"] is not None or (bool(signs) and signs[0] != "+")
    exponent = (found["exponent"] or "")[1:]
    return (
        (-1.0 if negative else 1.0),
        found["body"].strip(),
        singular(f"{before}{after}"),
        exponent,
    )


def _value(part: tuple[float, str, str, str] | None, decimal: str) -> float:
    if part is None:
        return np.nan
    sign, digits, _, exponent = part
    if not digits:
        return sign
    if _GROUPED[decimal].fullmatch(digits) is None:
        return np.nan
    if exponent and not digits.replace(decimal, "", 1).isdigit():
        # Who writes an exponent needs no thousands.
        return np.nan
    digits = _GROUPS.sub("", digits.replace("," if decimal == "." else ".", ""))
    return sign * float(f"{digits.replace(',', '.')}e{exponent or 0}")


def _factors(words: Spelled, unit: str) -> Array:
    """What each number is to be multiplied by; NaN where it has another unit, or is none."""
    # Words that are no numbers are at the last place.
    return np.array([*factors(words.names, unit), np.nan])[words.units]


def is_odd(word: str, form: NumberFormat) -> bool:
    """Whether a word is a number, but not as programs write it."""
    if not np.isfinite(value(word, form)):
        return False
    try:
        return float(word) != value(word, form)
    except ValueError:
        return True


def _with_ascii_digits(word: str) -> str:
    """A word with the digits of other scripts as ASCII's, and Arabic marks of numbers."""
    digits = (str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in word)
    return "".join(digits).replace("\u066b", ".").replace("\u066c", ",")


def _are_codes(words: Spelled, weights: Array, numbers: Array) -> bool:
    """Whether leading zeros are part of a code, and no slip or two."""
    zeros = float(weights[words.zeros].sum())
    return zeros > 0 and zeros > 0.01 * float(weights[numbers].sum())
