"""Sums of products of few columns, where a vector holds several terms of each."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

from .copies import call_copy, call_copy_panel
from .operands import Operands
from .tiles import THIN_ROWS, call_thin_tile
from .vectors import INT, call_emitted, constants_at


def _emit_add_thin(builder: Any, variant: Any, *arguments: Any) -> None:
    address, first, depth, panel = arguments
    operands = Operands(builder, variant, address, first)
    code, given, lanes = operands.code, operands.given, operands.code.lanes
    columns = INT(lanes // 2)
    few = lanes // 4
    while few >= 1:
        columns = builder.select(code.is_less(few, given.ld_c), columns, INT(few))
        few //= 2
    terms = builder.sdiv(INT(lanes), columns)
    groups = code.parts(depth, terms)
    unfilled = builder.or_(
        builder.icmp_signed("!=", columns, given.n),
        builder.icmp_signed("!=", builder.mul(groups, terms), depth),
    )
    with builder.if_then(unfilled):
        zeros = constants_at(builder, variant, 0.0, 2)
        call_copy_panel(builder, variant, code.parts(groups, 2), zeros, INT(0), panel)

    def copy_term(term: Any) -> list[Any]:
        count = code.parts(builder.sub(depth, term), terms)
        source = code.address(operands.b, (operands.b_row, term))
        steps = builder.mul(operands.b_row, terms), operands.b_column
        target = code.address(panel, (term, 1))
        call_copy(builder, variant, count, given.n, source, *steps, target, INT(lanes), terms)
        return []

    code.loop(terms, [], copy_term)

    def add_rows(left: Any, a: Any, start: Any, c: Any) -> list[Any]:
        rows = code.at_most(THIN_ROWS, left)
        to = [start, operands.ld_start, c, given.ld_c, rows, given.n, given.factor]
        call_thin_tile(builder, variant, columns, depth, a, given.a_row, panel, *to)
        return [
            builder.sub(left, rows),
            code.address(a, (given.a_row, rows)),
            code.address(start, (operands.ld_start, rows)),
            code.address(c, (given.ld_c, rows)),
        ]

    a = code.address(given.a, (first, 1))
    code.work_off(given.m, [a, operands.start, given.c], add_rows)


@intrinsic
def add_thin(
    typing_context: Any, variant: Any, arguments: Any, first: Any, depth: Any, panel: Any
) -> Any:
    """Add `depth` terms of a product where a vector holds several of each of C's few columns."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        call_emitted(builder, variant, "add_thin", _emit_add_thin, args[1:])
        return context.get_dummy_value()

    return types.void(variant, *[types.int64] * 4), codegen
