"""Products of small blocks that stay in vector registers while their sums run."""

from __future__ import annotations

from functools import partial
from typing import Any

from .vectors import INT, MASKED, REGISTERS, Code, call_case, lanes_of

MOST_ROWS = 8 if REGISTERS == 32 else 6
"""Rows of the highest `tile`: two registers for each, beside those that hold operands."""

THIN_ROWS = 8
"""Rows that `thin_tile` works on together."""

SINGLE = 0
"""In place of a number of vectors: a tile one number wide."""

_SHAPES = [(rows, vectors) for rows in range(1, MOST_ROWS + 1) for vectors in (SINGLE, 1, 2)]
# One row of two registers would wait for each addition to end before the next one.
_SHAPES += [(1, 4)]


def _emit_tile(rows: int, vectors: int, builder: Any, variant: Any, *arguments: Any) -> None:
    depth, a, a_row, a_column, b, b_row, start, start_row, c, c_row, columns, factor = arguments
    code = Code(builder, variant, 1 if vectors == SINGLE else None)
    parts = max(vectors, 1)
    masks = [None] * parts
    if MASKED and vectors != SINGLE:
        masks[-1] = code.first_lanes(builder.sub(columns, INT((parts - 1) * code.lanes)))

    def load(pointer: Any) -> list[Any]:
        places = [code.moved(pointer, part * code.lanes) for part in range(parts)]
        return [code.load(place, mask) for place, mask in zip(places, masks, strict=True)]

    sources = [code.hidden(code.pointer(a, (row, a_row))) for row in range(rows)]

    def add(k: Any, *sums: Any) -> list[Any]:
        right = load(code.pointer(b, (k, b_row)))
        column = builder.mul(k, a_column)
        left = []
        for source in sources:
            number = builder.load(code.moved(source, column))
            left += [code.spread(number)] * parts
        return [
            code.multiply_add(*operands) for operands in zip(left, right * rows, sums, strict=True)
        ]

    sums = code.loop(depth, [code.zeros()] * (rows * parts), add)
    factors = code.spread(code.number(factor))
    for row in range(rows):
        begin, target = load(code.pointer(start, (row, start_row))), code.pointer(c, (row, c_row))
        for part, mask in enumerate(masks):
            total = code.multiply_add(factors, sums[row * parts + part], begin[part])
            code.store(total, code.moved(target, part * code.lanes), mask)


def call_tile(builder: Any, variant: Any, rows: Any, vectors: Any, *arguments: Any) -> None:
    """``C = start + factor (A @ B)`` for so many rows and vectors of columns, and `depth` terms.

    The terms of an element, at least one, are added in their order, so the tile's shape does not
    change a bit of it. There are 1 to `MOST_ROWS` rows and 1 or 2 vectors, or 1 row and 4 vectors;
    the vectors are as many as `columns` needs, and where there are no masks as many as it fills.
    `SINGLE` stands for one column.

    Other arguments, in their order: depth, a, a_row, a_column, b, b_row, start, start_row, c,
    c_row, columns, factor.
    """
    cases = {
        8 * height + width: (f"tile_{height}_{width}", partial(_emit_tile, height, width))
        for height, width in _SHAPES
    }
    key = builder.add(builder.mul(rows, INT(8)), vectors)
    call_case(builder, variant, key, cases, arguments)


def _emit_thin_tile(columns: int, builder: Any, variant: Any, *arguments: Any) -> None:
    depth, a, a_row, packed, start, start_row, c, c_row, n_rows, n_columns, factor = arguments
    code = Code(builder, variant)
    terms = code.lanes // columns
    groups, rest = builder.sdiv(depth, INT(terms)), builder.srem(depth, INT(terms))
    # Rows beyond the last one repeat it: the same numbers go to the same place again.
    last = builder.sub(n_rows, INT(1))
    rows = [code.at_most(row, last) for row in range(THIN_ROWS)]

    sources = [code.pointer(a, (row, a_row)) for row in rows]
    repeated = [lane % terms for lane in range(code.lanes)]

    def add(mask: Any, group: Any, *sums: Any) -> list[Any]:
        right = code.load(code.pointer(packed, (group, code.lanes)))
        place = builder.mul(group, INT(terms))
        results = []
        for source, total in zip(sources, sums, strict=True):
            few = code.load(code.moved(source, place), mask, terms)
            left = code.shuffle(few, few, repeated)
            results.append(code.multiply_add(left, right, total))
        return results

    nothing = [code.zeros()] * THIN_ROWS
    sums = code.when(
        builder.icmp_signed(">", groups, INT(0)),
        lambda: code.loop(groups, nothing, partial(add, None)),
        lambda: nothing,
    )
    sums = code.when(
        builder.icmp_signed(">", rest, INT(0)),
        lambda: add(code.first_lanes(rest, terms), groups, *sums),
        lambda: sums,
    )
    for _ in range(terms.bit_length() - 1):
        sums = _add_neighbours(code, sums)
    lanes = len(rows) * columns // len(sums)
    mask = None if columns == 1 else code.first_lanes(n_columns, columns)
    totals = []
    of_row = Code(builder, variant, columns)
    factors = of_row.spread(code.number(factor))
    for row, number in enumerate(rows):
        place, first = divmod(row * columns, lanes)
        own = code.shuffle(sums[place], sums[place], list(range(first, first + columns)))
        begin = code.load(code.pointer(start, (number, start_row)), mask, columns)
        totals.append(of_row.multiply_add(factors, own, begin))
    for number, total in zip(rows, totals, strict=True):
        code.store(total, code.pointer(c, (number, c_row)), mask)


def _add_neighbours(code: Code, vectors: list[Any]) -> list[Any]:
    """The sums of neighbouring lanes, of two vectors at a time while there are two."""
    pairs = list(zip(vectors[::2], vectors[1::2] or vectors, strict=True))
    lanes = vectors[0].type.count * min(len(vectors), 2)
    even, odd = list(range(0, lanes, 2)), list(range(1, lanes, 2))
    return [
        code.builder.fadd(code.shuffle(left, right, even), code.shuffle(left, right, odd))
        for left, right in pairs
    ]


def call_thin_tile(builder: Any, variant: Any, width: Any, *arguments: Any) -> None:
    """``C = start + factor (A @ B)`` where a vector holds several terms of each of few columns.

    `width` is a power of two, at least the number of columns and at most half a vector's lanes; a
    vector holds ``lanes // width`` terms. `packed` is B as ``(groups of terms, width, terms)``,
    zero where there is no term. There are at most `THIN_ROWS` rows.

    Other arguments, in their order: depth, a, a_row, packed, start, start_row, c, c_row, rows,
    columns, factor.
    """
    cases = {}
    few = 1
    while 2 * few <= lanes_of(variant):
        cases[few] = (f"thin_tile_{few}", partial(_emit_thin_tile, few))
        few *= 2
    call_case(builder, variant, width, cases, arguments)
