"""What stands before or behind numbers: currencies, units, thousands and millions."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ..kernels.typing import Array

# Written before a number; beside these, all signs of currencies.
_CODES = frozenset(
    (
        "usd",
        "eur",
        "gbp",
        "chf",
        "jpy",
        "cny",
        "rmb",
        "inr",
        "aud",
        "cad",
        "nzd",
        "sek",
        "nok",
        "dkk",
        "pln",
        "czk",
        "huf",
        "brl",
        "mxn",
        "zar",
        "try",
        "rub",
        "krw",
        "sgd",
        "hkd",
        "thb",
        "us$",
        "a$",
        "c$",
        "r$",
        "rs",
        "rs.",
        "kr",
        "kr.",
        "fr",
        "fr.",
        "sfr",
        "sfr.",
        "zł",
        "kč",
        "ft",
    )
)
# Behind numbers, and what each of them stands for; "m" is a meter where there is no "k".
_MAGNITUDES = {"k": 1e3, "K": 1e3, "tsd": 1e3, "M": 1e6, "mn": 1e6, "mio": 1e6, "mln": 1e6}
_MAGNITUDES |= {"million": 1e6, "B": 1e9, "bn": 1e9, "mrd": 1e9, "billion": 1e9, "T": 1e12}
_MAGNITUDES |= {"thousand": 1e3, "trillion": 1e12}
_SMALL = {"m": 1e6, "b": 1e9}
# How a unit says that numbers stand before several of them.
_MAGNIFIED = "K, M, B"
__all__ = ["factors", "is_currency", "singular", "unit_of_column"]


def is_currency(text: str) -> bool:
    """Whether a text before a number is a sign or a name of money."""
    return text.lower() in _CODES or unicodedata.category(text[-1]) == "Sc"


def singular(unit: str) -> str:
    """Return the unit of one: of years a year, of lbs a lb."""
    return unit[:-1] if len(unit) > 2 and unit.isalpha() and unit[-1] == "s" else unit


def unit_of_column(names: Sequence[str], sums: Array, most: float) -> tuple[str, tuple[str, ...]]:
    """Return the unit of a column, and all that are found, the most frequent first.

    Parameters
    ----------
    names : list of str
        Units of which the first is none.
    sums : ndarray, shape (n,)
        How many cells have each of them.
    most : float
        The share of cells without a unit from which the column has none.
    """
    total, bare = float(sums.sum()), float(sums[0])
    ranked = tuple(
        names[place] for place in np.argsort(-sums, kind="stable") if place and sums[place]
    )
    if not ranked:
        return "", ()
    if _are_magnitudes(names, sums):
        bases = {_magnitude(name)[0] for name in ranked}
        return f"{bases.pop()} {_MAGNIFIED}".lstrip(), ranked
    # A letter behind some of them is a slip; a sign of money is not.
    is_slip = ranked[0].isalpha() and sums[names.index(ranked[0])] < bare
    return ("" if is_slip or bare >= most * total else ranked[0]), ranked


def factors(names: Sequence[str], unit: str) -> list[float]:
    """What numbers of each unit are to be multiplied by; NaN where it is another one."""
    if not unit.endswith(_MAGNIFIED):
        return [1.0 if name in ("", unit) else np.nan for name in names]
    base = unit.removesuffix(_MAGNIFIED).strip()
    known = [_magnitude(name) for name in names]
    return [factor if found in ("", base) else np.nan for found, factor in known]


def _are_magnitudes(names: Sequence[str], sums: Array) -> bool:
    """Whether units are thousands, millions and so on, some of these and some others or none."""
    found = [_magnitude(name) for name, weight in zip(names, sums, strict=True) if weight]
    bases = {base for base, factor in found if base or factor > 1}
    factors = {factor for _, factor in found}
    if len(bases) != 1 or len(factors) < 2:
        return False
    if any(name in _SMALL for name in names) and "k" not in names:
        return False
    large = [_magnitude(name)[1] > 1 for name in names]
    # A single one is a slip.
    return float(sums[large].sum()) >= max(2.0, 0.01 * float(sums.sum()))


def _magnitude(unit: str) -> tuple[str, float]:
    """What is measured, and how many of it: of ``$M`` a million of $."""
    currency = unit[:1] if unit and unicodedata.category(unit[0]) == "Sc" else ""
    rest = unit[len(currency) :]
    factor = {**_MAGNITUDES, **_SMALL}.get(rest) or _MAGNITUDES.get(rest.lower().rstrip("."))
    return (unit, 1.0) if factor is None else (currency, factor)
