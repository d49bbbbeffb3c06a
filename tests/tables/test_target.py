"""What is predicted, on its way to the network and back."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.tables.target import Target

pytest.importorskip("pyarrow")


def test_what_the_network_learns_and_back() -> None:
    y = np.array([0.0, 1, 9, 99])
    for log in (False, True):
        target = Target("y", "number").fitted(y, log)
        learned = target.transform(y)
        assert learned.mean() == pytest.approx(0, abs=1e-12)
        assert learned.std() == pytest.approx(1)
        np.testing.assert_allclose(target.inverse_transform(learned.reshape(-1, 1)), y, atol=1e-12)
    assert target.shift == 1
    np.testing.assert_allclose(np.diff(learned) * target.scale, np.diff(np.log1p(y)))
    assert Target("y", "number").fitted(y[1:], True).shift == 0
    assert Target("y", "number").fitted(np.full(3, 5.0)).scale == 1
    with pytest.raises(ValueError, match="has negative numbers, such as -1"):
        Target("y", "number").fitted(np.array([-1.0, 2]), True)
    with pytest.raises(ValueError, match="numbers without one"):
        target.transform(np.array([-5.0]))


@pytest.mark.parametrize(
    "wrong", [{"kind": "odd"}, {"scale": 0.0}, {"classes": (1,)}, {"decimal": ";"}, {"mean": "0"}]
)
def test_targets_that_cannot_be(wrong: dict) -> None:
    with pytest.raises((TypeError, ValueError)):
        Target(**{"name": "y", "kind": "number", **wrong})
