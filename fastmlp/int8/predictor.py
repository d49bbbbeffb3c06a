"""`QuantizedPredictor`: a network in integers of 8 bits, computed as its C code computes it."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.error_state import own_error_state
from ..inference.base import BasePredictor
from .kernels import run

if TYPE_CHECKING:
    from ..data.rows import Features
    from ..inference.predictor import Predictor
    from ..kernels.typing import Array
    from .program import IntegerProgram
    from .report import QuantizationReport

# Rows that are predicted at a time: accumulators stay in the cache.
_BLOCK_ROWS = 1024


@own_error_state
class QuantizedPredictor(BasePredictor):
    """A network whose weights and activations are integers of 8 bits.

    `Predictor.quantize` makes it. It gives the outputs of the exported C code to the last bit.
    Nothing in it changes, so threads may share one. X is rounded to float32; outputs are float32.

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

    n_features: int

    def __init__(
        self,
        predictor: Predictor,
        integers: IntegerProgram,
        report: QuantizationReport,
    ) -> None:
        super().__init__(
            partial(predict, integers),
            predictor.targets,
            integers.encode.out.width,
            integers.n_outputs,
            "float32",
            predictor.column_names,
        )
        self.predictor = predictor
        self.integers = integers
        self.report = report

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.predictor, self.integers, self.report)

    def export_c(self, path: str | os.PathLike[str], prefix: str = "model") -> None:
        """Write the network as one C99 header that needs ``stdint.h`` alone.

        As `Predictor.export_c` writes it, with float in place of double. Its outputs are those of
        this object to the last bit, with any compiler and optimization that keeps IEEE arithmetic
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


def predict(integers: IntegerProgram, x: Features, out: Array | None = None) -> Array:
    """Compute the outputs of one row or of many, block by block, as a `Forward` does."""
    assert isinstance(x, np.ndarray)
    rows = x.reshape(-1, x.shape[-1])
    values = np.empty((len(rows), integers.n_outputs), np.float32)
    with np.errstate(all="ignore"):
        for start in range(0, len(rows), _BLOCK_ROWS):
            block = rows[start : start + _BLOCK_ROWS].astype(np.float32)
            if np.count_nonzero(np.isfinite(block)) < block.size:
                raise FloatingPointError("X is not finite")
            values[start : start + _BLOCK_ROWS] = run(integers, block)
    values = values.reshape(*x.shape[:-1], integers.n_outputs)
    if out is None:
        return values
    out[...] = values
    return out
