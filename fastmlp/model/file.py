"""Reading a model from its file."""

from __future__ import annotations

import os
from typing import Any

from ..common.checks import check_bool
from ..common.error_state import own_error_state
from ..declarations.recorded import reading_functions
from ..errors import missing_extra
from ..runners.backends import check_threads, choose_backend
from .format import ModelFile, read_models
from .sequential import Sequential

ESTIMATOR = "estimator"
"""What the metadata of an estimator's networks hold beside: its arguments and attributes."""


@own_error_state
def load(
    path: str | os.PathLike[str],
    backend: str = "auto",
    n_threads: int | str = "auto",
    *,
    check_functions: bool = True,
) -> Any:
    """Read a model that `Sequential.save` has written, or an estimator for tables.

    Parameters
    ----------
    path : str or path-like
    backend, n_threads
        As for `Sequential`; they are choices of the machine, not of the model.
    check_functions : bool
        Whether a registered activation or loss must do what it did when the model was saved; else
        whatever is registered under its name is taken.

    Returns
    -------
    Sequential, TabularClassifier or TabularRegressor
        What has been saved.

    Raises
    ------
    ModelFileError
        The file is damaged or is no model of this library; or the model has a registered
        activation or loss that this process has not registered, or another of that name.
    FileNotFoundError
        There is no such file.
    ImportError
        It is an estimator, and scikit-learn is not installed.

    Warns
    -----
    UserWarning
        The file does not tell whether a registered function is the one that it was saved with.
    """
    networks = load_networks(path, backend, n_threads, check_functions)
    if ESTIMATOR in networks[0].metadata:
        try:
            from ..tabular.saved import estimator_of
        except ImportError as error:
            raise missing_extra("scikit-learn", "sklearn") from error
        return estimator_of(networks, os.fspath(path))
    return networks[0]


def load_networks(
    path: str | os.PathLike[str],
    backend: str = "auto",
    n_threads: int | str = "auto",
    check_functions: bool = True,
) -> list[Sequential]:
    """Read the network in a file of a model, or the networks that an estimator averages.

    Raises
    ------
    ModelFileError, FileNotFoundError
        As `load`.
    """
    backend, n_threads = choose_backend(backend), check_threads(n_threads)
    with reading_functions(path, check_bool("check_functions", check_functions)):
        return [_model_of(read, backend, n_threads) for read in read_models(path)]


def _model_of(read: ModelFile, backend: str, n_threads: int | str) -> Sequential:
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
