"""Some of the terms of a matrix product, added to what C holds.

Tiles stand below each other in columns of C. Of large matrices, what the tiles read is prepared:
columns of B that do not stay in a core's own cache are copied, a few vectors wide, to where their
rows lie one behind the other, and those after them are asked for meanwhile, as are the places of
C. Where a matrix's rows are a multiple of 4096 bytes long, numbers below each other meet in few
sets of the caches and push each other out: then B is copied too, and so are blocks of a transposed
A. Such an A is also copied where it is large, for each tile reads a little of each of its rows.
Columns of B are copied, too, where vectors of them would lie across lines of the cache.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

from .copies import LINE, call_ask, call_copy_panel, call_copy_rows, call_transpose
from .operands import Given, Operands
from .tiles import MOST_ROWS, SINGLE, call_tile
from .vectors import INT, MASKED, Code, call_emitted, stack_at

DEPTH = 256
"""Most terms that are added at a time: so many rows of two vectors stay in the innermost cache."""

FEW = 32
"""Fewer rows or terms do not earn back a copy, or asking ahead."""

SAME_SET = 4096
"""Lines at multiples of this distance fall into one set of the innermost cache, and into few of
the next one."""

FAR = 2**18
"""Bytes from which on reading a transposed A by a few numbers of each row takes longer than copying
blocks of it."""

# A larger matrix does not stay in a core's own cache.
_CACHE_BYTES = 2**20
# Vectors of rows of A, and of columns of B, that are copied where terms of A meet.
_KEPT = 8


class _Small(Operands):
    """Adds terms to C, of operands so small that they are read where they lie."""

    def __init__(self, builder: Any, variant: Any, address: Any, first: Any, depth: Any) -> None:
        super().__init__(builder, variant, address, first)
        self.depth, self.m, self.a_column = depth, self.given.m, self.given.a_column
        self.a = self.code.address(self.given.a, (self.a_column, first))
        self.c = self.given.c

    def add(self, n: Any, panel: Any) -> None:
        """Work on the next `n` columns."""
        start, c = self.start, self.c
        self.code.work_off(n, [self.b, start, c, panel], self._add_columns)

    def _add_columns(self, left: Any, b: Any, start: Any, c: Any, panel: Any) -> list[Any]:
        builder, code, lanes = self.builder, self.code, self.code.lanes
        vectors = self._vectors(left)
        filled = builder.mul(vectors, INT(lanes))
        single = builder.icmp_signed("==", vectors, INT(SINGLE))
        columns = builder.select(single, INT(1), code.at_most(filled, left))
        packed = builder.and_(builder.not_(single), self._is_packed(columns))

        def pack() -> list[Any]:
            self._pack(b, filled, columns, panel)
            return [panel, filled]

        source = code.when(packed, pack, lambda: [b, self.b_row])
        others = builder.sub(left, columns)
        following = code.address(b, (self.b_column, columns))
        asking = self._asking(others, columns, following)
        self._add_tiles(vectors, columns, source, start, c, asking)
        return [
            others,
            following,
            code.address(start, (self.start_column, columns)),
            code.address(c, (columns, 1)),
            self._after(panel, filled),
        ]

    def _vectors(self, left: Any) -> Any:
        """How many vectors the next tiles have, where so many columns are left."""
        builder, code, lanes = self.builder, self.code, self.code.lanes
        # Without masks, what does not fill a vector is left to single columns.
        filled = left if MASKED else builder.sub(left, INT(lanes - 1))
        some = builder.and_(code.is_less(0, filled), code.is_less(1, left))
        vectors = builder.select(some, INT(1), INT(SINGLE))
        vectors = builder.select(code.is_less(lanes, filled), INT(2), vectors)
        row = builder.and_(
            builder.icmp_signed("==", self.given.m, INT(1)), builder.not_(self.turned)
        )
        four = builder.and_(row, code.is_less(3 * lanes, filled))
        return builder.select(four, INT(4), vectors)

    def _is_packed(self, columns: Any) -> Any:
        """Whether columns of B are copied to where their rows lie one behind the other."""
        return self.turned

    def _pack(self, b: Any, step: Any, columns: Any, panel: Any) -> None:
        """Copy columns of B to rows a `step` apart."""
        builder, variant, lanes = self.builder, self.variant, INT(self.code.lanes)
        ld = self.given.ld_b

        def turn(left: Any, source: Any, target: Any) -> list[Any]:
            count = self.code.at_most(left, lanes)
            call_transpose(builder, variant, self.depth, source, ld, target, step, count)
            places = self.code.address(source, (lanes, ld)), self.code.address(target, (lanes, 1))
            return [builder.sub(left, lanes), *places]

        self.code.work_off(columns, [b, panel], turn)

    def _after(self, panel: Any, columns: Any) -> Any:
        """The place of the next columns of B."""
        return panel

    def _asking(self, others: Any, columns: Any, following: Any) -> list[Any]:
        """What tiles carry along to ask for memory that is needed soon."""
        return []

    def _ask(self, rows: Any, columns: Any, c: Any, asking: list[Any]) -> list[Any]:
        """Ask for a tile's share of it; returned is what the next tile is to carry."""
        return []

    def _add_tiles(
        self, vectors: Any, columns: Any, source: list[Any], start: Any, c: Any, asking: list[Any]
    ) -> None:
        """Add to columns of C, tile below tile."""
        builder, code, given = self.builder, self.code, self.given

        def add(left: Any, a: Any, start: Any, c: Any, *asking: Any) -> list[Any]:
            rows = self._rows(left)
            asked = self._ask(rows, columns, c, list(asking))
            to = [start, self.ld_start, c, given.ld_c, columns, given.factor]
            operands = [self.depth, a, given.a_row, self.a_column, *source, *to]
            call_tile(builder, self.variant, rows, vectors, *operands)
            return [
                builder.sub(left, rows),
                code.address(a, (given.a_row, rows)),
                code.address(start, (self.ld_start, rows)),
                code.address(c, (given.ld_c, rows)),
                *asked,
            ]

        code.work_off(self.m, [self.a, start, c, *asking], add)

    def _rows(self, left: Any) -> Any:
        """Rows of the next tile: the last three are about equally high, and none is very low."""
        builder, code = self.builder, self.code

        def last_two() -> list[Any]:
            halves = code.parts(left, 2)
            return [builder.select(code.is_less(MOST_ROWS, left), halves, left)]

        def last_three() -> list[Any]:
            fit = code.is_less(2 * MOST_ROWS, left)
            return code.when(fit, lambda: [code.parts(left, 3)], last_two)

        return code.when(
            code.is_less(3 * MOST_ROWS - 1, left), lambda: [INT(MOST_ROWS)], last_three
        )[0]


class _Block(_Small):
    """Adds terms to `m` rows of C from row i on, and to columns from column j on.

    `a` is the address of these rows' terms, `a_column` the distance between two of them. It is not
    the product's where the rows are a copied block: then columns of B, once copied for the first
    block, are kept for the others.
    """

    def __init__(
        self,
        builder: Any,
        variant: Any,
        address: Any,
        first: Any,
        depth: Any,
        i: Any,
        m: Any,
        j: Any,
        a: Any,
        a_column: Any,
    ) -> None:
        super().__init__(builder, variant, address, first, depth)
        self.m, self.a, self.a_column = m, a, a_column
        code, given = self.code, self.given
        self.last = builder.add(first, depth)
        self.below = code.address(given.b, (self.b_row, self.last))
        self.b = code.address(self.b, (self.b_column, j))
        self.start = code.address(self.start, (self.ld_start, i), (self.start_column, j))
        self.c = code.address(self.c, (given.ld_c, i), (1, j))
        self.kept = builder.icmp_signed("!=", a_column, given.a_column)
        self.again = builder.and_(self.kept, code.is_less(0, i))
        many = builder.icmp_signed(">=", m, INT(FEW))
        self.far = builder.and_(many, self._is_above(_CACHE_BYTES, given.ld_b, given.k))
        row = code.address(INT(0), (given.ld_b, 1))
        meets = builder.icmp_signed("==", builder.and_(row, INT(SAME_SET - 1)), INT(0))
        self.copied = builder.or_(self.far, builder.and_(many, meets))
        # A load from two lines of the cache takes as long as two loads.
        offset = builder.and_(builder.or_(self.b, row), INT(code.bytes - 1))
        enough = builder.icmp_signed(">=", m, INT(2 * FEW))
        self.across = builder.and_(enough, builder.icmp_signed("!=", offset, INT(0)))
        deep = builder.icmp_signed(">=", depth, INT(FEW))
        self.c_far = builder.and_(deep, self._is_above(_CACHE_BYTES // 2, given.ld_c, given.m))

    def _is_above(self, n_bytes: int, rows: Any, columns: Any) -> Any:
        return self.code.is_less(n_bytes, self.code.address(INT(0), (rows, columns)))

    def _is_packed(self, columns: Any) -> Any:
        builder = self.builder
        two = builder.and_(self.copied, self._are_two(columns))
        return builder.or_(self.turned, builder.or_(self.across, two))

    def _are_two(self, columns: Any) -> Any:
        """Whether columns of B are two whole vectors."""
        return self.builder.icmp_signed("==", columns, INT(2 * self.code.lanes))

    def _pack(self, b: Any, step: Any, columns: Any, panel: Any) -> None:
        builder, variant, ld = self.builder, self.variant, self.given.ld_b
        with (
            builder.if_then(builder.not_(self.again)),
            builder.if_else(self.turned) as (turned, straight),
        ):
            with turned:
                super()._pack(b, step, columns, panel)
            with straight, builder.if_else(self._are_two(columns)) as (two, fewer):
                with two:
                    call_copy_panel(builder, variant, self.depth, b, ld, panel)
                with fewer:
                    call_copy_rows(builder, variant, self.depth, columns, b, ld, panel, step)

    def _after(self, panel: Any, columns: Any) -> Any:
        depth = self.builder.select(self.kept, self.depth, INT(0))
        return self.code.address(panel, (depth, columns))

    def _asking(self, others: Any, columns: Any, following: Any) -> list[Any]:
        """The next columns of B: their address, the rows that a tile asks for, and their lines."""
        builder, code = self.builder, self.code
        beside = code.is_less(0, others)
        more = builder.or_(beside, code.is_less(self.last, self.given.k))

        def share() -> list[Any]:
            rows = builder.select(self.turned, columns, self.depth)
            length = builder.select(self.turned, self.depth, columns)
            return [code.parts(rows, code.parts(self.m, MOST_ROWS)), self._lines(length)]

        asked = code.when(builder.and_(self.far, more), share, lambda: [INT(0), INT(0)])
        return [builder.select(beside, following, self.below), *asked]

    def _ask(self, rows: Any, columns: Any, c: Any, asking: list[Any]) -> list[Any]:
        builder, code, ld_c = self.builder, self.code, self.given.ld_c
        ahead, asked, lines = asking
        with builder.if_then(code.is_less(0, asked)):
            call_ask(builder, self.variant, asked, lines, ahead, self.given.ld_b)
        with builder.if_then(self.c_far):
            call_ask(builder, self.variant, rows, self._lines(columns), c, ld_c)
        return [code.address(ahead, (self.given.ld_b, asked)), asked, lines]

    def _lines(self, length: Any) -> Any:
        return self.code.parts(self.code.address(INT(0), (length, 1)), LINE)


@intrinsic
def add_small(
    typing_context: Any, variant: Any, arguments: Any, first: Any, depth: Any, panel: Any
) -> Any:
    """Add `depth` terms of a small product, from the first on."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        sums = _Small(builder, variant, *args[1:4])
        sums.add(sums.given.n, args[4])
        return context.get_dummy_value()

    return types.void(variant, *[types.int64] * 4), codegen


def _emit_add_blocks(builder: Any, variant: Any, *arguments: Any) -> None:
    address, first, depth, in_blocks = arguments
    code, given = Code(builder, variant), Given.at(builder, address)
    # Of this function's own: what a large product takes of the stack, small ones are spared.
    panels = stack_at(builder, variant, _KEPT * DEPTH)
    packed = stack_at(builder, variant, (_KEPT + 1) * DEPTH)
    copied = builder.icmp_signed("!=", in_blocks, INT(0))
    span = INT(_KEPT * code.lanes)
    rows, columns = (builder.select(copied, span, whole) for whole in (given.m, given.n))
    # Rows that lie one vector further apart do not meet.
    step = builder.select(copied, builder.add(span, INT(code.lanes)), given.a_column)

    def add_columns(left: Any, j: Any) -> list[Any]:
        n = code.at_most(left, columns)

        def add_rows(below: Any, i: Any) -> list[Any]:
            m = code.at_most(below, rows)
            a = code.address(given.a, (given.a_row, i), (given.a_column, first))

            def copy_block() -> list[Any]:
                call_copy_rows(builder, variant, depth, m, a, given.a_column, packed, step)
                return [packed]

            (block,) = code.when(copied, copy_block, lambda: [a])
            _Block(builder, variant, address, first, depth, i, m, j, block, step).add(n, panels)
            return [builder.sub(below, m), builder.add(i, m)]

        code.work_off(given.m, [INT(0)], add_rows)
        return [builder.sub(left, n), builder.add(j, n)]

    code.work_off(given.n, [INT(0)], add_columns)


@intrinsic
def add_blocks(
    typing_context: Any, variant: Any, arguments: Any, first: Any, depth: Any, in_blocks: Any
) -> Any:
    """Add `depth` terms of a product, from the first on.

    With `in_blocks`, A's columns lie one number apart and its terms far apart: blocks of rows are
    copied to where these are nearer to each other, and columns of B kept for all.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        call_emitted(builder, variant, "add_blocks", _emit_add_blocks, args[1:])
        return context.get_dummy_value()

    return types.void(variant, *[types.int64] * 4), codegen
