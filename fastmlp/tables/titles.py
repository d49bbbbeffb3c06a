"""Where a table begins below its titles, and whether a row is its header."""

from __future__ import annotations

from .spelling import is_data, spells

__all__ = ["are_row_names", "first_row", "fits", "names_columns"]

# Records of notes above a table, at most.
_MOST_TITLES = 30


def first_row(rows: list[list[str]], width: int, has_header: bool) -> int:
    """The place of the first record of the table; what is above are titles."""
    for place, row in enumerate(rows[:_MOST_TITLES]):
        if fits(row, width) and (place == 0 or width > 1):
            above = rows[place - 1] if place else []
            # A header that is too long or too short is not a title, if the rows have no other.
            if len(above) > 1 and sum(map(bool, above)) > 1 and has_header:
                if not names_columns(row, rows[place + 1 :]):
                    return place - 1
            elif place and has_header and _names_rows_below(above, rows[place:], width):
                return place - 1
            return place + (_padded_titles(rows[place:]) if has_header else 0)
    return 0


def _padded_titles(rows: list[list[str]]) -> int:
    """The number of titles that are followed by as many separators as rows have."""
    alone = [not any(row[1:]) for row in rows]
    if _names_groups(rows):
        return 1
    if False not in alone or not rows[0][0].strip():
        return 0
    place = alone.index(False)
    row = rows[place]
    names = sum(map(bool, row))
    if names < 2 or 2 * names < len(row):
        return 0
    words = len(row) > 2 and not any(map(is_data, row))
    return place if words or names_columns(row, rows[place + 1 :]) else 0


def _names_groups(rows: list[list[str]]) -> bool:
    """Whether the first row names groups of columns, and the second one all columns.

    The first has gaps, where its cells are merged in a spreadsheet; the second has none, no data,
    and no name twice, and stands above data.
    """
    if len(rows) < 3:
        return False
    first, second = ([cell.strip() for cell in row] for row in rows[:2])
    gaps = [not cell for cell in first[1:]]
    if not any(gaps) or all(gaps) or not all(second) or len(set(second)) < len(second):
        return False
    return not any(map(is_data, first + second)) and names_columns(second, rows[2:])


def fits(row: list[str], width: int) -> bool:
    """Whether a row has as many fields, but for empty ones at its end."""
    return len(row) == width or (len(row) > width and not any(row[width:]))


def names_columns(row: list[str], body: list[list[str]]) -> bool:
    """Whether a row is a header: more words than data stand above columns of data."""
    width, words = len(row), 0
    columns = zip(*(below[:width] for below in body if len(below) >= width), strict=True)
    for name, column in zip(row, columns, strict=False):
        if name.strip() and spells(column):
            words += -1 if is_data(name) else 1
    return words > 0


def _names_rows_below(above: list[str], rows: list[list[str]], width: int) -> bool:
    """Whether one word is the header of rows with one cell and a separator behind, or before it."""
    if not any(any(row[1:]) for row in rows):
        return True
    body = [row for row in rows if len(row) == width]
    return width == 2 and are_row_names(body) and names_columns(["", *above], body)


def are_row_names(body: list[list[str]]) -> bool:
    """Whether the first cells count the rows or are different words."""
    names = [row[0].strip() for row in body]
    different = len(set(names)) == len(names)
    return different and (_counts_rows(names) or not any(map(is_data, names)))


def _counts_rows(names: list[str]) -> bool:
    starts = [[str(number) for number in range(start, start + len(names))] for start in (0, 1)]
    return names in starts
