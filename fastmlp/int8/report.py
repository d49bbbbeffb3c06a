"""What a network loses, and how much smaller it becomes, as integers of 8 bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..data.targets import TargetEncoder
from ..kernels.typing import Array

# More than these shares of class changes, and of the outputs' standard deviation, are warned of.
_MANY = 0.05
_LARGE = 0.5
_LEAST_ROWS = 10
# Outputs that vary by less than this share of their size are as good as constant in 8 bits.
_CONSTANT = 2.0**-8


@dataclass(frozen=True)
class QuantizationReport:
    """An int8 network beside the float one, on the rows that it was calibrated with.

    Attributes
    ----------
    task : str
        binary, multiclass, multilabel or regression.
    n_rows : int
        Those that are compared.
    n_left_out : int
        Rows that lie far beyond the others: the ranges leave them out, and so does this report.
    mean_error, largest_error : float
        Of absolute differences between the outputs of both.
    same_class : float or None
        The share of rows in the same class; of labels where a row has several.
    float_accuracy, int8_accuracy : float or None
        The shares of right classes, where y was given.
    float_rmse, int8_rmse : float or None
        Of a regression, where y was given.
    float_bytes : int
        All weights of the float network in its dtype.
    weight_bytes : int
        The int8 weights alone.
    int8_bytes : int
        All constants of the int8 network: weights, biases, factors and tables.
    warnings : tuple of str
        What is likely wrong, in words; `Predictor.quantize` warns of each.
    """

    task: str
    n_rows: int
    n_left_out: int
    mean_error: float
    largest_error: float
    same_class: float | None
    float_accuracy: float | None
    int8_accuracy: float | None
    float_rmse: float | None
    int8_rmse: float | None
    float_bytes: int
    weight_bytes: int
    int8_bytes: int
    warnings: tuple[str, ...] = ()

    @property
    def ratio(self) -> float:
        """Bytes of the int8 network for each of the float one."""
        return self.int8_bytes / self.float_bytes

    def __str__(self) -> str:
        without = f", without {self.n_left_out:,} far beyond them" if self.n_left_out else ""
        lines = [
            f"int8 beside float on {self.n_rows:,} rows{without}",
            f"  outputs differ by   {self.mean_error:.3g} on average, {self.largest_error:.3g} at "
            "most",
        ]
        if self.same_class is not None:
            lines.append(f"  same class          {self.same_class:.2%}")
        if self.float_accuracy is not None and self.int8_accuracy is not None:
            change = 100 * (self.int8_accuracy - self.float_accuracy)
            lines.append(
                f"  accuracy            {self.int8_accuracy:.2%}, float {self.float_accuracy:.2%} "
                f"({change:+.2f} points)"
            )
        if self.float_rmse is not None and self.int8_rmse is not None:
            lines.append(f"  RMSE                {self.int8_rmse:.4g}, float {self.float_rmse:.4g}")
        lines.append(
            f"  size                {self.int8_bytes:,} bytes, float {self.float_bytes:,} "
            f"({self.ratio:.1%}); weights alone {self.weight_bytes:,}"
        )
        return "\n".join(lines)


def compare(
    targets: TargetEncoder,
    float_outputs: Array,
    int8_outputs: Array,
    encoded: Array | None,
    *,
    places: Array,
    n_left_out: int,
    warnings: Sequence[str],
    float_bytes: int,
    weight_bytes: int,
    int8_bytes: int,
) -> QuantizationReport:
    """The report of two networks' outputs for the same rows.

    Parameters
    ----------
    targets : TargetEncoder
    float_outputs, int8_outputs : ndarray, shape (n, units)
    encoded : ndarray or None
        y as `targets` has it.
    places : ndarray, shape (n,)
        The number of each row among those that the user gave.
    n_left_out, warnings, float_bytes, weight_bytes, int8_bytes
        As the report has them; warnings of large losses are added.
    """
    difference = np.abs(float_outputs.astype(np.float64) - int8_outputs)
    losses = _large_losses(targets, float_outputs, int8_outputs, difference, places)
    same = float_accuracy = int8_accuracy = float_rmse = int8_rmse = None
    if targets.task == "regression":
        if encoded is not None:
            float_rmse, int8_rmse = _rmse(float_outputs, encoded), _rmse(int8_outputs, encoded)
    else:
        before, after = _classes(targets, float_outputs), _classes(targets, int8_outputs)
        same = float(np.mean(before == after))
        if encoded is not None:
            right = _classes(targets, encoded)
            float_accuracy = float(np.mean(before == right))
            int8_accuracy = float(np.mean(after == right))
    return QuantizationReport(
        task=targets.task,
        n_rows=len(difference),
        n_left_out=n_left_out,
        mean_error=float(difference.mean()),
        largest_error=float(difference.max()),
        same_class=same,
        float_accuracy=float_accuracy,
        int8_accuracy=int8_accuracy,
        float_rmse=float_rmse,
        int8_rmse=int8_rmse,
        float_bytes=float_bytes,
        weight_bytes=weight_bytes,
        int8_bytes=int8_bytes,
        warnings=(*warnings, *losses),
    )


def _large_losses(
    targets: TargetEncoder,
    float_outputs: Array,
    int8_outputs: Array,
    difference: Array,
    places: Array,
) -> list[str]:
    """Warnings of what is lost."""
    if len(places) < _LEAST_ROWS:
        return []
    advice = (
        "; calibrate with more rows, like those of the training and without mistakes in them, "
        "standardize the columns before the training, or export in float"
    )
    if targets.task == "regression":
        # Quantiles, for a few rows may be far beyond all others.
        low, middle, high = np.quantile(float_outputs.astype(np.float64), (0.16, 0.5, 0.84), axis=0)
        errors, spread = difference.mean(axis=1), float((high - low).mean()) / 2
        error = float(np.median(errors))
        if error <= _LARGE * spread or spread <= _CONSTANT * np.abs(middle).mean():
            return []
        row = int(np.abs(errors - error).argmin())
        return [
            f"int8 outputs differ from those in float by {error / spread:.0%} of their standard "
            f"deviation, or more, in half of the calibration rows, such as in row {places[row]}: "
            f"{int8_outputs[row, 0]:.4g} in place of {float_outputs[row, 0]:.4g}{advice}"
        ]
    before, after = _classes(targets, float_outputs), _classes(targets, int8_outputs)
    changed = before != after
    if changed.mean() <= _MANY:
        return []
    rows = changed.reshape(len(changed), -1).any(axis=1)
    first = int(rows.argmax())
    labels = (targets.decode(outputs)[first] for outputs in (int8_outputs, float_outputs))
    found, expected = (" ".join(map(str, np.atleast_1d(label))) for label in labels)
    return [
        f"{rows.sum()} of {len(rows)} calibration rows change class in int8, such as row "
        f"{places[first]}: {found} in place of {expected}{advice}"
    ]


def _rmse(outputs: Array, y: Array) -> float:
    return float(np.sqrt(np.mean((outputs.astype(np.float64) - y) ** 2)))


def _classes(targets: TargetEncoder, outputs: Array) -> Array:
    indices = targets.class_indices(outputs)
    return np.asarray(outputs >= 0.5) if indices is None else indices
