"""The library's own errors; all else is a plain ValueError or TypeError."""

from __future__ import annotations


class ModelFileError(ValueError):
    """A file is no model (or predictor) file, is damaged, or is of another kind."""


class DivergenceError(ValueError):
    """Training left the finite numbers: the loss or a parameter is NaN or infinite."""


class TrainingWarning(UserWarning):
    """Training goes on, but `Recorder` has seen something in the network that is likely wrong."""


class TableWarning(UserWarning):
    """A table was read or understood in one of several ways: which one, and what decides it."""


def missing_extra(package: str, extra: str) -> ImportError:
    """Make the error for the caller to raise where an optional package is not installed.

    Parameters
    ----------
    package : str
        The import name of the package.
    extra : str
        The extra of fastmlp that brings it.
    """
    return ImportError(
        f"this needs {package}, which is not installed: pip install 'fastmlp[{extra}]'",
        name=package,
    )
