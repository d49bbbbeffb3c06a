"""Many networks at once, one a core: threads whose compiled steps need no Python."""

from __future__ import annotations

import contextvars
import copy
import inspect
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..common.checks import check_positive_int, describe
from ..runners.cores import available_cores
from ..runners.side_by_side import FitStopped, share_cores

_LOOK_SECONDS = 0.1


def fit_many(
    models: Sequence[Any],
    X: object,
    y: object = None,
    *,
    n_jobs: int | str = "auto",
    **fit_arguments: Any,
) -> list[Any]:
    """Fit many models on the same rows at once, one a core, as if one after the other.

    Models are fitted by threads of this process: an array X is read where it lies by all of them,
    and kernels are compiled once. Each model's weights are the same bits as if it were fitted
    alone.

    Parameters
    ----------
    models : list
        Of `Sequential`, of estimators, or of anything else with ``fit(X, y)``; no two of them the
        same object.
    X, y
        As the models' ``fit`` takes them.
    n_jobs : int or "auto"
        How many are fitted at once; auto is one for each core. Cores that are left are shared out.
    **fit_arguments
        Further arguments of each ``fit``. Callbacks are copied for each model. ``verbose`` of a
        `Sequential` is 0 where it is not given, for lines of several fits would mix.

    Returns
    -------
    list
        What each model's ``fit`` has returned, in their order: of a `Sequential` its History.

    Raises
    ------
    TypeError, ValueError
        `models` or `n_jobs` is something else.
    Exception
        The first one that a ``fit`` has raised, with the number of the model in its message. The
        other fits stop within the epoch at hand; models that were fitted before stay so. Ctrl-C
        stops them all alike. (Only scikit-learn's solver "lbfgs" ends its fit first.)

    Examples
    --------
    >>> import fastmlp as fm
    >>> models = [fm.Sequential([fm.Dense(1)], random_state=seed) for seed in range(3)]
    >>> [h.epochs for h in fm.fit_many(models, [[0.0], [1.0]], [1.0, 3.0], epochs=2)]
    [[0, 1], [0, 1], [0, 1]]
    """
    checked = _check_models(models)
    cores = available_cores()
    jobs = cores if n_jobs == "auto" else _check_jobs(n_jobs)
    work = _Work(checked, X, y, fit_arguments)
    jobs = max(1, min(jobs, len(checked)))
    if jobs == 1:
        # Ctrl-C comes to this thread, as in a fit alone.
        work.run()
    else:
        _run_threads(work, jobs, max(1, cores // jobs))
    if work.error is not None:
        raise work.error
    return work.results


def _check_models(models: object) -> list[Any]:
    if isinstance(models, str) or not isinstance(models, Sequence):
        raise TypeError(f"fit_many takes a list of models, got {describe(models)}")
    for number, model in enumerate(models):
        if isinstance(model, type) or not callable(getattr(model, "fit", None)):
            raise TypeError(f"models[{number}] has no fit(X, y): {describe(model)}")
    first: dict[int, int] = {}
    for number, model in enumerate(models):
        if first.setdefault(id(model), number) != number:
            raise ValueError(
                f"models[{first[id(model)]}] and models[{number}] are one object, which cannot be "
                "fitted twice at once; make a model for each"
            )
    return list(models)


def _check_jobs(n_jobs: object) -> int:
    if isinstance(n_jobs, str):
        raise ValueError(f"n_jobs must be 'auto' or an integer >= 1, got {n_jobs!r}")
    return check_positive_int("n_jobs", n_jobs)


class _Work:
    """Models that are taken one after the other by whoever is free.

    Attributes
    ----------
    results : list
    error : BaseException or None
        The first one.
    stop : threading.Event
        Set where no further model is begun, and those at hand end.
    """

    def __init__(self, models: list[Any], X: object, y: object, arguments: dict[str, Any]) -> None:
        self._models, self._rows, self._arguments = models, (X, y), arguments
        self._numbers = iter(range(len(models)))
        self._lock = threading.Lock()
        self.results: list[Any] = [None] * len(models)
        self.error: BaseException | None = None
        self.stop = threading.Event()

    def run(self) -> None:
        """Fit models until there are none left, or all have to stop."""
        while not self.stop.is_set():
            with self._lock:
                number = next(self._numbers, None)
            if number is None:
                return
            model = self._models[number]
            try:
                self.results[number] = model.fit(*self._rows, **self._arguments_for(model))
            except FitStopped:
                # Another fit_many may have this one among its own, and be what stops it.
                if not self.stop.is_set():
                    raise
                return
            except BaseException as error:
                self._fail(number, error)
                return

    def _arguments_for(self, model: Any) -> dict[str, Any]:
        arguments = dict(self._arguments)
        if "callbacks" in arguments:
            arguments["callbacks"] = copy.deepcopy(arguments["callbacks"])
        if "verbose" not in arguments and "verbose" in inspect.signature(model.fit).parameters:
            arguments["verbose"] = 0
        return arguments

    def _fail(self, number: int, error: BaseException) -> None:
        with self._lock:
            self.stop.set()
            if self.error is not None:
                return
            self.error = error
            if isinstance(error, Exception) and error.args and isinstance(error.args[0], str):
                where = f"models[{number}] of {len(self._models)}"
                error.args = (f"{where}: {error.args[0]}", *error.args[1:])


def _run_threads(work: _Work, jobs: int, cores: int) -> None:
    """Let threads of their own do it; this one waits, and hears Ctrl-C."""
    ended: list[int] = []
    one_more = threading.Semaphore(0)
    # Part of the context that threads are given, but before NumPy 2 a thread's own.
    errors = np.geterr()

    def run(job: int) -> None:
        try:
            share_cores(cores, work.stop)
            with np.errstate(**errors):
                work.run()
        finally:
            ended.append(job)
            one_more.release()

    started = 0

    def wait() -> None:
        # Not by joining: Ctrl-C within `join` makes a thread count as ended. And another thread may
        # be told of Ctrl-C, which nothing but this one acts upon: it has to wake up now and then.
        while len(ended) < started:
            one_more.acquire(timeout=_LOOK_SECONDS)

    try:
        for job in range(jobs):
            # With the caller's settings, such as NumPy's state of errors.
            context = contextvars.copy_context()
            thread = threading.Thread(
                target=context.run, args=(run, job), name=f"fastmlp-fit-{job}", daemon=True
            )
            thread.start()
            started += 1
        wait()
    except BaseException:
        work.stop.set()
        wait()
        raise
