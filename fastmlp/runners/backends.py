"""What computes: the choice of a backend and of threads."""

from __future__ import annotations

from ..common.checks import check_positive_int, find_name
from ..kernels import available_backends, check_backend


def choose_backend(backend: object) -> str:
    """The backend of this name; ``"auto"`` is numba where it is installed."""
    name = find_name("backend", backend, ("auto", "numba", "numpy"))
    if name == "auto":
        return available_backends()[-1]
    check_backend(name)
    return name


def check_threads(n_threads: object) -> int | str:
    """A number of threads, or ``"auto"``."""
    if isinstance(n_threads, str):
        return find_name("n_threads", n_threads, ("auto",))
    return check_positive_int("n_threads", n_threads)
