"""The process of one library: ``python -m <package>.worker LIBRARY THREADS``.

It reads one JSON object a line, ``{"do": NAME, ...arguments}``, and answers each with one line:
``{"value": ...}`` or ``{"error": ...}``. What libraries print goes to stderr.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import traceback
from importlib.metadata import version
from math import ceil
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .peer import Peer

# Variables that hold the number of threads of BLAS, OpenMP and Numba.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
# A trial of a variant lasts at least so many seconds.
_TRIAL_SECONDS = 0.1


def environment(threads: int) -> dict[str, str]:
    """Variables that hold the number of threads, for any library."""
    return dict.fromkeys(_THREADS, str(threads))


def pin(threads: int) -> list[int] | None:
    """Keep this process to so many cores, where the system knows how; return which.

    Raises
    ------
    ValueError
        There are fewer.
    """
    if not hasattr(os, "sched_setaffinity"):
        return None
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < threads:
        raise ValueError(f"{threads} threads need as many cores, but there are {len(cores)}")
    os.sched_setaffinity(0, cores[-threads:])
    return cores[-threads:]


class Worker:
    """Answers requests; each public method is one."""

    def __init__(self, library: str, threads: int) -> None:
        from .peer import LIBRARIES

        self._library = LIBRARIES[library]
        self._threads = threads
        self._module = self._library.load()
        self._peer: Peer | None = None

    def versions(self) -> dict[str, str]:
        """Versions of the library and of what it computes with."""
        found = {name: version(name) for name in self._library.versions}
        if self._library.module == "with_fastmlp":
            import fastmlp

            from .machine import blas_of_scipy

            found["fastmlp"] = fastmlp.__version__
            found["SciPy's BLAS:"] = blas_of_scipy()
        return found

    def setup(self, case: str, rows: int | None, variant: str | None) -> dict[str, Any]:
        """Make the network, by the fastest variant or the one given, and time it.

        Returns
        -------
        dict
            ``variant``; ``trials``, seconds of an epoch or a prediction by variant; ``seconds``,
            those of the variant chosen; ``first_loss``, before training.
        """
        from .networks import first_parameters, get_case, loss, make_data

        self._case = get_case(case)
        self._x, self._y = make_data(self._case, rows)
        self._first = first_parameters(self._case)
        known = self._module.variants(self._case)
        if variant is not None and variant not in known:
            raise ValueError(f"unknown variant {variant!r}; known: {'; '.join(known)}")
        trials: dict[str, float] = {}
        for name in known if variant is None else (variant,):
            peer = self._module.Peer(self._case, self._x, self._y, self._first, name, self._threads)
            seconds = self._seconds_each(peer)
            if seconds < min(trials.values(), default=float("inf")):
                self._peer = peer
            trials[name] = seconds
            del peer
            gc.collect()
        chosen = min(trials, key=lambda name: trials[name])
        return {
            "variant": chosen,
            "trials": trials,
            "seconds": trials[chosen],
            "first_loss": loss(self._case, self._first, self._x, self._y),
        }

    def _seconds_each(self, peer: Peer) -> float:
        """Seconds of an epoch or a prediction once all is compiled."""
        self._run(peer, 1)
        number = 1
        while True:
            seconds = self._run(peer, number)
            if seconds >= _TRIAL_SECONDS:
                return seconds / number
            number = min(8 * number, ceil(1.2 * number * _TRIAL_SECONDS / seconds))

    def _run(self, peer: Peer, number: int, shuffle: bool = True) -> float:
        start = perf_counter()
        if self._case.predicts:
            for _ in range(number):
                self._predicted = peer.predict(self._x)
        else:
            peer.fit(number, shuffle)
        return perf_counter() - start

    def run(self, number: int) -> float:
        """Seconds of one fit of so many epochs, or of so many predictions of all rows."""
        assert self._peer is not None
        return self._run(self._peer, number)

    def check(self, epochs: int, shuffle: bool) -> float:
        """The loss after so many epochs from the first parameters on.

        For a prediction, the largest difference from the same network in NumPy.
        """
        from . import networks

        assert self._peer is not None
        if self._case.predicts:
            self._run(self._peer, 1)
            return networks.prediction_error(self._case, self._first, self._x, self._predicted)
        self._peer.reset()
        self._run(self._peer, epochs, shuffle)
        return networks.loss(self._case, self._peer.layers(), self._x, self._y)


def main(arguments: list[str]) -> None:
    """Answer requests from stdin until it ends."""
    library, threads = arguments[0], int(arguments[1])
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    pin(threads)
    worker = Worker(library, threads)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"value": getattr(worker, request.pop("do"))(**request)}
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        channel.write(json.dumps(answer) + "\n")
        channel.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
