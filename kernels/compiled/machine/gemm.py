# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""The matrix product of the dense layers, compiled.

The matrices of small networks fit into a core's own cache. There, tiles that read B where it lies
run at the full speed of the multipliers, and copying it into another order first, as libraries for
large matrices do, only costs time. B is copied where it is transposed or larger than that cache.

A few hundred terms of an element at a time are summed in order, and that sum is added to its
starting value; where C has so few columns in all that a vector holds several terms of each, the
lanes' sums are added last. Neither depends on which rows or columns of C are computed together.
"""

from __future__ import annotations

import threading
from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.core.ccallback import CFunc
from numba.extending import intrinsic

from .cache import compile_callback
from .copies import copy, copy_panel, transpose
from .intrinsics import Variant, integers
from .options import OP_OPTIONS
from .tiles import MOST_ROWS, SINGLE, THIN_ROWS, thin_tile, tile
from .vectors import INT, MASKED, constants, itemsize, lanes, stack

# Terms of the sum that are added before the next tile's turn: so many rows of two vectors stay in
# the innermost cache.
_DEPTH = 256
# A larger B does not stay in a core's own cache.
_CACHE_BYTES = 2**20
# Fewer rows do not earn back the copy.
_COPY_ROWS = 32

_panel = stack(2 * _DEPTH)
_zeros = constants(0.0, 4)


def product(variant, arguments):
    """``C = start + A @ B``, or with `transposed` ``C = start + A @ B.T``.

    The arguments lie in memory as int64, in this order:

    m, n, k : int
        Rows of C, columns of C, terms of each sum; all at least 1.
    a, a_row, a_column : int
        Address of A, the distances between its rows and between its columns.
    b, ld_b : int
        Address of B, and the distance between rows as it lies in memory.
    transposed : int
        Whether B lies in memory as (n, k).
    start, ld_start : int
        Address of the starting values and the distance between their rows, 0 for a bias. An
        address of 0 stands for zeros.
    c, ld_c : int
        Address of C and the distance between its rows.
    """
    given = integers(arguments)
    m, n, k, a, a_row, a_column = given[0], given[1], given[2], given[3], given[4], given[5]
    b, ld_b, transposed, start, ld_start = given[6], given[7], given[8], given[9], given[10]
    c, ld_c = given[11], given[12]
    size, width, panel = itemsize(variant), lanes(variant), _panel(variant)
    start_column = size
    if start == 0:
        start, ld_start, start_column = _zeros(variant), 0, 0
    b_row, b_column = ld_b, 1
    if transposed != 0:
        b_row, b_column = 1, ld_b
    # The length of a row stands for the columns of the whole C, of which these may be a part.
    thin = 2 * ld_c <= width and a_column == 1 and k >= 2 * width
    copied = m >= _COPY_ROWS and size * ld_b * k > _CACHE_BYTES
    # Of a small product, divisions would take the most time.
    tiles, low, higher = 1, m, 0
    if m > MOST_ROWS:
        tiles = (m + MOST_ROWS - 1) // MOST_ROWS
        low = m // tiles
        higher = m - tiles * low
    most = k
    if k > _DEPTH:
        blocks = (k + _DEPTH - 1) // _DEPTH
        most = (k + blocks - 1) // blocks
        most = (most + width - 1) // width * width
    first = 0
    while first < k:
        depth = min(most, k - first)
        a_block, b_block = a + size * a_column * first, b + size * b_row * first
        if thin:
            columns = 1
            while columns < ld_c:
                columns *= 2
            terms = width // columns
            groups = (depth + terms - 1) // terms
            if columns != n or groups * terms != depth:
                copy_panel(variant, (groups + 1) // 2, _zeros(variant), 0, panel)
            for term in range(terms):
                copy(
                    variant,
                    (depth - term + terms - 1) // terms,
                    n,
                    b_block + size * b_row * term,
                    b_row * terms,
                    b_column,
                    panel + size * term,
                    width,
                    terms,
                )
            for i in range(0, m, THIN_ROWS):
                thin_tile(
                    variant,
                    columns,
                    depth,
                    a_block + size * a_row * i,
                    a_row,
                    panel,
                    start + size * ld_start * i,
                    ld_start,
                    c + size * ld_c * i,
                    ld_c,
                    min(THIN_ROWS, m - i),
                    n,
                )
        else:
            j = 0
            while j < n:
                left = n - j
                if not MASKED:
                    # What does not fill a vector is left to single columns.
                    left -= width - 1
                vectors = SINGLE
                if left > 3 * width and m == 1 and transposed == 0:
                    vectors = 4
                elif left > width:
                    vectors = 2
                elif left > 0 and n - j > 1:
                    vectors = 1
                columns = min(n - j, max(1, vectors * width))
                b_tile, b_step = b_block + size * b_column * j, b_row
                if transposed != 0 and vectors != SINGLE:
                    b_step = vectors * width
                    for h in range(0, columns, width):
                        transpose(
                            variant,
                            depth,
                            b_tile + size * ld_b * h,
                            ld_b,
                            panel + size * h,
                            b_step,
                            min(width, columns - h),
                        )
                    b_tile = panel
                elif copied and columns == 2 * width:
                    copy_panel(variant, depth, b_tile, b_row, panel)
                    b_tile, b_step = panel, 2 * width
                a_tile, c_tile, start_tile = a_block, c + size * j, start + start_column * j
                for t in range(tiles):
                    rows = low + (1 if t < higher else 0)
                    tile(
                        variant,
                        rows,
                        vectors,
                        depth,
                        a_tile,
                        a_row,
                        a_column,
                        b_tile,
                        b_step,
                        start_tile,
                        ld_start,
                        c_tile,
                        ld_c,
                        columns,
                    )
                    a_tile += size * a_row * rows
                    c_tile += size * ld_c * rows
                    start_tile += size * ld_start * rows
                j += columns
        start, ld_start, start_column = c, ld_c, size
        first += depth


_loaded: dict[str, CFunc] = {}
_lock = threading.Lock()


def load_product(dtype: str) -> None:
    """Compile or load `product`, for what is compiled or loaded later to call it by name.

    All ops share it: it takes ten times as long to compile as one of them.
    """
    with _lock:
        if dtype not in _loaded:
            signature = ((Variant(dtype), types.int64), types.void)
            callback = compile_callback(product, dtype, signature, OP_OPTIONS)
            binding.add_symbol(_symbol(dtype), int(callback.address or 0))
            _loaded[dtype] = callback


def _symbol(dtype: str) -> str:
    return f"fastmlp_product_{dtype}"


@intrinsic
def call_product(
    typing_context: Any,
    variant: Any,
    m: Any,
    n: Any,
    k: Any,
    a: Any,
    a_row: Any,
    a_column: Any,
    b: Any,
    ld_b: Any,
    transposed: Any,
    start: Any,
    ld_start: Any,
    c: Any,
    ld_c: Any,
) -> Any:
    """Call `product`, once `load_product` has been called."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        symbol = _symbol(str(variant.dtype))
        function = builder.module.globals.get(symbol)
        if function is None:
            kind = ir.FunctionType(ir.VoidType(), [INT, INT])
            function = ir.Function(builder.module, kind, symbol)
        # A callback with so many arguments would copy them from stack to stack, and wait for it.
        block = cgutils.alloca_once(builder, INT, size=len(args) - 1)
        for place, value in enumerate(args[1:]):
            builder.store(value, builder.gep(block, [INT(place)]))
        builder.call(function, [INT(0), builder.ptrtoint(block, INT)])
        return context.get_dummy_value()

    return types.void(variant, *[types.int64] * 13), codegen
