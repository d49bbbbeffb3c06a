"""Losses and update rules that arguments name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from twin_estimators import TABLES, fitted, quietly

import fastmlp as fm
from fastmlp.estimators.objective import loss_of_numbers, optimizer_of, reports_mean


@pytest.mark.parametrize(
    ("solver", "expected"),
    [
        ("adamw", fm.AdamW(0.02)),
        ("rmsprop", fm.RMSprop(0.02)),
        ("momentum", fm.SGD(0.02, 0.9)),
        (fm.Nadam(0.5), fm.Nadam(0.5)),
        (fm.AdaGrad(fm.StepDecay(0.1, 0.5, 2)), fm.AdaGrad(fm.StepDecay(0.1, 0.5, 2))),
    ],
)
def test_solvers(solver: Any, expected: Any) -> None:
    model = fitted(solver=solver, learning_rate_init=0.02)
    assert model.network_.optimizer == expected
    limited = fitted(solver=solver, learning_rate_init=0.02, clip_norm=2, clip_value=0.5)
    assert limited.network_.optimizer.clip_norm == 2.0
    assert limited.network_.optimizer.clip_value == 0.5


def test_label_smoothing() -> None:
    for task, loss in (
        ("multiclass", fm.CategoricalCrossentropy),
        ("binary", fm.BinaryCrossentropy),
        ("multilabel", fm.BinaryCrossentropy),
    ):
        model = fitted(task=task, label_smoothing=0.1)
        assert isinstance(model.network_.loss, loss)
        assert model.network_.loss.label_smoothing == 0.1


@pytest.mark.parametrize(
    ("loss", "expected", "output"),
    [
        ("absolute_error", fm.MAE(), "identity"),
        ("mae", fm.MAE(), "identity"),
        ("huber", fm.Huber(), "identity"),
        (fm.Huber(3.0), fm.Huber(3.0), "identity"),
        (fm.Quantile(0.9), fm.Quantile(0.9), "identity"),
        ("mse", fm.MSE(), "identity"),
        (fm.Poisson(), fm.Poisson(), "exp"),
    ],
)
def test_losses_of_numbers(loss: Any, expected: Any, output: str) -> None:
    model = fitted(fm.MLPRegressor, "counts", loss=loss)
    assert model.network_.loss == expected
    assert model.out_activation_ == output
    rows, numbers = TABLES["counts"][1:3]
    found = model.network_.evaluate(rows, numbers)["loss"]
    assert found == pytest.approx(model.history_["loss"][-1], rel=0.2)


def test_quantiles_are_those_of_y() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 1))
    y = X[:, 0] + rng.exponential(size=2000)
    for q in (0.1, 0.5, 0.9):
        model = fm.MLPRegressor(fm.Quantile(q), (), learning_rate_init=0.02, random_state=0)
        quietly(model.fit, X, y)
        assert np.mean(y < model.predict(X)) == pytest.approx(q, abs=0.03)


def test_what_is_declared() -> None:
    assert optimizer_of(fm.MLPClassifier()) == fm.Adam(1e-3, epsilon_hat=True)
    still = fm.MLPClassifier(solver="sgd", momentum=0, nesterovs_momentum=True)
    assert optimizer_of(still) == fm.SGD(1e-3, 0.0, False, rate_in_velocity=True)
    assert optimizer_of(fm.MLPClassifier(solver="lbfgs")) == fm.SGD()
    assert loss_of_numbers("squared_error") == (fm.HalfSquaredError(reduction="sum"), "identity")
    assert loss_of_numbers("poisson") == (fm.PoissonDeviance(reduction="sum"), "exp")


def test_only_squares_are_reported_as_means() -> None:
    assert reports_mean(fm.MLPRegressor())
    assert not reports_mean(fm.MLPRegressor("mse"))
    assert not reports_mean(fm.MLPClassifier())


def test_an_unknown_loss_is_told_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown loss 'l2'; known: .*mae.*absolute_error") as told:
        loss_of_numbers("l2")
    assert "crossentropy" not in str(told.value)
    assert str(told.value).count("poisson,") == 1
    with pytest.raises(ValueError, match="did you mean 'squared_error'"):
        loss_of_numbers("squared_eror")
