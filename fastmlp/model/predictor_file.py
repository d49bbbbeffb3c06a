"""Reading a predictor from its file, or from that of a model."""

from __future__ import annotations

import os

from ..common.checks import check_bool
from ..common.error_state import own_error_state
from ..declarations.recorded import reading_functions
from ..errors import ModelFileError
from ..inference.format import read_predictor
from ..inference.predictor import Predictor
from ..runners.backends import check_threads, choose_backend


@own_error_state
def load_predictor(
    path: str | os.PathLike[str],
    backend: str = "numpy",
    n_threads: int | str = "auto",
    *,
    check_functions: bool = True,
) -> Predictor:
    """Read a predictor, or a model, which is then frozen; it needs NumPy only.

    Parameters
    ----------
    path : str or path-like
        What `Predictor.save` or `Sequential.save` has written.
    backend : {"numpy", "numba", "auto"}
        What computes; auto is numba where it is installed.
    n_threads : int or "auto"
        Threads of the numba backend.
    check_functions : bool
        Whether a registered activation must do what it did when the file was saved; else whatever
        is registered under its name is taken.

    Returns
    -------
    Predictor

    Raises
    ------
    ModelFileError
        The file is damaged or not one of this library; it needs a registered activation that this
        process has not registered, or has another of that name.
    FileNotFoundError
        There is no such file.

    Warns
    -----
    UserWarning
        The file does not tell whether a registered function is the one that it was saved with.

    Examples
    --------
    >>> import fastmlp as fm
    >>> predictor = fm.load_predictor("model.safetensors")  # doctest: +SKIP
    >>> predictor([5.1, 3.5, 1.4, 0.2])  # doctest: +SKIP
    """
    backend, n_threads = choose_backend(backend), check_threads(n_threads)
    with reading_functions(path, check_bool("check_functions", check_functions)):
        read = read_predictor(path)
    if read is None:
        # A model, or what its reader has the right words for; a predictor's file is read without
        # what trains networks, which takes time to import.
        from .file import load_networks

        networks = load_networks(path, backend, n_threads, check_functions)
        if len(networks) > 1:
            raise ModelFileError(
                f"{os.fspath(path)} holds {len(networks)} networks, whose outputs an estimator "
                "averages; fastmlp.load(path).freeze() makes one predictor of them"
            )
        return networks[0].freeze()
    return Predictor(read.weights, read.targets, backend, n_threads, read.names)
