"""The grammar of dates and times: what single texts say, whatever their order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_ENGLISH = "january february march april may june july august september october november december"
_GERMAN = "januar februar märz april mai juni juli august september oktober november dezember"
_FRENCH = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"
_SPANISH = (
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
)
_ITALIAN = (
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre"
)
_PORTUGUESE = (
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro"
)
_DUTCH = "januari februari maart april mei juni juli augustus september oktober november december"
_SWEDISH = "januari februari mars april maj juni juli augusti september oktober november december"
_POLISH = (
    "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada "
    "grudnia"
)
_LANGUAGES = [_ENGLISH, _GERMAN, _FRENCH, _SPANISH, _ITALIAN]
_LANGUAGES += [_PORTUGUESE, _DUTCH, _SWEDISH, _POLISH]
# Short forms that are not the first three letters.
_SHORT = {"sept": 9, "mrz": 3, "maer": 3, "jän": 1, "juil": 7, "janv": 1, "févr": 2, "fevr": 2}
_SHORT |= {"mrt": 3, "setiembre": 9}


def _months() -> dict[str, int]:
    names = dict(_SHORT)
    for language in _LANGUAGES:
        for place, name in enumerate(language.split()):
            for form in (name, name[:3], name[:4]):
                names.setdefault(form, place + 1)
    # The first three letters of two French months.
    names["jui"] = 6
    return names


MONTHS = _months()
_ZONES = {"z": 0, "utc": 0, "gmt": 0, "cet": 1, "cest": 2, "est": -5, "edt": -4, "cst": -6}
_ZONES |= {"cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "bst": 1, "msk": 3, "jst": 9}

_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so)[a-z]*\.?,?\s+)?"
_MONTH = r"(?P<name>[^\W\d_]{3,12})\.?"
_DAY = r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th|\.)?"
_YEAR = r"(?P<year>[0-9]{4}|'?[0-9]{2})"
_FULL_YEAR = r"(?P<year>[0-9]{4})"
_DATES = [
    r"(?P<year>[0-9]{4})(?P<mark>[-/. ])(?P<month>[0-9]{1,2})(?P=mark)(?P<day>[0-9]{1,2})",
    r"(?P<a>[0-9]{1,2})\s?(?P<mark>[-/.])\s?(?P<b>[0-9]{1,2})\s?(?P=mark)\s?"
    r"(?P<c>[0-9]{4}|[0-9]{2})",
    rf"{_DAY}[-/ ]?(?:of |de )?{_MONTH}[-/, ]*(?:del? )?{_YEAR}",
    rf"{_MONTH}[-/ ]?{_DAY}(?:,\s?|[-/ ]){_YEAR}",
    rf"{_FULL_YEAR}[-/ ]{_MONTH}[-/ ]{_DAY}",
    rf"{_MONTH}[-/, ]*{_FULL_YEAR}",
    rf"{_MONTH}[-/' ](?P<year>[0-9]{{2}})",
    rf"{_FULL_YEAR}[-/ ]{_MONTH}",
    r"(?P<year>[0-9]{4})[-/](?P<month>[0-9]{1,2})",
    r"(?P<month>[0-9]{1,2})[-/](?P<year>[0-9]{4})",
    r"(?P<year>[0-9]{4})[-/ ]?q(?P<quarter>[1-4])",
    r"q(?P<quarter>[1-4])[-/ ]?(?P<year>[0-9]{4})",
    r"(?P<year>[0-9]{4})[年년]\s?(?P<month>[0-9]{1,2})[月월]\s?(?P<day>[0-9]{1,2})[日일]",
    r"(?P<year>[0-9]{4})-?w(?P<week>[0-9]{2})(?:-?(?P<weekday>[1-7]))?",
]
# Digits alone: only where a column is said to hold dates, or where a time follows.
_COMPACT = r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"
_COMPACT_TIME = r"(?P<hour>[0-9]{2})(?P<minute>[0-9]{2})(?P<second>[0-9]{2})?"
_TIME = (
    r"(?:(?P<hour>[0-9]{1,2})(?::(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})"
    r"(?:[.,](?P<fraction>[0-9]+))?)?)(?:\s*(?P<half>[ap])\.?m\.?)?"
    r"|(?P<hour_2>[0-9]{1,2})\s*(?P<half_2>[ap])\.?m\.?)"
)
_ZONE = r"(?:\s*(?P<zone>[a-z]{1,4}|(?:utc|gmt)?[+-][0-9]{2}(?::?[0-9]{2})?))?"
_PATTERNS = [
    *(
        re.compile(rf"{_WEEKDAY}{date}(?:(?:,?\s+|t|:){_TIME}{_ZONE})?", re.IGNORECASE)
        for date in _DATES
    ),
    re.compile(rf"{_WEEKDAY}{_MONTH}\s+{_DAY}\s+{_TIME}{_ZONE}\s+{_FULL_YEAR}", re.IGNORECASE),
    re.compile(rf"{_COMPACT}t{_COMPACT_TIME}{_ZONE}", re.IGNORECASE),
    *(re.compile(rf"{_TIME},?\s+{date}", re.IGNORECASE) for date in _DATES[:3]),
    re.compile(rf"{_TIME}{_ZONE}", re.IGNORECASE),
]
_OF_DIGITS = [
    re.compile(rf"{_COMPACT}(?:[ t]?{_COMPACT_TIME})?", re.IGNORECASE),
    re.compile(r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})"),
    re.compile(_FULL_YEAR),
]

__all__ = ["ORDERS", "Moment", "parse"]

# In which order a day, a month and a year of digits stand.
ORDERS = ("day first", "month first", "year first")


@dataclass(frozen=True)
class Moment:
    """What a text says.

    Attributes
    ----------
    numbers : tuple of three int, or None
        Year, month and day; where ``ordered`` is False, the three numbers as they stand. None for
        a time alone.
    seconds : float
        Since midnight in UTC, or where the text stands if it names no zone.
    ordered : bool
        Whether the text tells which number is which.
    has_time : bool
        Whether it says a time.
    mark : str
        What stands between three numbers.
    width : int
        Digits of the last of three numbers.
    week : tuple of int, or None
        ISO week and weekday in place of month and day.
    """

    numbers: tuple[int, int, int] | None
    seconds: float = 0.0
    ordered: bool = True
    has_time: bool = False
    mark: str = ""
    width: int = 4
    week: tuple[int, int] | None = None


def parse(word: str, digits: bool = False) -> Moment | None:
    """Return what a text says; None where it is neither date nor time.

    Parameters
    ----------
    word : str
    digits : bool
        Whether digits alone are a date, as in ``20240131``, ``202401`` or ``2024``.
    """
    if word[:1] == "[" and word[-1:] == "]":
        # So do logs of web servers.
        word = word[1:-1]
    for pattern in (*_OF_DIGITS, *_PATTERNS) if digits else _PATTERNS:
        found = pattern.fullmatch(word)
        if found is not None:
            moment = _moment(found.groupdict())
            if moment is not None:
                return moment
    return None


def full_year(year: int, width: int) -> int:
    """The year that two digits mean: from 1969 to 2068."""
    if width == 4:
        return year
    return year + (1900 if year >= 69 else 2000)


def _moment(parts: dict[str, str | None]) -> Moment | None:
    seconds = _seconds(parts)
    if seconds is None:
        return None
    time: dict[str, Any] = {
        "seconds": seconds,
        "has_time": (parts.get("hour") or parts.get("hour_2")) is not None,
    }
    if parts.get("a") is not None:
        numbers = int(parts["a"] or 0), int(parts["b"] or 0), int(parts["c"] or 0)
        width = len(parts["c"] or "")
        return Moment(numbers, **time, ordered=False, mark=parts["mark"] or "", width=width)
    if parts.get("year") is None:
        return Moment(None, **time)
    digits = (parts["year"] or "").lstrip("'")
    year = full_year(int(digits), len(digits))
    month: int | None = int(parts.get("month") or 1)
    if parts.get("name"):
        month = MONTHS.get((parts["name"] or "").lower())
        if month is None:
            return None
    if parts.get("quarter"):
        month = 3 * int(parts["quarter"] or 1) - 2
    week = None
    if parts.get("week"):
        week = int(parts["week"] or 1), int(parts.get("weekday") or 1)
    return Moment((year, month or 1, int(parts.get("day") or 1)), **time, week=week)


def _seconds(parts: dict[str, str | None]) -> float | None:
    """Seconds since midnight in UTC; None where there is no such time."""
    hour = int(parts.get("hour") or parts.get("hour_2") or 0)
    minute, second = int(parts.get("minute") or 0), int(parts.get("second") or 0)
    half = parts.get("half") or parts.get("half_2")
    if half is not None:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half.lower() == "p" else 0)
    if hour > 24 or minute > 59 or second > 60 or (hour == 24 and minute + second > 0):
        return None
    fraction = float(f"0.{parts.get('fraction') or 0}")
    shift = _zone(parts.get("zone"))
    if shift is None:
        return None
    return 3600.0 * hour + 60 * minute + second + fraction - 3600 * shift


def _zone(text: str | None) -> float | None:
    """Hours east of UTC; None where there is no such zone."""
    if text is None:
        return 0.0
    if text.isalpha():
        return _ZONES.get(text.lower())
    digits = text.lower().removeprefix("utc").removeprefix("gmt").replace(":", "")
    hours = int(digits[1:3]) + int(digits[3:] or 0) / 60
    return -hours if digits[0] == "-" else hours
