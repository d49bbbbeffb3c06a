"""What matrix products take and what they reach: ``python -m benchmarks.products``.

Two tables, both on one thread. The first holds the share of a training step that its products
take: those of every dense layer, ``x @ weight`` forward, ``x.T @ d_z`` for the weights, and
``d_z @ weight.T`` for the layer's input, which the first layer's does not need; of a prediction
those forward, for a block of 256 rows at a time. They are done by the ``sgemm`` of SciPy's BLAS, on
arrays of the step's shapes, one after the other in a compiled loop, so that no call from Python is
timed. A step that did nothing else, by that ``sgemm``, would have a share of 1. Where fastmlp has
products of its own that are faster, the share may exceed 1.

The second holds what fastmlp's own products reach of the peak: of the speed of a loop of
independent fused multiply-adds on registers, in vectors as wide, that takes turns with them. The
products are cut into shards as those of a step are. To see other vectors, compile for another
processor: ``NUMBA_CPU_NAME=haswell NUMBA_CPU_FEATURES=+avx,+avx2,+fma`` for AVX2.
"""

from __future__ import annotations

import argparse
import ctypes
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import ceil
from time import perf_counter, sleep
from typing import Any

import numpy as np

from fastmlp.peers.machine import blas_of_scipy
from fastmlp.peers.networks import CASES, Array, Case, first_parameters, make_data
from fastmlp.peers.report import quartiles

from .shared.peak import Peak, measure_shares
from .shared.rounds import conditions, spread
from .shared.rounds import table as markdown

_SECONDS = 0.1
_PAUSE = 0.1
# Rows of a prediction whose products are done together, so that they stay in the cache.
_BLOCK = 256
# Of a prediction, where there is no other limit.
_PREDICTED_ROWS = 100_000


# Networks that are wider than any of the cases.
_WIDE = {
    name: Case(name, widths, "relu", "linear", batch=256, rows=16_000)
    for name, widths in (
        ("W512", (512, 512, 512)),
        ("W1024", (1024, 1024, 1024)),
        ("W2048", (2048, 2048, 2048)),
    )
}
_TABLES = ("steps", "peak")


@dataclass(frozen=True)
class Product:
    """``out = a @ b``, of row-major arrays or transposes of such."""

    a: Array
    b: Array
    out: Array

    def arguments(self, keep: list[Array]) -> list[int]:
        """Addresses of the 13 arguments of sgemm; `keep` must live as long as they are used.

        BLAS counts in columns, so it is asked for ``out.T = b.T @ a.T``.
        """
        letters = np.array(
            [ord("N" if array.flags.c_contiguous else "T") for array in (self.b, self.a)],
            dtype=np.uint8,
        )
        rows = [array if array.flags.c_contiguous else array.T for array in (self.b, self.a)]
        sizes = np.array(
            [
                *(self.out.shape[1], self.out.shape[0], self.a.shape[1]),
                *(rows[0].shape[1], rows[1].shape[1], self.out.shape[1]),
            ],
            dtype=np.int32,
        )
        scalars = np.array([1, 0], dtype=np.float32)
        keep += [letters, sizes, scalars, self.a, self.b, self.out]

        def at(array: Array, place: int = 0) -> int:
            return int(array.ctypes.data) + place * array.itemsize

        m, n, k, ld_b, ld_a, ld_out = (at(sizes, place) for place in range(6))
        return [
            *(at(letters, 0), at(letters, 1), m, n, k, at(scalars, 0)),
            *(at(self.b), ld_b, at(self.a), ld_a, at(scalars, 1), at(self.out), ld_out),
        ]


def step_products(case: Case, rows: int) -> list[Product]:
    """All products of a step on so many rows, or of their prediction, in the order of the step."""
    rng = np.random.default_rng(22)

    def random(*shape: int) -> Array:
        return rng.standard_normal(shape, dtype=np.float32)

    forward, backward = [], []
    for number in range(case.depth):
        n_in, n_out = case.widths[number : number + 2]
        x, weight, d_z = random(rows, n_in), random(n_in, n_out), random(rows, n_out)
        forward.append(Product(x, weight, np.empty_like(d_z)))
        if case.predicts:
            continue
        if number > 0:
            backward.append(Product(d_z, weight.T, np.empty_like(x)))
        backward.append(Product(x.T, d_z, np.empty_like(weight)))
    return [*forward, *reversed(backward)]


@cache
def _compiled_loop() -> Callable[[Array, int], None]:
    """The loop over a table of sgemm's arguments, compiled."""
    import numba
    from scipy.linalg import cython_blas

    capsule = cython_blas.__pyx_capi__["sgemm"]
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype = ctypes.c_char_p
    api.PyCapsule_GetName.argtypes = [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    address = api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule))
    # Each argument is a pointer; as numbers they come from a table.
    sgemm = ctypes.CFUNCTYPE(None, *[ctypes.c_ssize_t] * 13)(address)

    def loop(table: Array, repeats: int) -> None:
        for _ in range(repeats):
            for t in table:
                sgemm(
                    *(t[0], t[1], t[2], t[3], t[4], t[5], t[6]),
                    *(t[7], t[8], t[9], t[10], t[11], t[12]),
                )

    compiled: Callable[[Array, int], None] = numba.njit(nogil=True)(loop)
    return compiled


class Products:
    """The products of a step, ready to run; checked against NumPy."""

    def __init__(self, case: Case, rows: int) -> None:
        self._keep: list[Array] = []
        products = step_products(case, rows)
        self._table = np.array([p.arguments(self._keep) for p in products], dtype=np.int64)
        self._loop = _compiled_loop()
        self.run(1)
        for product in products:
            expected = product.a.astype(np.float64) @ product.b
            tolerance = 1e-5 * product.a.shape[1]
            np.testing.assert_allclose(product.out, expected, rtol=1e-3, atol=tolerance)

    def run(self, repeats: int) -> None:
        """Do them all so many times."""
        self._loop(self._table, repeats)


@dataclass(frozen=True)
class Shares:
    """Seconds of products and of whole steps, by rounds in which they took turns."""

    products: list[float]
    steps: list[float]

    @property
    def shares(self) -> list[float]:
        """Products by steps of the same round, in ascending order."""
        return sorted(p / s for p, s in zip(self.products, self.steps, strict=True))


def measure(case: Case, rounds: int, rows: int | None = None) -> Shares:
    """Time a case's products beside its step, a prediction's by blocks; both on one thread.

    Parameters
    ----------
    case : Case
    rounds : int
    rows : int, optional
        Most rows of an epoch or a prediction.
    """
    from threadpoolctl import threadpool_limits

    from fastmlp.peers.with_fastmlp import Peer

    if case.predicts:
        rows = rows or _PREDICTED_ROWS
    x, y = make_data(case, rows)
    peer = Peer(case, x, y, first_parameters(case), "fit", 1)
    found = Shares([], [])
    with threadpool_limits(1, user_api="blas"):
        step_rows = min(_BLOCK if case.predicts else case.batch, len(x))
        products = Products(case, step_rows)
        work = _repeated(peer.predict, x) if case.predicts else peer.fit
        timed: list[tuple[Callable[[int], Any], float, list[float]]] = [
            (products.run, 1, found.products),
            (work, len(x) / step_rows if case.predicts else case.steps(len(x)), found.steps),
        ]
        for run, _, _ in timed:
            run(1)
        counts = [_count(run) for run, _, _ in timed]
        for _ in range(rounds):
            for (run, each, seconds), count in zip(timed, counts, strict=True):
                sleep(_PAUSE)
                seconds.append(_time(run, count) / (count * each))
    return found


def _repeated(predict: Callable[[Array], Array], x: Array) -> Callable[[int], None]:
    def run(repeats: int) -> None:
        for _ in range(repeats):
            predict(x)

    return run


def _time(run: Callable[[int], Any], count: int) -> float:
    start = perf_counter()
    run(count)
    return perf_counter() - start


def _count(run: Callable[[int], Any]) -> int:
    """How often `run` fits into the time of a round."""
    count = 1
    while (seconds := _time(run, count)) < _SECONDS / 2:
        count *= 2
    return max(1, ceil(count * _SECONDS / seconds))


def table_of_steps(names: list[str], rounds: int, rows: int | None) -> None:
    """Print the table of the products' shares of a step, row by row."""
    print(blas_of_scipy())
    print(markdown(["case", "products, us", "step, us", "share (quartiles)", "network"], []))
    for name in names:
        found = measure(CASES[name], rounds, rows)
        products, steps = (quartiles(values)[1] for values in (found.products, found.steps))
        cells = [name, f"{1e6 * products:.4g}", f"{1e6 * steps:.4g}", spread(found.shares)]
        print(f"| {' | '.join([*cells, str(CASES[name])])} |", flush=True)


def table_of_peak(names: list[str], rounds: int) -> None:
    """Print the table of the shares of the peak, row by row."""
    print(f"vectors of {Peak('float32').lanes} numbers of float32")
    kinds = ("forward", "d_x", "d_weight", "all")
    print(markdown(["case", "peak, GFLOP/s", *kinds, "network"], []))
    for name in names:
        case = {**CASES, **_WIDE}[name]
        found = measure_shares(case, min(_BLOCK, case.batch), rounds)
        cells = [name, f"{quartiles(found.peak)[1] / 1e9:.0f}"]
        cells += [spread(found.shares[kind]) if kind in found.shares else "" for kind in kinds]
        print(f"| {' | '.join([*cells, str(case)])} |", flush=True)


def main(argv: list[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.products",
        description="What matrix products take of a step, and what they reach of the peak.",
    )
    known = [*CASES, *_WIDE]
    parser.add_argument("--cases", nargs="+", choices=known, default=known, metavar="CASE")
    parser.add_argument("--tables", nargs="+", choices=_TABLES, default=list(_TABLES))
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument(
        "--rows", type=int, metavar="N", help="most rows of an epoch or a prediction"
    )
    arguments = parser.parse_args(argv)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, [max(os.sched_getaffinity(0))])
    print(conditions())
    if "steps" in arguments.tables:
        cases = [name for name in arguments.cases if name in CASES]
        table_of_steps(cases, arguments.rounds, arguments.rows)
    if "peak" in arguments.tables:
        table_of_peak(arguments.cases, arguments.rounds)


if __name__ == "__main__":
    main()
