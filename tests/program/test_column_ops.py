"""Operations that turn each column into several: what they say of themselves and refuse."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fastmlp.program.column_ops import PeriodicOp, PiecewiseLinearOp
from fastmlp.program.operation import Slot, Tensor

OP = PeriodicOp(
    x=Slot(0, "input", 3),
    out=Slot(1, "", 6),
    frequency=Tensor("0.frequency", (3, 5), 0),
    phase=Tensor("0.phase", (3, 5), 16),
    weight=Tensor("0.weight", (3, 5, 2), 32),
    bias=Tensor("0.bias", (3, 2), 64),
)


def test_in_words() -> None:
    OP.check()
    assert OP.description == "periodic embedding 3 -> 3 x 2, 5 waves each"
    assert OP.multiply_adds == 30


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("x", Slot(0, "input", 4), r"0.weight has the shape \(3, 5, 2\), expected \(4, 5, 2\)"),
        ("out", Slot(1, "", 5), "a periodic embedding of another width"),
        ("weight", Tensor("0.weight", (3, 10), 32), r"0.weight has the shape \(3, 10\)"),
        ("frequency", Tensor("0.frequency", (3, 4), 0), r"expected \(3, 5\)"),
        ("phase", Tensor("0.phase", (5, 3), 0), r"expected \(3, 5\)"),
        ("bias", Tensor("0.bias", (3, 1), 0), r"expected \(3, 2\)"),
    ],
)
def test_what_does_not_fit_together(field: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(OP, **{field: value}).check()


BINS = PiecewiseLinearOp(
    x=Slot(0, "input", 3), out=Slot(1, "", 12), edges=Tensor("0.edges", (3, 5), 0), is_fitted=True
)


def test_bins_in_words() -> None:
    BINS.check()
    assert BINS.description == "piecewise linear encoding 3 -> 3 x 4"
    # Predictions know nothing of where edges come from.
    assert not BINS.without_plan().is_fitted


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("x", Slot(0, "input", 4), r"0.edges has the shape \(3, 5\), expected \(4, 5\)"),
        ("out", Slot(1, "", 15), "a piecewise linear encoding of another width"),
        ("edges", Tensor("0.edges", (3, 1), 0), r"expected \(3, 2\)"),
        ("edges", Tensor("0.edges", (15,), 0), r"expected \(3, 2\)"),
    ],
)
def test_bins_that_do_not_fit_together(field: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(BINS, **{field: value}).check()
