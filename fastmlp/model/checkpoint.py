"""Fits that can be taken up again: a file written every few epochs, and `resume`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..common.checks import check_positive_int, describe
from ..training.callbacks import Callback
from .file import load_networks

if TYPE_CHECKING:
    from .sequential import Sequential


class ModelCheckpoint(Callback):
    """Save the model every few epochs, and after the last one.

    Each file takes the place of the one before only once it is complete. It is a model file like
    any other, and `fastmlp.resume` can finish the fit from it.

    Parameters
    ----------
    path : str or path-like
        ``{epoch}`` in it stands for the number of epochs trained since the model's reset, so that
        each file is kept: ``"model_{epoch:03d}.safetensors"``.
    every : int
        Epochs between two files.
    """

    def __init__(self, path: str | os.PathLike[str], every: int = 1) -> None:
        try:
            self.path = os.fsdecode(path)
        except TypeError:
            raise TypeError(f"path must be a path, got {describe(path)}") from None
        try:
            self._path_after(1)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            raise ValueError(
                "path may have the field {epoch}, such as 'model_{epoch:03d}.safetensors', and no "
                f"other, got {self.path!r}"
            ) from None
        self.every = check_positive_int("every", every)
        self._left = 0

    def on_fit_begin(self, model: Any) -> None:
        """Count the epochs that are to come."""
        self._left = model.fit_epochs

    def on_epoch_end(self, model: Any, epoch: int, logs: dict[str, float]) -> None:
        """Save after every `every` epochs, and after the last."""
        done = epoch + 1
        self._left -= 1
        if done % self.every and self._left and not model.stop_training:
            return
        model.save(self._path_after(done))

    def _path_after(self, done: int) -> str:
        return self.path.format(epoch=done) if "{epoch" in self.path else self.path


def resume(
    path: str | os.PathLike[str],
    X: object,
    y: object = None,
    *,
    backend: str = "auto",
    n_threads: int | str = "auto",
    check_functions: bool = True,
    **fit: Any,
) -> Sequential:
    """Finish the fit during which a model file was written.

    Epochs, batch size, shuffling and the share for validation are those of that fit; the result
    is that of the fit without a break, to the last bit on the same machine. A fit that a callback
    stopped goes on as well. Schedules of the fit's progress go on from where they were.

    Parameters
    ----------
    path : str or path-like
        What `ModelCheckpoint` has written.
    X, y
        The same rows as before.
    backend, n_threads
        As for `Sequential`.
    check_functions : bool
        As for `fastmlp.load`.
    **fit
        Other arguments of `Sequential.fit`: ``validation_data``, ``sample_weight``,
        ``class_weight``, ``callbacks`` are not in the file and must be given again; ``epochs`` and
        the others replace what is.

    Returns
    -------
    Sequential
        Trained; as it was saved where no epoch was left.

    Raises
    ------
    ModelFileError
        The file is damaged or is no model, or needs a function that is not registered.
    ValueError
        It was not written during a fit; or what `Sequential.fit` refuses.
    """
    model = load_networks(path, backend, n_threads, check_functions)[0]
    unfinished = model.training_state.unfinished
    if unfinished is None:
        raise ValueError(
            f"{os.fspath(path)} was not written during a fit; fm.ModelCheckpoint among the "
            "callbacks of a fit writes files that can be resumed"
        )
    arguments: dict[str, Any] = {**unfinished.to_dict(), **fit}
    model.training_state.continues = arguments.pop("done")
    if "validation_data" in fit:
        arguments["validation_split"] = fit.get("validation_split", 0.0)
    if "epochs" in fit or arguments["epochs"] > 0:
        model.fit(X, y, **arguments)
    return model
