"""Our estimators beside scikit-learn's: ``python -m benchmarks.estimators``.

Default arguments and equal epochs, ours on one thread, in double precision as theirs and in single
precision; theirs with as many threads of BLAS as there are cores and with one, whichever is sooner
in a round. Then our estimator beside `Sequential` with the same network, L-BFGS, and predictions of
one row and of many. What is compared is timed in turns, round by round; numbers are medians. Both
must have the same losses and weights before anything is timed.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import fastmlp as fm
from fastmlp.peers import estimators as peers
from fastmlp.peers.estimators import Task, Timed

from .shared.estimator_tasks import TASKS, NotThereError
from .shared.rounds import conditions, interleaved, say, table

PARTS = ("epochs", "sequential", "lbfgs", "predictions")
_HEAD = ["what", "scikit-learn", "ours", "times as fast (quartiles)"]
_ON = {"epochs": tuple(TASKS), "sequential": ("digits", "california_housing", "mnist_784")}


def sequential(task: Task, epochs: int, rounds: int) -> list[Timed]:
    """Our estimator beside `Sequential`, which trains the same network as often."""
    make = partial(getattr(fm, task.kind), n_threads=1, tol=0.0, n_iter_no_change=epochs)
    lines = []
    for dtype in ("float64", "float32"):
        X = task.X.astype(dtype)
        timed: dict[str, Callable[[int], Any]] = {
            "sequential": partial(_fit_sequential, task, X, epochs),
            "estimator": partial(peers.fitted, make, X, task.y, max_iter=epochs),
        }
        found = interleaved(timed, rounds)
        per = {name: [second / epochs for second in found[name]] for name in timed}
        title = f"{task.name}, {dtype}, `Sequential` by estimator"
        lines.append(Timed(title, "ms an epoch", per["sequential"], per["estimator"]))
    return lines


def _fit_sequential(task: Task, X: Any, epochs: int, times: int) -> None:
    last, loss = ("linear", "mse") if task.kind == "MLPRegressor" else (None, None)
    n_outputs = 1 if loss else len(np.unique(task.y))
    penalty = {"l2": 1e-4, "mean_penalty": True}
    for _ in range(times):
        layers = [
            fm.Dense(100, "relu", **penalty),
            fm.Dense(n_outputs, last or "softmax", **penalty),
        ]
        model = fm.Sequential(
            layers,
            loss or "categorical_crossentropy",
            fm.Adam(0.001),
            dtype=X.dtype.name,
            n_threads=1,
            random_state=0,
        )
        model.fit(X, task.y, epochs=epochs, batch_size=200, verbose=0)


def measure(name: str, parts: list[str], epochs: int, rounds: int) -> list[Timed]:
    """What is asked for on one data set; nothing where it is not there."""
    try:
        task = TASKS[name]()
    except NotThereError as reason:
        say(f"{name} skipped: {reason}")
        return []
    work: dict[str, Callable[[], list[Timed]]] = {
        "epochs": lambda: peers.epochs_of(task, epochs, rounds),
        "sequential": lambda: sequential(task, epochs, rounds),
        "lbfgs": lambda: peers.quasi_newton_of(task, rounds),
        "predictions": lambda: peers.predictions_of(task, rounds),
    }
    found: list[Timed] = []
    for part in parts:
        if name in _ON.get(part, ("digits",)):
            say(f"{task.name}: {part}")
            found += work[part]()
    return found


def main(argv: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.estimators", description="Ours beside scikit-learn's."
    )
    parser.add_argument("--rounds", type=int, default=7, metavar="N")
    parser.add_argument("--epochs", type=int, default=20, metavar="N")
    parser.add_argument("--datasets", nargs="*", default=TASKS, choices=TASKS, metavar="NAME")
    parser.add_argument("--parts", nargs="*", default=PARTS, choices=PARTS, metavar="PART")
    arguments = parser.parse_args(argv)
    # The package sets it to 1, which n_threads="auto" would keep to; BLAS has its threads by now.
    os.environ.pop("OMP_NUM_THREADS", None)
    found = [
        timed
        for name in arguments.datasets
        for timed in measure(name, arguments.parts, arguments.epochs, arguments.rounds)
    ]
    print(conditions(), end="\n\n")
    print(table(_HEAD, peers.cells(found)))


if __name__ == "__main__":
    main()
