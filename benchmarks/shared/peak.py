"""The products of a step beside the most that a core's multipliers do."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from fastmlp.kernels.compiled.machine.cache import compile_callback
from fastmlp.kernels.compiled.machine.intrinsics import Variant
from fastmlp.kernels.compiled.machine.options import OP_OPTIONS
from fastmlp.kernels.compiled.machine.vectors import REGISTERS, Code, call_emitted, lanes_of
from fastmlp.peers.networks import Case

from .own_products import PRODUCTS, OwnProducts
from .rounds import interleaved

# Sums that do not wait for each other; two registers hold the factors.
_SUMS = REGISTERS - 4
_TURNS = 1000


def _emit(builder: Any, variant: Any, *arguments: Any) -> None:
    memory, turns = arguments
    code = Code(builder, variant)
    begin = code.pointer(memory)
    loaded = [code.load(code.moved(begin, place * code.lanes)) for place in range(_SUMS + 2)]

    def add(_: Any, *sums: Any) -> list[Any]:
        return [code.multiply_add(total, *loaded[:2]) for total in sums]

    for place, total in enumerate(code.loop(turns, loaded[2:], add)):
        code.store(total, code.moved(begin, (place + 2) * code.lanes))


@intrinsic
def _multiply_adds(typing_context: Any, variant: Any, memory: Any, turns: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        call_emitted(builder, variant, "multiply_adds", _emit, args[1:])
        return context.get_dummy_value()

    return types.void(variant, types.int64, types.int64), codegen


def _repeated(variant, memory, turns):  # type: ignore[no-untyped-def]
    _multiply_adds(variant, memory, turns)


class Peak:
    """Fused multiply-adds on registers and nothing else, in vectors as wide as those of products.

    Attributes
    ----------
    flops : int
        Of each time; a multiply-add counts as two.
    lanes : int
        Numbers of a vector.
    """

    def __init__(self, dtype: str) -> None:
        variant = Variant(dtype)
        self.lanes = lanes_of(variant)
        self.flops = 2 * _TURNS * _SUMS * self.lanes
        signature = ((variant, types.int64, types.int64), types.void)
        self._callback = compile_callback(_repeated, dtype, signature, OP_OPTIONS)
        kind = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 3)
        self._run: Callable[..., None] = kind(int(self._callback.address or 0))
        # Sums neither grow without end nor become denormal.
        self._memory = np.full((_SUMS + 2, self.lanes), 0.5, dtype)

    def run(self, repeats: int) -> None:
        """Do them so many times, without the interpreter's lock."""
        self._run(0, self._memory.ctypes.data, _TURNS * repeats)


def flops(case: Case, rows: int) -> dict[str, int]:
    """Additions and multiplications of a step's products, or of those of a prediction, by kind."""
    layers = [2 * rows * a * b for a, b in zip(case.widths, case.widths[1:], strict=False)]
    if case.predicts:
        return {"forward": sum(layers)}
    # Nothing asks for the gradient of the first layer's input.
    return {"forward": sum(layers), "d_x": sum(layers[1:]), "d_weight": sum(layers)}


@dataclass(frozen=True)
class PeakShares:
    """What products reach by what the multipliers do, round by round.

    Attributes
    ----------
    peak : list of float
        Additions and multiplications a second of multiply-adds alone.
    shares : dict of list of float
        Of the products of each kind, a key of `PRODUCTS`, and of all of them, ``"all"``.
    """

    peak: list[float]
    shares: dict[str, list[float]]


def measure_shares(case: Case, rows: int, rounds: int) -> PeakShares:
    """Time a case's products, cut as in a step, beside the peak; in turns, on one thread."""
    peak, counts = Peak("float32"), flops(case, rows)
    timed: dict[str, Callable[[int], Any]] = {"peak": peak.run}
    for product in PRODUCTS:
        if product in counts:
            own = OwnProducts(case, rows, cut=not case.predicts)
            own.keep_only(product)
            timed[product] = own.run
    seconds = interleaved(timed, rounds)
    speeds = [peak.flops / taken for taken in seconds.pop("peak")]
    together = [sum(turn) for turn in zip(*seconds.values(), strict=True)]
    shares = {
        name: [counts[name] / s / speed for s, speed in zip(taken, speeds, strict=True)]
        for name, taken in seconds.items()
    }
    total = sum(counts.values())
    shares["all"] = [total / s / speed for s, speed in zip(together, speeds, strict=True)]
    return PeakShares(speeds, shares)
