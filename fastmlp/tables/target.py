"""What is predicted: labels as they are written, or numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..common.checks import check_number
from ..common.plain_fields import check_plain_fields

if TYPE_CHECKING:
    from ..kernels.typing import Array

KINDS = ("number", "boolean", "category", "date")

__all__ = ["KINDS", "Target"]


@dataclass(frozen=True)
class Target:
    """What is predicted: one of some classes, or a number, learned as ``(y - mean) / scale``.

    Attributes
    ----------
    name : str
        Of its column.
    kind : str
        What its cells spell: ``"number"``, ``"boolean"`` or ``"category"``.
    classes : tuple of str
        Names of the classes in the order of the sorted labels; empty for a regression.
    mean, scale : float
        0 and 1 where the target is learned as it is; of its logarithms where those are learned.
    log : bool
        Whether ``log(y + shift)`` is learned in place of ``y``.
    shift : float
        1 where a target that is learned in logarithms has zeros, 0 otherwise.
    decimal, unit : str
        How its numbers are written, see `fastmlp.tables.numbers.NumberFormat`.
    join_case : bool
        Whether texts that differ by case alone are one class.
    missing, distinct : int
        Rows without a target, and how many different ones there are.
    example : str
        One of its cells.
    """

    name: str
    kind: str
    classes: tuple[str, ...] = ()
    mean: float = 0.0
    scale: float = 1.0
    log: bool = False
    shift: float = 0.0
    decimal: str = "."
    unit: str = ""
    join_case: bool = False
    missing: int = 0
    distinct: int = 0
    example: str = ""

    def __post_init__(self) -> None:
        check_plain_fields(self)
        if self.kind not in KINDS:
            raise ValueError(f"the target is of the kind {self.kind!r}")
        if self.decimal not in (".", ","):
            raise ValueError(f"the target has the decimal sign {self.decimal!r}")
        check_number("the target's scale", self.scale, 0, open_low=True)

    @property
    def task(self) -> str:
        """``"classification"`` or ``"regression"``."""
        return "classification" if self.classes else "regression"

    def fitted(self, y: Array, log: bool = False) -> Target:
        """The target of a regression with the mean and scale of some numbers, or their logarithms.

        Raises
        ------
        ValueError
            Logarithms of negative numbers are asked for.
        """
        if log and y.min() < 0:
            raise ValueError(
                f"the target {self.name!r} has negative numbers, such as {y.min():g}, which have "
                "no logarithm; leave out --log-target"
            )
        raw = replace(self, log=log, shift=float(log and y.min() == 0), mean=0.0, scale=1.0)
        learned = raw.transform(y)
        # A target that is the same in all rows is learned as it is, less its mean.
        scale = float(learned.std()) or 1.0
        return replace(raw, mean=float(learned.mean()), scale=scale)

    def transform(self, y: Array) -> Array:
        """What the network learns of labels or numbers."""
        if self.classes:
            return y
        if self.log:
            with np.errstate(divide="ignore", invalid="ignore"):
                y = np.log(y + self.shift)
            if not np.isfinite(y).all():
                raise ValueError(
                    f"the target {self.name!r} is learned in logarithms, and has numbers without "
                    "one in these rows"
                )
        return (y - self.mean) / self.scale

    def inverse_transform(self, outputs: Array) -> Array:
        """Numbers in the target's own units, float64 ``(n,)``, from outputs ``(n, 1)``."""
        learned = outputs[:, 0].astype(np.float64) * self.scale + self.mean
        if self.log:
            with np.errstate(over="ignore"):
                learned = np.minimum(np.exp(learned), np.finfo(np.float64).max) - self.shift
        return learned
