"""The runner of a network, by the name of a backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..kernels import check_backend

if TYPE_CHECKING:
    from ..program.state import State
    from ..runners.runner import Runner


def make_runner(state: State, backend: str, n_threads: int | str) -> Runner:
    """Make what carries a network out.

    Parameters
    ----------
    state : State
    backend : {"numba", "numpy"}
    n_threads : int or "auto"
        Of the compiled runner.

    Raises
    ------
    ImportError
        A package that the backend needs is not installed.
    """
    if backend == "numpy":
        # Compiled fits need no NumPy runner, which takes 1 ms to import.
        from ..runners.numpy_runner import NumpyRunner

        return NumpyRunner(state)
    check_backend(backend)
    # Numba is imported where it is needed: it takes half a second.
    from ..runners.compiled.runner import CompiledRunner

    return CompiledRunner(state, n_threads)
