"""Bars of the most important columns."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from pictured import drawn, ticks

import fastmlp as fm
from fastmlp.inspection.attributions import Attributions

pytestmark = pytest.mark.usefixtures("headless")

VALUES = np.array([[1.0, -4.0, 0.0], [-1.0, 2.0, 0.5]])
FOUND = Attributions(VALUES, np.zeros(2), ("a", "b", "costs in $"), "predicted price")


def test_bars_are_mean_absolute_attributions() -> None:
    ax = fm.plot_importance(FOUND)
    assert [bar.get_width() for bar in ax.patches] == [3.0, 1.0, 0.25]
    assert ticks(ax.yaxis) == ["b", "a", r"costs in \$"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1], "the most important one stands on top"
    assert "mean |attribution|\nto the predicted price" in drawn(ax)


def test_permutation_importance_beside() -> None:
    result = SimpleNamespace(
        importances_mean=np.array([0.1, 0.4, -0.1]), importances_std=np.full(3, 0.01)
    )
    ax = fm.plot_importance(FOUND, result)
    top = next(each for each in ax.figure.axes if each is not ax)
    assert [bar.get_width() for bar in top.patches] == [0.4, 0.1, -0.1]
    # A score may rise, too; all bars begin at the same place.
    shares = [low / high for low, high in (ax.get_xlim(), top.get_xlim())]
    assert shares[0] == pytest.approx(shares[1])
    assert shares[0] < 0
    assert "permutation importance" in drawn(ax)
    rises = fm.plot_importance(FOUND, [-0.1, -0.2, -0.3])
    assert rises.get_xlim()[0] < 0


def test_no_more_than_asked_for() -> None:
    many = Attributions(np.eye(40) * np.arange(40), np.zeros(40), tuple(map(str, range(40))))
    ax = fm.plot_importance(many)
    assert ticks(ax.yaxis) == [str(column) for column in range(39, 19, -1)]
    assert ax.get_ylabel() == "20 of 40 columns"
    assert len(fm.plot_importance(many, most=3).patches) == 3
    with pytest.raises(ValueError, match="most must be"):
        fm.plot_importance(many, most=0)


@pytest.mark.parametrize("wrong", [[0.1, 0.2], "score", [[0.1, 0.2, 0.3]]])
def test_importance_of_other_columns_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="3 numbers in their order"):
        fm.plot_importance(FOUND, wrong)


def test_a_network_that_says_the_same_of_all_rows() -> None:
    nothing = Attributions(np.zeros((2, 3)), np.zeros(2), ("a", "b", "c"))
    for ax in (fm.plot_importance(nothing), fm.plot_importance(nothing, np.zeros(3))):
        assert ax.get_xlim() == (0.0, 1.0)


def test_other_objects_are_refused() -> None:
    with pytest.raises(TypeError, match=r"what model\.attributions\(X\) returns, got array"):
        fm.plot_importance(np.ones(3))  # type: ignore[arg-type]
