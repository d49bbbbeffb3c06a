"""What a person would say of the numbers."""

from __future__ import annotations

import pytest

from fastmlp.cli.verdict import verdict
from fastmlp.tables.target import Target

CLASSES, NUMBERS = Target("y", "category", ("a", "b")), Target("y", "number")


def said(target: Target, training: float, test: float, *baselines: float) -> str:
    name = "log_loss" if target.classes else "rmse"
    names = ("class frequencies" if target.classes else "mean", "linear model")
    measured = {"training": {name: training}, "test": {name: test}}
    return "; ".join(
        verdict(target, measured, {n: {name: v} for n, v in zip(names, baselines, strict=True)})
    )


def test_better_than_the_best_baseline() -> None:
    assert said(CLASSES, 0.3, 0.31, 0.69, 0.4) == (
        "on the test rows the network is better than the linear model (log loss 0.31 and 0.4)"
    )
    assert said(NUMBERS, 50000.0, 51234.5, 2e6, 1e5) == (
        "on the test rows the network is better than the linear model (RMSE 51,234 and 100,000)"
    )
    assert "better than the class frequencies" in said(CLASSES, 0.3, 0.31, 0.5, 0.6)


def test_no_better_and_worse() -> None:
    assert said(CLASSES, 0.4, 0.4, 0.69, 0.4) == (
        "on the test rows the network is no better than the linear model (log loss 0.4 and 0.4)"
    )
    both = said(NUMBERS, 9.0, 10.0, 9.5, 8.0)
    assert "worse than the mean (RMSE 10 and 9.5)" in both
    assert "worse than the linear model (RMSE 10 and 8)" in both
    assert "better" not in both


@pytest.mark.parametrize(
    ("training", "test", "told"),
    [
        (0.3, 0.33, False),
        (0.1, 0.6, True),
        # Nothing beside what the constant answer loses.
        (0.001, 0.01, False),
        (0.0, 0.6, True),
    ],
)
def test_when_training_and_test_part(training: float, test: float, told: bool) -> None:
    words = said(CLASSES, training, test, 0.69, 0.68)
    assert ("learned them by heart" in words) == told
