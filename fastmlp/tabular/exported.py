"""An estimator in a file, and as a program in other languages."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from sklearn.utils.validation import check_is_fitted

from ..common.warn import warn
from ..model.file import ESTIMATOR
from .described import described
from .frozen import frozen, notes_on_digits
from .reading import ReadingEstimator

if TYPE_CHECKING:
    from ..inference.predictor import Predictor
    from ..kernels.typing import Array


class ExportedEstimator(ReadingEstimator):
    """Files of a fitted estimator."""

    # Files and other programs

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the estimator to one safetensors file, which `fastmlp.load` reads.

        ``fastmlp predict``, ``evaluate``, ``inspect`` and ``export`` read it, too.

        Parameters
        ----------
        path : str or path-like
            Of the file; its folder must exist.

        Warns
        -----
        UserWarning
            Arguments are objects, which a file without code cannot hold, such as callbacks.
        """
        check_is_fitted(self)
        self._model.save(path, {ESTIMATOR: described(self)})

    def freeze(self) -> Predictor:
        """Return a predictor with the preparation in it: it takes what `encode` returns.

        Its outputs are probabilities, or numbers in the units of y.

        Raises
        ------
        ValueError
            A column's mean or scale is beyond the range of float32.
        """
        check_is_fitted(self)
        return frozen(self._model)

    def encode(self, X: Any) -> Array:
        """Return the numbers that a frozen or exported estimator reads of rows, float64.

        They are the columns as they stand in the table: numbers, with the training's median where
        they are missing; a 1 in the place of a category; days since 1970. Their names are those of
        ``freeze().feature_names``.

        Parameters
        ----------
        X : data frame or array-like, shape (n, n_features)
        """
        check_is_fitted(self)
        columns, _ = self._columns(X, reset=False)
        return self._model.preparation.raw_matrix(self._cells(columns))

    def export_c(self, path: str | os.PathLike[str], **options: Any) -> None:
        """Write a C header with the preparation in it, see `Predictor.export_c` for options."""
        self._exported().export_c(path, **options)

    def export_onnx(self, path: str | os.PathLike[str]) -> None:
        """Write an ONNX graph with the preparation in it, see `Predictor.export_onnx`."""
        self._exported().export_onnx(path)

    def export_python(self, path: str | os.PathLike[str], **options: Any) -> None:
        """Write a file of Python with the preparation in it, see `Predictor.export_python`."""
        self._exported().export_python(path, **options)

    def _exported(self) -> Predictor:
        predictor = self.freeze()
        for note in notes_on_digits(self._model, predictor):
            warn(note)
        return predictor
