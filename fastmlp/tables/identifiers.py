"""Columns that name rows or groups: running numbers, nearly unique texts, codes."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np

from .texts import Words, name_parts

if TYPE_CHECKING:
    from ..kernels.typing import Array

# Of its rows, how many have a text of their own in a column that tells nothing of others.
NEARLY_ALL = 0.9
MOST_CODES = 100
_ROWS_OF_A_CODE = 5
_EMPTIER = 10
# From here on numbers in double precision are all whole; and how many digits they keep, nearly.
_WHOLE, _ALL_DIGITS, _LOOKED_AT = 2**53, 15, 200
# The odds against rows without a repeated number, as a logarithm.
_SURPRISE = 7.0

_OF_ROWS = {"id", "ids", "uuid", "guid", "uid", "rowid", "identifier", "rownumber", "rownum", "key"}
_OF_CODES = {"zip", "zipcode", "postcode", "postal", "plz", "code", "codes", "sku", "naics", "sic"}
_OF_CODES |= {"fips", "icd", "isbn", "ean", "areacode", "zipcodes", "postalcode", "id", "ids"}
_OF_TIMES = {"year", "yr", "jahr", "month", "week", "day", "date", "time", "timestep", "step", "t"}
_OF_TIMES |= {"hour", "minute", "second", "seconds", "epoch", "quarter", "unix", "timestamp"}
_OF_GROUPS = {"patient", "subject", "user", "customer", "client", "group", "household", "person"}
_OF_GROUPS |= {"session", "participant", "family", "student", "user_id", "device", "id", "uuid"}
_SERIAL = re.compile(r"[A-Za-z]*[-_ ]?[0-9]{2,}|[0-9a-fA-F-]{32,36}")

__all__ = [
    "MOST_CODES",
    "NEARLY_ALL",
    "are_codes",
    "are_groups",
    "numbers_of_rows",
    "texts_of_rows",
]


def numbers_of_rows(name: str, values: Array, distinct: int) -> str:
    """Return why whole numbers only number the rows; an empty string where they do not.

    Numbers of which none appears twice are no measurement where so many rows would have to repeat
    some: n rows with r possible values repeat one but with probability ``exp(-n**2 / 2r)``. Years
    and steps of time run, too, but say when.
    """
    present = values[~np.isnan(values)] if values.dtype.kind == "f" else values
    n = len(present)
    if n < 5 or distinct < NEARLY_ALL * n or not (present == np.floor(present)).all():
        return ""
    parts = name_parts(name)
    if parts & _OF_TIMES or _are_years(present):
        return ""
    if parts & _OF_ROWS and n >= 10:
        return f"{distinct} different numbers in {n} rows"
    if distinct < n:
        return ""
    if float(np.abs(present).max()) >= _WHOLE:
        # Such numbers are all whole; measured ones have few digits, or differ in size.
        if not _have_all_digits(present):
            return ""
        return "each row has a number of its own, of more than 15 digits"
    span = float(present.max()) - float(present.min()) + 1
    if span == n and bool((np.diff(present) == 1).all()):
        return "it numbers the rows"
    if span <= min(n * n / (2 * _SURPRISE), 10.0 * n):
        return "each row has a whole number of its own, nearly without gaps"
    return ""


def _have_all_digits(values: Array) -> bool:
    """Whether most of some large numbers have as many digits as are kept, and all a like size."""
    sizes = np.abs(values)
    if sizes.min() * _EMPTIER < sizes.max():
        return False
    some = values[:_LOOKED_AT].tolist()
    digits = [len(f"{value!r}".partition("e")[0].strip("-0").replace(".", "")) for value in some]
    return float(np.median(digits)) >= _ALL_DIGITS


def are_codes(name: str, values: Array, different: Array) -> bool:
    """Whether few different whole numbers are codes, whose size means nothing.

    They are where the column's name says so, or where all have as many digits, three or more, and
    leave out most of the numbers between them. Counts, ratings, years, and round numbers do not.

    Parameters
    ----------
    name : str
        Of the column.
    values : ndarray, shape (n,)
    different : ndarray
        The values that are different, sorted, none of them missing.
    """
    n = int(np.count_nonzero(~np.isnan(values)))
    k = len(different)
    if not 3 <= k <= min(MOST_CODES, n // _ROWS_OF_A_CODE):
        return False
    if different[0] < 0 or (different != np.floor(different)).any() or different[-1] >= _WHOLE:
        return False
    if name_parts(name) & _OF_CODES:
        return True
    digits = {len(str(int(value))) for value in different}
    if len(digits) > 1 or digits < {3} or _are_years(different) or name_parts(name) & _OF_TIMES:
        return False
    step = math.gcd(*(int(gap) for gap in np.diff(different)))
    return float(different[-1] - different[0]) / step + 1 > _EMPTIER * k


def texts_of_rows(words: Words) -> str:
    """Return why texts only name the rows; an empty string where they do not."""
    n = len(words.codes) - words.n_missing
    distinct = len(words.words)
    if n < 5 or distinct < NEARLY_ALL * n:
        return ""
    return f"{distinct} different texts in {n} rows"


def are_groups(name: str, words: Words) -> bool:
    """Whether a column names groups of rows, such as the visits of a patient."""
    n = len(words.codes) - words.n_missing
    k = len(words.words)
    if k < 10 or not n / k >= 2 or n / k > max(50.0, n / 20):
        return False
    if name_parts(name) & _OF_GROUPS:
        return True
    return all(_SERIAL.fullmatch(word) and not word.isdigit() for word in words.words)


def _are_years(values: Array) -> bool:
    return bool(values.min() >= 1700 and values.max() <= 2100)
