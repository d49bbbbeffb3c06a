# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""The matrix product of the dense layers, compiled.

The matrices of small networks fit into a core's own cache. There, tiles that read B where it lies
run at the full speed of the multipliers, and copying it into another order first, as libraries for
large matrices do, only costs time. What is done for larger ones is told in `sums.py`.

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
from .intrinsics import Variant, integers
from .options import OP_OPTIONS
from .sums import DEPTH, FAR, FEW, SAME_SET, add_blocks, add_small
from .thin_sums import add_thin
from .vectors import INT, itemsize, lanes, stack

# Numbers of a B of which so little is done that looking further would take the most time.
_SMALL = 2**13

_panel = stack(2 * DEPTH)


def product(variant, arguments):
    """``C = start + factor (A @ B)``, or with `transposed` ``C = start + factor (A @ B.T)``.

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
    factor : int
        The bits of a float64. The sum of some terms is multiplied by it where it is added to what
        is there, in one instruction: it costs no time, and 1 changes no bit.
    """
    given = integers(arguments)
    m, k, a_row, a_column = given[0], given[2], given[4], given[5]
    size, width, panel = itemsize(variant), lanes(variant), _panel(variant)
    # The length of a row stands for the columns of the whole C, of which these may be a part.
    thin = 2 * given[12] <= width and a_column == 1 and k >= 2 * width
    term = size * a_column
    turned = a_row == 1 and min(m, k) >= FEW
    copied = turned and (term & (SAME_SET - 1) == 0 or term * k > FAR)
    small = k * given[7] <= _SMALL and not copied
    most = k
    if k > DEPTH:
        # Of a small product, divisions would take the most time.
        blocks = (k + DEPTH - 1) // DEPTH
        most = (k + blocks - 1) // blocks
        most = (most + width - 1) // width * width
    first = 0
    while first < k:
        depth = min(most, k - first)
        if thin:
            add_thin(variant, arguments, first, depth, panel)
        elif small:
            add_small(variant, arguments, first, depth, panel)
        else:
            add_blocks(variant, arguments, first, depth, 1 if copied else 0)
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
    factor: Any,
) -> Any:
    """Call `product`, once `load_product` has been called; `factor` is a float64."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        symbol = _symbol(str(variant.dtype))
        function = builder.module.globals.get(symbol)
        if function is None:
            kind = ir.FunctionType(ir.VoidType(), [INT, INT])
            function = ir.Function(builder.module, kind, symbol)
        # A callback with so many arguments would copy them from stack to stack, and wait for it.
        block = cgutils.alloca_once(builder, INT, size=len(args) - 1)
        for place, value in enumerate(args[1:]):
            bits = builder.bitcast(value, INT)
            builder.store(bits, builder.gep(block, [INT(place)]))
        builder.call(function, [INT(0), builder.ptrtoint(block, INT)])
        return context.get_dummy_value()

    return types.void(variant, *[types.int64] * 13, types.float64), codegen
