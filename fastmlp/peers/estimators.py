"""The estimators beside scikit-learn's, in one process: the same arguments, the same numbers.

scikit-learn is measured with as many threads of BLAS as there are cores, its default, and with one;
in each round the sooner counts. Losses and weights are compared before anything is timed.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sklearn import datasets, neural_network
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

import fastmlp as fm

from .machine import available_cores, describe_machine, load_average
from .report import aligned, quartiles
from .rounds import interleaved, ratios
from .wording import digits

if TYPE_CHECKING:
    from ..kernels.typing import Array

_ITERATIONS = 30
_MANY_ROWS = 100_000
# How far weights may be apart: after epochs in double precision, and after L-BFGS, whose steps
# carry the last digits along.
_SAME, _NEAR = 1e-8, 1e-2
_UNITS = {"ms": 1e-3, "us": 1e-6}


class Task(NamedTuple):
    """Rows and targets, X in double precision or sparse; `kind` is the name of the estimator."""

    name: str
    kind: str
    X: Any
    y: Any


class Timed(NamedTuple):
    """One line of the table: seconds of theirs and of ours, one number a round."""

    what: str
    unit: str
    theirs: list[float]
    ours: list[float]


def open_tasks() -> Iterator[Task]:
    """Give what needs no download: digits, and California housing or a table in its place."""
    bunch = datasets.load_digits()
    yield Task("digits", "MLPClassifier", scaled(bunch.data), bunch.target)
    try:
        bunch = datasets.fetch_california_housing(download_if_missing=False)
    except OSError:
        rng = np.random.default_rng(0)
        X = rng.standard_normal((10_000, 8))
        yield Task("table of 8 columns", "MLPRegressor", X, np.sin(X).sum(axis=1))
    else:
        rows = slice(10_000)
        yield Task(
            "California housing", "MLPRegressor", scaled(bunch.data[rows]), bunch.target[rows]
        )


def scaled(X: Any) -> Array:
    """Return columns of mean 0 and deviation 1."""
    found: Array = StandardScaler().fit_transform(np.asarray(X, np.float64))
    return found


def measure_estimators(rounds: int, epochs: int, say: Callable[[str], None]) -> list[Timed]:
    """Measure the tasks that need no download, one thread of ours but where more are named."""
    found: list[Timed] = []
    for number, task in enumerate(open_tasks()):
        say(f"{task.name}: epochs of {len(task.y)} rows")
        found += epochs_of(task, epochs, rounds)
        if number == 0:
            say(f"{task.name}: L-BFGS and predictions")
            found += quasi_newton_of(task, rounds)
            found += predictions_of(task, rounds)
    return found


def report(found: Sequence[Timed], rounds: int) -> str:
    """Return the machine and the table."""
    machine = describe_machine()
    lines = [
        f"{machine['cpu']}, {machine['available_cores']} of {machine['cores']} cores; "
        f"Python {machine['python']}; load average {load_average()}",
        "",
        *aligned(["what", "scikit-learn", "fastmlp", "times as fast (quartiles)"], cells(found)),
        "",
        f"Medians of {rounds} rounds in which both took turns; scikit-learn with all cores or "
        "with one, whichever",
        "was sooner; default arguments. Losses and weights are the same.",
    ]
    return "\n".join([*lines, ""])


def cells(found: Sequence[Timed]) -> list[list[str]]:
    """Return the rows of the table."""
    return [
        [
            f"{one.what}, {one.unit}",
            *(digits(median(seconds) / _UNITS[one.unit[:2]]) for seconds in one[2:]),
            _spread(ratios(one.theirs, one.ours)),
        ]
        for one in found
    ]


def _spread(values: list[float]) -> str:
    low, middle, high = quartiles(values)
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def fitted(make: Callable[..., Any], X: Any, y: Any, times: int = 1, **arguments: Any) -> Any:
    """Fit so often; return the last one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for _ in range(times):
            model = make(random_state=0, **arguments).fit(X, y)
    return model


def check_same(theirs: Any, ours: Any, rtol: float) -> None:
    """Refuse to time what does not do the same.

    Raises
    ------
    AssertionError
        The losses, or the weights, differ.
    """
    np.testing.assert_allclose(ours.loss_, theirs.loss_, rtol=rtol)
    for expected, found in zip(theirs.coefs_, ours.coefs_, strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=rtol * np.abs(expected).max())


def beside(
    theirs: Callable[[int], Any], ours: dict[str, Callable[[int], Any]], rounds: int
) -> tuple[list[float], dict[str, list[float]]]:
    """Return seconds of theirs with its better number of threads, and of each of ours."""

    def limited(threads: int, times: int) -> None:
        with threadpool_limits(threads):
            theirs(times)

    # Whatever variables say of BLAS's threads.
    settings = {f"theirs, {threads}": threads for threads in {1, available_cores()}}
    timed = {name: partial(limited, threads) for name, threads in settings.items()}
    found = interleaved({**timed, **ours}, rounds)
    best = [min(once) for once in zip(*(found.pop(name) for name in settings), strict=True)]
    return best, found


def _pair(task: Task) -> tuple[Any, Any]:
    return getattr(neural_network, task.kind), getattr(fm, task.kind)


def epochs_of(task: Task, epochs: int, rounds: int) -> list[Timed]:
    """Return epochs with default arguments, ours on one thread in both precisions."""
    theirs, ours = _pair(task)
    arguments: dict[str, Any] = {"max_iter": epochs, "tol": 0.0, "n_iter_no_change": epochs}
    make = partial(ours, n_threads=1)
    run = partial(fitted, theirs, task.X, task.y, **arguments)
    timed: dict[str, Callable[[int], Any]] = {
        dtype: partial(fitted, make, task.X.astype(dtype), task.y, **arguments)
        for dtype in ("float64", "float32")
    }
    check_same(run(), timed["float64"](1), _SAME)
    best, found = beside(run, timed, rounds)
    return [
        Timed(f"{task.name}, {dtype}", "ms an epoch", _per(best, epochs), _per(seconds, epochs))
        for dtype, seconds in found.items()
    ]


def quasi_newton_of(task: Task, rounds: int) -> list[Timed]:
    """Return iterations of L-BFGS, ours on one thread and with as many as it chooses."""
    theirs, ours = _pair(task)
    arguments: dict[str, Any] = {"solver": "lbfgs", "max_iter": _ITERATIONS, "tol": 0.0}
    run = partial(fitted, theirs, task.X, task.y, **arguments)
    timed: dict[str, Callable[[int], Any]] = {
        title: partial(fitted, partial(ours, n_threads=threads), task.X, task.y, **arguments)
        for title, threads in (("one thread", 1), ("n_threads='auto'", "auto"))
    }
    one, other = run(), timed["one thread"](1)
    check_same(one, other, _NEAR)
    best, found = beside(run, timed, rounds)
    return [
        Timed(
            f"{task.name}, lbfgs, {title}",
            "ms an iteration",
            _per(best, one.n_iter_),
            _per(seconds, other.n_iter_),
        )
        for title, seconds in found.items()
    ]


def predictions_of(task: Task, rounds: int) -> list[Timed]:
    """Return probabilities, or predictions, of one row and of many."""
    kinds = _pair(task)
    one, other = (fitted(kind, task.X, task.y, max_iter=5) for kind in kinds)
    method = "predict" if task.kind == "MLPRegressor" else "predict_proba"
    few = np.ascontiguousarray(task.X[:1])
    many = np.resize(task.X, (_MANY_ROWS, task.X.shape[1]))
    lines = []
    for title, unit, X in (
        ("one row", "us", few),
        (f"{_MANY_ROWS:,} rows", "ms", many),
    ):
        theirs, ours = getattr(one, method), getattr(other, method)
        np.testing.assert_allclose(ours(X), theirs(X), rtol=1e-6, atol=1e-9)
        best, found = beside(
            partial(_repeated, theirs, X), {"ours": partial(_repeated, ours, X)}, rounds
        )
        lines.append(Timed(f"{task.name}, {method} of {title}", unit, best, found["ours"]))
    return lines


def _repeated(predict: Callable[[Any], Any], X: Any, times: int) -> None:
    for _ in range(times):
        predict(X)


def _per(seconds: list[float], count: int) -> list[float]:
    return [second / count for second in seconds]
