"""Constant answers and linear models as networks."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.tabular.baselines import baselines
from fastmlp.tabular.plan import Recipe


@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_a_network_says_what_the_linear_model_does(n_classes: int) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5)).astype("f4")
    y = np.arange(60) % n_classes if n_classes else X @ np.arange(5.0) + 3
    options = list(baselines(X, y, n_classes, np.arange(60)))
    assert [option.name for option in options] == ["constant", "linear", "linear", "linear"]
    for option in options:
        expected, found = option.linear.outputs(X), option.network(Recipe(), 0).predict(X)
        np.testing.assert_allclose(
            found, expected[:, -1:] if n_classes == 2 else expected, atol=1e-5
        )
    constant = options[0].linear.outputs(X)
    assert (constant == constant[0]).all()
    sizes = [np.abs(option.linear.weight).sum() for option in options]
    assert sizes[1] > sizes[2] > sizes[3] > sizes[0] == 0
