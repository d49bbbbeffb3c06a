"""`QuantizedPredictor`: a network in integers of 8 bits, computed as its C code computes it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from ..common.error_state import own_error_state
from ..inference.arguments import check_out, labels_for, one_or_many
from .kernels import run

if TYPE_CHECKING:
    from ..inference.predictor import Predictor
    from ..kernels.typing import Array
    from .program import IntegerProgram
    from .report import QuantizationReport

# Rows that are predicted at a time: accumulators stay in the cache.
_BLOCK_ROWS = 1024


@own_error_state
class QuantizedPredictor:
    """A network whose weights and activations are integers of 8 bits.

    `Predictor.quantize` makes it. It gives the outputs of the exported C code to the last bit.
    Nothing in it changes, so threads may share one. Inputs and outputs are float32.

    Attributes
    ----------
    predictor : Predictor
        The float network.
    integers : IntegerProgram
        What it computes.
    report : QuantizationReport
        What is lost against the float network on the calibration rows, and how small it is.
    classes, task, feature_names, n_features, n_outputs
        Those of the float network.

    Examples
    --------
    >>> import numpy as np, fastmlp as fm
    >>> model = fm.Sequential([fm.Dense(8, "relu"), fm.Dense(1)], random_state=0).build(3)
    >>> rows = np.random.default_rng(0).normal(size=(100, 3))
    >>> small = model.freeze().quantize(rows)
    >>> small(rows).shape
    (100, 1)
    """

    dtype = "float32"

    def __init__(
        self,
        predictor: Predictor,
        integers: IntegerProgram,
        report: QuantizationReport,
    ) -> None:
        self.predictor = predictor
        self.integers = integers
        self.report = report

    @property
    def classes(self) -> Array | None:
        """The labels in the order of the outputs; None for a regression."""
        return self.predictor.classes

    @property
    def task(self) -> str:
        """What the outputs mean: binary, multiclass, multilabel or regression."""
        return self.predictor.task

    @property
    def feature_names(self) -> tuple[str, ...] | None:
        """One for each column of X, where they are known."""
        return self.predictor.feature_names

    @property
    def n_features(self) -> int:
        """Columns of X."""
        return self.integers.encode.out.width

    @property
    def n_outputs(self) -> int:
        """Outputs of a row."""
        return self.integers.n_outputs

    @own_error_state
    def __call__(self, x: object, out: Array | None = None) -> Array:
        """Predict one row or many.

        Parameters
        ----------
        x : array_like, shape (n_features,) or (n, n_features)
            Rounded to float32.
        out : ndarray, optional
            C-contiguous float32 of the shape of the result, which is written there.

        Returns
        -------
        ndarray, shape (units,) or (n, units)
            Float32.

        Raises
        ------
        TypeError, ValueError
            As `Predictor` raises them.
        """
        rows, single = one_or_many(x, self.n_features, self.dtype, self.feature_names)
        shape = (self.n_outputs,) if single else (len(rows), self.n_outputs)
        if out is not None:
            check_out(out, shape, self.dtype)
        y = predict(self.integers, rows).reshape(shape)
        if out is None:
            return y
        out[...] = y
        return out

    def predict_classes(self, x: object) -> Array:
        """Predict the labels of one row or many, as `Predictor.predict_classes` does."""
        return labels_for(self(x), self.predictor.targets)

    def export_c(self, path: str | os.PathLike[str], prefix: str = "model") -> None:
        """Write the network as one C99 header that needs ``stdint.h`` alone.

        As `Predictor.export_c` writes it, with float in place of double. Its outputs are those of
        this object to the last bit, with any compiler and optimisation that keeps IEEE arithmetic
        (not ``-ffast-math``).

        Parameters
        ----------
        path : str or path-like
            Of the header; its folder must exist.
        prefix : str
            A C identifier that all names begin with, in capitals those of macros.

        Raises
        ------
        TypeError, ValueError
            `prefix` is no C identifier.
        OSError
            The file cannot be written.
        """
        from ..export.c.int8 import export_c_int8

        export_c_int8(self, path, prefix)

    def __repr__(self) -> str:
        return (
            f"<QuantizedPredictor {self.n_features} -> {self.n_outputs}, {self.task}, "
            f"{self.report.int8_bytes:,} bytes>"
        )


def predict(integers: IntegerProgram, rows: Array) -> Array:
    """The outputs of checked rows, block by block."""
    y = np.empty((len(rows), integers.n_outputs), np.float32)
    for start in range(0, len(rows), _BLOCK_ROWS):
        block = slice(start, start + _BLOCK_ROWS)
        y[block] = run(integers, rows[block].astype(np.float32))
    return y
