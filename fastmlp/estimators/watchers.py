"""Callbacks around the epochs of a fit: fastmlp's, and those of scikit-learn 1.9 and later."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from ..common.checks import describe
from ..common.error_state import as_user
from ..model.copying import copy_of
from ..training.callbacks import Callback, ProgressBar
from ..training.fit import check_monitors, has_tqdm
from .network import Link

if TYPE_CHECKING:
    from ..model.sequential import Sequential
    from ..training.sources import FitData

try:
    from sklearn.callback import AutoPropagatedCallback, FitCallback
    from sklearn.callback import CallbackSupportMixin as CallbackSupportMixin
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """In the place of that of scikit-learn 1.9; the versions before have none."""

    AutoPropagatedCallback = FitCallback = None

_BAR = 2


def sort_callbacks(given: Iterable[Any]) -> tuple[list[Callback], list[Any]]:
    """Return those of fastmlp, and those of scikit-learn.

    Raises
    ------
    TypeError
        One is neither.
    """
    ours: list[Callback] = []
    theirs: list[Any] = []
    for callback in given:
        if isinstance(callback, Callback):
            ours.append(callback)
        elif _is_theirs(callback):
            theirs.append(callback)
        else:
            raise TypeError(
                "callbacks must hold callbacks of fastmlp or of sklearn.callback (scikit-learn "
                f"1.9 and later), got {describe(callback)}"
            )
    return ours, theirs


def _is_theirs(callback: Any) -> bool:
    return (
        FitCallback is not None
        and isinstance(callback, FitCallback)
        and not isinstance(callback, type)
    )


class Tasks:
    """What callbacks of scikit-learn are told: a fit, and its epochs as tasks of it.

    Parameters
    ----------
    estimator : BaseMLP
    callbacks : list
        Those beside the ones that ``set_callbacks`` has set.
    X, y, weight
        As the user gave them.
    """

    def __init__(self, estimator: Any, callbacks: list[Any], X: Any, y: Any, weight: Any) -> None:
        self._estimator = estimator
        metadata = {} if weight is None else {"sample_weight": weight}
        self._rows = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self._root = _context(estimator, callbacks)
        self._root.call_on_fit_task_begin(**self._rows)
        self._epoch: Any = None

    def begin_epoch(self) -> None:
        """Begin the task of an epoch."""
        self._epoch = self._root.subcontext(task_name="epoch")
        self._epoch.call_on_fit_task_begin(**self._rows)

    def end_epoch(self) -> bool:
        """End the task of an epoch; tell whether the fit is to end."""
        stop = self._epoch.call_on_fit_task_end(
            **self._rows, reconstruction_attributes=self._as_fitted
        )
        return bool(stop)

    def end(self) -> None:
        """End the task of the fit."""
        self._root.call_on_fit_task_end(**self._rows, reconstruction_attributes=self._as_fitted)

    def _as_fitted(self) -> dict[str, Any]:
        """Return the attributes of an estimator that has ended here."""
        link = Link(copy_of(self._estimator._link.model))
        return {
            "_link": link,
            "coefs_": list(link.coefs),
            "intercepts_": list(link.intercepts),
        }


def _context(estimator: Any, callbacks: list[Any]) -> Any:
    """Make the context of a fit, of which callbacks of an argument are part."""
    own = vars(estimator)
    shared = own.get("_skl_callbacks")
    moving = [type(each).__name__ for each in callbacks if isinstance(each, AutoPropagatedCallback)]
    if moving and "_parent_callback_ctx" in own:
        raise TypeError(
            f"{', '.join(moving)} must be set on the outermost estimator, by its set_callbacks, "
            "not among the callbacks of one within it"
        )
    estimator._skl_callbacks = [*(shared or ()), *callbacks]
    try:
        return estimator._init_callback_context(max_subtasks=estimator.max_iter)
    finally:
        del estimator._skl_callbacks
        if shared is not None:
            estimator._skl_callbacks = shared


class Watchers:
    """All that is told of a fit.

    Parameters
    ----------
    estimator : BaseMLP
    model : Sequential
        Its network, which is what callbacks of fastmlp are shown.
    tasks : Tasks or None
    """

    def __init__(self, estimator: Any, model: Sequential, tasks: Tasks | None) -> None:
        self._model, self._tasks = model, tasks
        self.callbacks, _ = sort_callbacks(estimator.callbacks)
        self.has_bar = estimator.verbose == _BAR and has_tqdm()
        self._all = [*self.callbacks, ProgressBar()] if self.has_bar else self.callbacks

    def begin(self, data: FitData, epochs: int, names: Iterable[str]) -> None:
        """Begin a fit of at most so many epochs, whose logs will have these names.

        Raises
        ------
        ValueError
            A callback or a schedule watches another name.
        """
        model = self._model
        check_monitors(self._all, model.training_state.schedules(), names)
        model.stop_training, model.fit_epochs = False, epochs
        for callback in self._all:
            as_user(callback.on_fit_data)(model, data)
            as_user(callback.on_fit_begin)(model)

    def begin_epoch(self, epoch: int) -> None:
        """Begin an epoch of this number."""
        if self._tasks is not None:
            self._tasks.begin_epoch()
        for callback in self._all:
            as_user(callback.on_epoch_begin)(self._model, epoch)

    def progress(self, share: float) -> None:
        """Tell which share of an epoch is done."""
        for callback in self._all:
            as_user(callback.on_progress)(self._model, share)

    def end_epoch(self, epoch: int, logs: dict[str, float]) -> bool:
        """End an epoch; tell whether a callback asks for the fit to end."""
        for callback in self._all:
            as_user(callback.on_epoch_end)(self._model, epoch, logs)
        stops = self._tasks is not None and self._tasks.end_epoch()
        return stops or self._model.stop_training

    def end(self) -> None:
        """End a fit, however it ends; all callbacks are told, whatever one of them does."""
        with ExitStack() as stack:
            for callback in self._all:
                stack.callback(as_user(callback.on_fit_end), self._model)
