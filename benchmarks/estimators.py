"""Our estimators beside scikit-learn's: ``python -m benchmarks.estimators``.

Default arguments and equal epochs, ours on one thread, in double precision as theirs and in single
precision; theirs with the number of threads that BLAS takes by default, and with one, whichever is
sooner in a round. Then L-BFGS, and probabilities of one row. What is compared is timed in turns,
round by round; numbers are medians. Both must have the same losses before anything is timed.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import numpy as np
from sklearn import neural_network
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

import fastmlp as fm
from fastmlp import datasets

from .shared.rounds import conditions, interleaved, ratios, say, spread, table

NAMES = ("digits", "california_housing", "mnist_784")
_MOST_ROWS = 10_000
_ITERATIONS = 30


def rows_of(name: str) -> tuple[str, Any, Any]:
    """The name of the estimator, X in double precision and y."""
    data = datasets.load(name)
    X = StandardScaler().fit_transform(np.asarray(data.X[:_MOST_ROWS], np.float64))
    kind = "MLPRegressor" if data.task == "regression" else "MLPClassifier"
    return kind, X, data.y[:_MOST_ROWS]


def fitted(make: Callable[..., Any], X: Any, y: Any, times: int = 1, **arguments: Any) -> Any:
    """Fit so often; the last one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for _ in range(times):
            model = make(random_state=0, **arguments).fit(X, y)
    return model


def check(theirs: Any, ours: Any, rtol: float) -> None:
    """Refuse to time what does not do the same."""
    np.testing.assert_allclose(ours.loss_, theirs.loss_, rtol=rtol)
    for expected, found in zip(theirs.coefs_, ours.coefs_, strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=rtol * np.abs(expected).max())


def sooner(
    timed: dict[str, Callable[[int], Any]], theirs: Callable[[int], Any], rounds: int
) -> tuple[list[float], dict[str, list[float]]]:
    """Seconds of theirs at its better number of threads, and of each of ours, by rounds."""

    def on_one_thread(times: int) -> None:
        with threadpool_limits(1):
            theirs(times)

    found = interleaved({"default": theirs, "one": on_one_thread, **timed}, rounds)
    default, one = found.pop("default"), found.pop("one")
    return [min(pair) for pair in zip(default, one, strict=True)], found


def line(what: str, best: list[float], ours: list[float], unit: float, per: int) -> list[str]:
    """A row of the table."""
    scaled = [f"{median(seconds) / per / unit:.4g}" for seconds in (best, ours)]
    return [what, *scaled, spread(ratios(best, ours))]


def epochs_of(name: str, epochs: int, rounds: int) -> list[list[str]]:
    """Epochs with default arguments, in milliseconds."""
    kind, X, y = rows_of(name)
    say(f"{name}: {len(X)} rows")
    arguments = {"max_iter": epochs, "tol": 0.0, "n_iter_no_change": epochs}
    theirs = partial(fitted, getattr(neural_network, kind), X, y, **arguments)
    make = partial(getattr(fm, kind), n_threads=1)
    single = X.astype(np.float32)
    timed: dict[str, Any] = {
        "float64": partial(fitted, make, X, y, **arguments),
        "float32": partial(fitted, make, single, y, **arguments),
    }
    check(theirs(), timed["float64"](), 1e-8)
    best, found = sooner(timed, theirs, rounds)
    return [
        line(f"{name}, {dtype}, ms an epoch", best, seconds, 1e-3, epochs)
        for dtype, seconds in found.items()
    ]


def others(rounds: int) -> list[list[str]]:
    """L-BFGS in milliseconds an iteration, and probabilities of one row in microseconds."""
    kind, X, y = rows_of("digits")
    say("L-BFGS and one row")
    arguments = {"solver": "lbfgs", "max_iter": _ITERATIONS, "tol": 0.0}
    theirs = partial(fitted, getattr(neural_network, kind), X, y, **arguments)
    ours = partial(fitted, partial(getattr(fm, kind), n_threads=1), X, y, **arguments)
    one, other = theirs(), ours()
    check(one, other, 1e-2)
    best, found = sooner({"ours": ours}, theirs, rounds)
    rows = [line("digits, lbfgs, ms an iteration", best, found["ours"], 1e-3, other.n_iter_)]

    def probabilities(model: Any, times: int) -> None:
        for _ in range(times):
            model.predict_proba(row)

    row = X[:1].copy()
    best, found = sooner(
        {"ours": partial(probabilities, other)}, partial(probabilities, one), rounds
    )
    rows.append(line("digits, predict_proba of one row, us", best, found["ours"], 1e-6, 1))
    return rows


def main(argv: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.estimators", description="Ours beside scikit-learn's."
    )
    parser.add_argument("--rounds", type=int, default=7, metavar="N")
    parser.add_argument("--epochs", type=int, default=20, metavar="N")
    parser.add_argument("--datasets", nargs="*", default=NAMES, choices=NAMES, metavar="NAME")
    arguments = parser.parse_args(argv)
    rows = [
        row
        for name in arguments.datasets
        for row in epochs_of(name, arguments.epochs, arguments.rounds)
    ]
    rows += others(arguments.rounds)
    print(conditions(), end="\n\n")
    print(table(["what", "scikit-learn", "ours", "times as fast (quartiles)"], rows))


if __name__ == "__main__":
    main()
