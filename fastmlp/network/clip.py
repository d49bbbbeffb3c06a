"""Predictions within bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..common.checks import check_number, describe
from ..common.config import assign, declaration
from ..program.operation import Slot
from ..program.ops import ClipOp
from .builder import Builder, Layer


@declaration
@dataclass(frozen=True)
class Clip(Layer):
    """Predictions held within bounds: ``min(max(x, low), high)``.

    It stands last in a network, and training does not know it: the loss, that of validation and of
    `evaluate` too, is about the values before. A regression that is clipped to the range of y in
    training makes no wild prediction for a wild row::

        fm.Sequential([fm.Dense(64, "relu"), fm.Dense(1), fm.Clip(y.min(), y.max())])

    Parameters
    ----------
    low, high : float or list of float
        One for all outputs, or one for each.
    """

    low: float | Sequence[float]
    high: float | Sequence[float]

    keeps_activation = True

    def __post_init__(self) -> None:
        assign(self, low=_checked("low", self.low), high=_checked("high", self.high))
        # Lists of two lengths are refused where the number of outputs is known.
        pairs = zip(_repeated(self.low, self.high), _repeated(self.high, self.low), strict=False)
        for low, high in pairs:
            if low > high:
                raise ValueError(f"low must not be above high, got low={low:g}, high={high:g}")

    def build(self, builder: Builder, x: Slot, path: str, following: str) -> Slot:
        bounds = {}
        for name in ("low", "high"):
            given = getattr(self, name)
            listed = given if isinstance(given, tuple) else (given,) * x.width
            if len(listed) != x.width:
                raise ValueError(
                    f"Clip (layer {path}) has {len(listed)} numbers in {name} for {x.width} outputs"
                )
            bounds[name] = listed
        return builder.add(ClipOp, f"{path}.output", x.width, x=x, **bounds)


def _checked(name: str, bound: object) -> float | tuple[float, ...]:
    if isinstance(bound, str) or not isinstance(bound, Sequence):
        # NumPy's arrays are no sequences.
        listed = bound.tolist() if hasattr(bound, "tolist") else bound
        return _checked(name, listed) if isinstance(listed, list) else check_number(name, listed)
    if not bound:
        raise ValueError(f"{name} must be a number or a list of them, got {describe(bound)}")
    return tuple(check_number(name, number) for number in bound)


def _repeated(bound: float | Sequence[float], like: float | Sequence[float]) -> tuple[float, ...]:
    if isinstance(bound, tuple):
        return bound
    return (bound,) * (len(like) if isinstance(like, tuple) else 1)  # type: ignore[return-value]
