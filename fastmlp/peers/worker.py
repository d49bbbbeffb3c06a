"""The process of one library: `main`, with its name and the number of threads.

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

from .machine import threads_of

if TYPE_CHECKING:
    from .peer import Peer

# Variables that hold the number of threads of BLAS, OpenMP and Numba.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
# A trial of a variant lasts at least so many seconds, and is repeated so often.
_TRIAL_SECONDS, _TRIAL_REPEATS = 0.1, 2


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

    def __init__(self, library: str, threads: int | str) -> None:
        # Threads are limited before any library is imported.
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

            found["fastmlp"] = fastmlp.__version__
        if self._library.module == "with_sklearn":
            # As above.
            from .machine import blas_of_numpy

            found["NumPy's BLAS:"] = blas_of_numpy()
        return found

    def setup(self, case: str, rows: int | None, variants: int | None) -> dict[str, Any]:
        """Make the network by the fastest of the first so many variants that work, and time it.

        Returns
        -------
        dict
            ``variant``; ``variants``, how many there are; ``trials``, seconds of an epoch or a
            prediction by variant; ``failures``, messages by variant; ``seconds``, those of the
            variant chosen; ``first_loss``, before training.

        Raises
        ------
        Exception
            What the last variant failed with, where all have failed.
        """
        # NumPy reads the number of threads when it is imported.
        from .networks import first_parameters, get_case, loss, make_data

        self._peer = None
        gc.collect()
        self._case = get_case(case)
        self._x, self._y = make_data(self._case, rows)
        self._first = first_parameters(self._case)
        known = self._module.variants(self._case)
        trials: dict[str, float] = {}
        failures: dict[str, str] = {}
        for name in known:
            if len(trials) == variants:
                break
            try:
                peer, seconds = self._try(name)
            except Exception as error:
                # Where a compiler is missing there are variants that need none.
                traceback.print_exc()
                failures[name] = _message(error)
                if len(failures) == len(known):
                    raise
                continue
            if seconds < min(trials.values(), default=float("inf")):
                self._peer = peer
            trials[name] = seconds
            del peer
            gc.collect()
        chosen = min(trials, key=lambda name: trials[name])
        return {
            "variant": chosen,
            "variants": len(known),
            "trials": trials,
            "failures": failures,
            "seconds": trials[chosen],
            "first_loss": loss(self._case, self._first, self._x, self._y),
        }

    def _try(self, variant: str) -> tuple[Peer, float]:
        peer = self._module.Peer(self._case, self._x, self._y, self._first, variant, self._threads)
        return peer, self._seconds_each(peer)

    def _seconds_each(self, peer: Peer) -> float:
        """Seconds of an epoch or a prediction once all is compiled, the fastest of some."""
        self._run(peer, 1)
        number = 1
        while (seconds := self._run(peer, number)) < _TRIAL_SECONDS:
            number = min(8 * number, ceil(1.2 * number * _TRIAL_SECONDS / seconds))
        repeats = [self._run(peer, number) for _ in range(_TRIAL_REPEATS)]
        return min(seconds, *repeats) / number

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
        # As above.
        from . import networks

        assert self._peer is not None
        if self._case.predicts:
            self._run(self._peer, 1)
            return networks.prediction_error(self._case, self._first, self._x, self._predicted)
        self._peer.reset()
        self._run(self._peer, epochs, shuffle)
        return networks.loss(self._case, self._peer.layers(), self._x, self._y)


def _message(error: Exception) -> str:
    """The first line, of which the others are details."""
    return f"{type(error).__name__}: {error}".partition("\n")[0]


def main(arguments: list[str]) -> None:
    """Answer requests from stdin until it ends."""
    library, threads = arguments[0], int(arguments[1]) if arguments[1].isdecimal() else arguments[1]
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    pin(threads_of(threads))
    worker = Worker(library, threads)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"value": getattr(worker, request.pop("do"))(**request)}
        except Exception as error:
            traceback.print_exc()
            answer = {"error": _message(error)}
        channel.write(json.dumps(answer) + "\n")
        channel.flush()
