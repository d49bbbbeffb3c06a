"""The grammar of numbers as people write them, read by the whole of a column."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .texts import is_mark

if TYPE_CHECKING:
    from ..kernels.typing import Array

# Of the cells that hold something, how many must be of a kind that a column is of it.
MOST = 0.9

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
_GROUPS = re.compile(rf"['\u2019{_BLANKS}]")
# Written before a number; beside these, all signs of currencies.
_CODES = frozenset(
    "usd eur gbp chf jpy cny rmb inr aud cad nzd sek nok dkk pln czk huf brl mxn zar try rub krw "
    "sgd hkd thb us$ a$ c$ r$ rs rs. kr kr. fr fr. sfr sfr. zł kč ft".split()
)
_LEADING_ZERO = re.compile(r"0[0-9]+")

__all__ = ["MOST", "NumberFormat", "Numbers", "find", "plain", "values"]


@dataclass(frozen=True)
class NumberFormat:
    """How the numbers of a column are written.

    Attributes
    ----------
    decimal : str
        A point or a comma; the other one, blanks and apostrophes stand between thousands.
    unit : str
        What stands before or behind the numbers, such as ``"$"``, ``"%"`` or ``"kg"``.
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


def find(words: Sequence[str], counts: Array, decimal: str | None = None) -> Numbers:
    """Find how the numbers among some words are written.

    Parameters
    ----------
    words : list of str
        The different cells of a column, no blanks around them.
    counts : ndarray of int
        How often each of them appears.
    decimal : str, optional
        Where it is known.
    """
    weights = np.asarray(counts, float)
    present = np.array([not is_mark(word) for word in words], bool)
    total = float(weights[present].sum())
    if not total:
        return Numbers(0.0, (NumberFormat(),))
    parts = [_parts(word) for word in words]
    read = {sign: np.array([_value(part, sign) for part in parts], float) for sign in ".,"}
    units = [None if part is None else part[2] for part in parts]
    is_number = {sign: ~np.isnan(found) & present for sign, found in read.items()}
    either = is_number["."] | is_number[","]
    unit, ranked = _unit(units, np.where(either, weights, 0))
    of_unit = np.array([found in ("", unit) for found in units], bool)
    sums = {sign: float(weights[ok & of_unit].sum()) for sign, ok in is_number.items()}
    decided = ""
    if decimal is None:
        differ = is_number["."] & is_number[","] & of_unit & (read["."] != read[","])
        if sums["."] != sums[","]:
            decided = max(sums, key=lambda sign: sums[sign])
        signs = [decided] if decided else [".", ","] if differ.any() else ["."]
        if not (is_number["."] & ~is_number[","]).any() and decided == ".":
            decided = ""
    else:
        signs = [decimal]
    zeros = np.array([_LEADING_ZERO.fullmatch(word) is not None for word in words], bool)
    share = sums[signs[0]] / total
    return Numbers(
        share,
        tuple(NumberFormat(sign, unit) for sign in signs),
        ranked,
        _are_codes(words, weights, zeros, either),
        decided,
    )


def values(words: Sequence[str], form: NumberFormat) -> Array:
    """Return the numbers that words spell, float64; NaN where one spells none."""
    found = np.empty(len(words))
    for place, word in enumerate(words):
        part = _parts(word)
        fits = part is not None and part[2] in ("", form.unit)
        found[place] = _value(part, form.decimal) if fits else np.nan
    return found


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
    numbers: Array = found.to_numpy()
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
    infinite = _INFINITE.fullmatch(word)
    if infinite is not None:
        return (1.0 if infinite[1] in ("", "+") else -1.0) * np.inf, "", "", ""
    found = _LOOSE.fullmatch(word)
    if found is None or (found["open"] is None) != (found["close"] is None):
        return None
    before, after = found["before"] or "", found["after"] or ""
    if before and not _is_currency(before):
        return None
    signs = [sign for sign in (found["sign"], found["sign_2"], found["trailing"]) if sign]
    if len(signs) + (found["open"] is not None) > 1:
        return None
    negative = found["open"] is not None or (bool(signs) and signs[0] != "+")
    exponent = (found["exponent"] or "")[1:]
    return (-1.0 if negative else 1.0), found["body"].strip(), f"{before}{after}", exponent


def _value(part: tuple[float, str, str, str] | None, decimal: str) -> float:
    if part is None:
        return np.nan
    sign, digits, _, exponent = part
    if not digits:
        return sign
    if _GROUPED[decimal].fullmatch(digits) is None:
        return np.nan
    digits = _GROUPS.sub("", digits.replace("," if decimal == "." else ".", ""))
    return sign * float(f"{digits.replace(',', '.')}e{exponent or 0}")


def _is_currency(text: str) -> bool:
    return text.lower() in _CODES or unicodedata.category(text[-1]) == "Sc"


def _unit(units: Sequence[str | None], weights: Array) -> tuple[str, tuple[str, ...]]:
    """The unit of a column, and all that are found, the most frequent first."""
    sums: Counter[str] = Counter()
    for unit, weight in zip(units, weights, strict=True):
        if unit is not None and weight:
            sums[unit] += weight
    total = sum(sums.values())
    bare = sums.pop("", 0)
    ranked = tuple(unit for unit, _ in sums.most_common())
    if not ranked:
        return "", ()
    # A letter behind some of them is a slip; a sign of money is not.
    is_slip = ranked[0].isalpha() and sums[ranked[0]] < bare
    return ("" if is_slip or bare >= MOST * total else ranked[0]), ranked


def _are_codes(words: Sequence[str], weights: Array, zeros: Array, numbers: Array) -> bool:
    """Whether leading zeros are part of a code: of one width, or more than a slip or two."""
    if not zeros.any():
        return False
    widths = {len(word) for word, ok in zip(words, numbers, strict=True) if ok}
    return len(widths) == 1 or float(weights[zeros].sum()) > 0.01 * float(weights[numbers].sum())
