"""Copies of matrices into another order."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

from .vectors import INT, MASKED, Code, call_emitted

LINE = 64
"""Bytes of a cache line."""


def _emit_copy(builder: Any, variant: Any, *arguments: Any) -> None:
    rows, columns, source, source_row, source_column, target, target_row, target_column = arguments
    code = Code(builder, variant, 1)

    def copy_row(row: Any) -> list[Any]:
        def copy_number(_: Any, left: Any, right: Any) -> list[Any]:
            code.store(code.load(left), right)
            return [code.moved(left, source_column), code.moved(right, target_column)]

        begin = [code.pointer(source, (row, source_row)), code.pointer(target, (row, target_row))]
        code.loop(columns, begin, copy_number)
        return []

    code.loop(rows, [], copy_row)


def call_copy(builder: Any, variant: Any, *arguments: Any) -> None:
    """Call `copy` where code is emitted."""
    call_emitted(builder, variant, "copy", _emit_copy, arguments)


@intrinsic
def copy(
    typing_context: Any,
    variant: Any,
    rows: Any,
    columns: Any,
    source: Any,
    source_row: Any,
    source_column: Any,
    target: Any,
    target_row: Any,
    target_column: Any,
) -> Any:
    """Copy a matrix of at least one row and column, number by number."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        call_copy(builder, variant, *args[1:])
        return context.get_dummy_value()

    return types.void(variant, *[types.int64] * 8), codegen


def _emit_copy_panel(builder: Any, variant: Any, *arguments: Any) -> None:
    rows, source, source_row, target = arguments
    code = Code(builder, variant)

    def copy_row(row: Any) -> list[Any]:
        left = code.pointer(source, (row, source_row))
        right = code.pointer(target, (row, 2 * code.lanes))
        for place in (0, code.lanes):
            code.store(code.load(code.moved(left, place)), code.moved(right, place))
        return []

    code.loop(rows, [], copy_row)


def call_copy_panel(builder: Any, variant: Any, *arguments: Any) -> None:
    """Copy rows of two vectors, at least one, to where they lie one behind the other.

    The arguments: rows, source, source_row, target.
    """
    call_emitted(builder, variant, "copy_panel", _emit_copy_panel, arguments)


def _emit_copy_rows(builder: Any, variant: Any, *arguments: Any) -> None:
    rows, columns, source, source_row, target, target_row = arguments
    code = Code(builder, variant)
    vectors = builder.sdiv(builder.add(columns, INT(code.lanes - 1)), INT(code.lanes))

    def copy_row(row: Any) -> list[Any]:
        left = code.pointer(source, (row, source_row))
        right = code.pointer(target, (row, target_row))

        def copy_vector(vector: Any) -> list[Any]:
            place = builder.mul(vector, INT(code.lanes))
            rest = builder.sub(columns, place)
            value = code.load_first(code.moved(left, place), rest)
            code.store(value, code.moved(right, place))
            return []

        code.loop(vectors, [], copy_vector)
        return []

    code.loop(rows, [], copy_row)


def call_copy_rows(builder: Any, variant: Any, *arguments: Any) -> None:
    """Copy rows, at least one, to where they have another distance; whole vectors are written.

    The arguments: rows, columns, source, source_row, target, target_row.
    """
    call_emitted(builder, variant, "copy_rows", _emit_copy_rows, arguments)


def _emit_ask(builder: Any, variant: Any, *arguments: Any) -> None:
    rows, lines, source, source_row = arguments
    code = Code(builder, variant)
    line = LINE * 8 // int(variant.dtype.bitwidth)

    def ask_row(row: Any) -> list[Any]:
        left = code.pointer(source, (row, source_row))

        def ask_line(number: Any) -> list[Any]:
            code.ask(code.moved(left, builder.mul(number, INT(line))))
            return []

        code.loop(lines, [], ask_line)
        return []

    code.loop(rows, [], ask_row)


def call_ask(builder: Any, variant: Any, *arguments: Any) -> None:
    """Ask for so many cache lines of each of some rows, at least one of one.

    The arguments: rows, lines, source, source_row.
    """
    call_emitted(builder, variant, "ask", _emit_ask, arguments)


def _emit_transpose(builder: Any, variant: Any, *arguments: Any) -> None:
    length, source, source_row, target, target_row, rows = arguments
    code = Code(builder, variant)
    # Rows beyond the last one repeat it: nothing outside the matrix is read.
    last = builder.sub(rows, INT(1))
    sources = [
        code.pointer(source, (code.at_most(row, last), source_row)) for row in range(code.lanes)
    ]

    def turn(block: Any) -> list[Any]:
        first = builder.mul(block, INT(code.lanes))
        rest = builder.sub(length, first)
        places = [code.moved(pointer, first) for pointer in sources]

        def part() -> list[Any]:
            mask = code.first_lanes(rest)
            return [code.load(place, mask) for place in places]

        if MASKED:
            vectors = part()
        else:
            whole = builder.icmp_signed(">=", rest, INT(code.lanes))
            vectors = code.when(whole, lambda: [code.load(place) for place in places], part)
        right = code.pointer(target, (first, target_row))
        for row, vector in enumerate(_transposed(code, vectors)):
            code.store(vector, code.moved(right, builder.mul(INT(row), target_row)))
        return []

    blocks = builder.sdiv(builder.add(length, INT(code.lanes - 1)), INT(code.lanes))
    code.loop(blocks, [], turn)


def _transposed(code: Code, vectors: list[Any]) -> list[Any]:
    """Swap blocks of 1, 2, 4... lanes between vectors that are as far apart."""
    vectors, lanes = list(vectors), code.lanes
    step = 1
    while step < lanes:
        upper = [lanes + lane - step if lane & step else lane for lane in range(lanes)]
        lower = [lanes + lane if lane & step else lane + step for lane in range(lanes)]
        for place in range(lanes):
            if not place & step:
                left, right = vectors[place], vectors[place + step]
                vectors[place] = code.shuffle(left, right, upper)
                vectors[place + step] = code.shuffle(left, right, lower)
        step *= 2
    return vectors


def call_transpose(builder: Any, variant: Any, *arguments: Any) -> None:
    """Write rows of `length` numbers, 1 to a vector of them, as columns.

    Whole vectors are written, in as many rows as `length` rounded up to a multiple of a vector's
    lanes; what is outside the matrix has no meaning.

    The arguments: length, source, source_row, target, target_row, rows.
    """
    call_emitted(builder, variant, "transpose", _emit_transpose, arguments)
