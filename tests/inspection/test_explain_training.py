"""The loss and its penalties, in words and numbers."""

from __future__ import annotations

import numpy as np
import pytest
from explained_models import X, everything

import fastmlp as fm


def test_penalties_are_told() -> None:
    model = fm.Sequential(
        [fm.Dense(1, l1=0.1, l2=0.5)], dtype="float64", backend="numpy", random_state=0
    ).build(4)
    w = model.parameters["0.weight"]
    explanation = model.explain(X[0], 1.0)
    penalty = 0.1 * np.abs(w).sum() + 0.25 * (w**2).sum()
    values = explanation.find("loss", "penalty of 0.weight").values
    assert float(values["penalty"]) == pytest.approx(penalty, rel=1e-12)
    assert float(explanation.find("loss", "reported loss").values["loss"]) == pytest.approx(
        model.evaluate(X[:1], [1.0])["loss"], rel=1e-12
    )


def test_smoothed_targets() -> None:
    loss = fm.CategoricalCrossentropy(label_smoothing=0.3)
    model = everything("numpy", loss=loss).build(4)
    values = model.explain(X[0], 2).find("loss", "loss").values
    np.testing.assert_allclose(values["target"], [[0.1, 0.1, 0.8]])
    told = -(values["target"] * np.log(values["6.output"])).sum()
    assert float(values["loss"]) == pytest.approx(told, rel=1e-12)
