"""Reading a model from its file."""

from __future__ import annotations

import os

from ..common.error_state import own_error_state
from ..runners.backends import check_threads, choose_backend
from .format import read_model
from .sequential import Sequential


@own_error_state
def load(
    path: str | os.PathLike[str], backend: str = "auto", n_threads: int | str = "auto"
) -> Sequential:
    """Read a model that `Sequential.save` has written.

    Parameters
    ----------
    path : str or path-like
    backend, n_threads
        As for `Sequential`; they are choices of the machine, not of the model.

    Raises
    ------
    ModelFileError
        The file is damaged or is no model of this library; or the model has a registered
        activation or loss that this process has not registered.
    FileNotFoundError
        There is no such file.
    """
    backend, n_threads = choose_backend(backend), check_threads(n_threads)
    read = read_model(path)
    network = read.training.network
    model = Sequential(
        network.layers,
        loss=network.loss,
        optimizer=network.optimizer,
        dtype=network.dtype,
        backend=backend,
        random_state=read.training.seed,
        n_threads=n_threads,
    )
    model.training_state = read.training
    model.history, model.metadata = read.history, read.metadata
    return model
