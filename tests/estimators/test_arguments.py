"""Arguments beyond scikit-learn's: what each layer becomes, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import RandomizedSearchCV
from sklearn.utils._param_validation import InvalidParameterError
from twin_estimators import TABLES, fitted, quietly

import fastmlp as fm
from fastmlp.estimators.arguments import dropout_rates, hidden_activations, hidden_widths


def test_widths() -> None:
    assert hidden_widths(7) == [7]
    assert hidden_widths(()) == []
    assert hidden_widths(np.array([3, 4])) == [3, 4]
    assert hidden_widths((100,), 3, 5) == [5, 5, 5]
    assert hidden_widths((100,), 2) == [100, 100]
    assert hidden_widths((100,), None, 8) == [8]
    assert hidden_widths((100,), 0, 8) == []
    with pytest.raises(ValueError, match=r"hidden_layer_sizes must be > 0, got \[3, -1\]"):
        hidden_widths((3, -1))
    with pytest.raises(ValueError, match="give hidden_layer_sizes or depth and width, not both"):
        hidden_widths((20,), 2, 5)


def test_widths_are_whole_numbers() -> None:
    assert hidden_widths((64.0, np.float64(32))) == [64, 32]
    for given in ((5.5,), ("5",), (5, None), ((5,),), [True]):
        with pytest.raises(TypeError, match=r"must be whole numbers, .* such as \(64, 32\), got "):
            hidden_widths(given)


def test_activations() -> None:
    names = [each.name for each in hidden_activations(["Logistic".lower(), "GELU", "identity"], 3)]
    assert names == ["sigmoid", "gelu", "linear"]
    assert hidden_activations(fm.LeakyReLU(0.1), 2) == [fm.LeakyReLU(0.1)] * 2
    with pytest.raises(ValueError, match="for each of the 2 hidden layers, got 3 values"):
        hidden_activations(["relu"] * 3, 2)
    with pytest.raises(ValueError, match="activation 'rel'.*relu"):
        hidden_activations("rel", 1)


def test_dropout_rates() -> None:
    assert dropout_rates(0.5, 2) == [0.5, 0.5]
    assert dropout_rates([0, 0.25], 2) == [0.0, 0.25]
    with pytest.raises(ValueError, match="dropout must be one value, or one for each of the 1"):
        dropout_rates([0.1, 0.2], 1)
    with pytest.raises(ValueError, match="dropout must be at least 0 and below 1, got 1.5"):
        dropout_rates([0.1, 1.5], 2)


def test_layers() -> None:
    model = fitted(
        hidden_layer_sizes=(6, 6, 4),
        activation=["relu", "mish", fm.ELU(0.5)],
        dropout=[0.0, 0.25, 0.5],
        batch_norm=True,
        residual=True,
        alpha=0.5,
    )
    product = {"initializer": "zeros", "l2": 0.5, "mean_penalty": True}
    assert list(model.network_.layers) == [
        fm.Dense(6, "linear", **product),
        fm.BatchNorm(),
        fm.Activation("relu"),
        fm.Residual([fm.Dense(6, "linear", **product), fm.BatchNorm(), fm.Activation("mish")]),
        fm.Dropout(0.25),
        fm.Dense(4, "linear", **product),
        fm.BatchNorm(),
        fm.Activation(fm.ELU(0.5)),
        fm.Dropout(0.5),
        fm.Dense(3, "softmax", **product),
    ]
    assert [coef.shape for coef in model.coefs_] == [(5, 6), (6, 6), (6, 4), (4, 3)]
    np.testing.assert_array_equal(model.coefs_[1], model.network_.parameters["3.0.weight"])


def test_dropout_follows_the_random_state() -> None:
    one, same, other = (fitted(dropout=0.5, random_state=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.coefs_[0], same.coefs_[0])
    assert one.network_.random_state != other.network_.random_state
    # Without dropout nothing more is drawn.
    rng = np.random.RandomState(0)
    fitted(random_state=rng, shuffle=False)
    expected = np.random.RandomState(0)
    expected.uniform(size=5 * 100 + 100 + 100 * 3 + 3)
    assert rng.randint(2**31) == expected.randint(2**31)


def test_a_schedule_in_place_of_a_rule() -> None:
    schedule = fm.ExponentialDecay(0.1, 0.5)
    for solver in ("adam", "sgd", "rmsprop", fm.Nadam(3.0)):
        model = fitted(solver=solver, learning_rate=schedule)
        assert model.history_["learning_rate"] == [0.1, 0.05, 0.025]
    # A further epoch goes on, a further fit begins anew.
    _, X, y, _ = TABLES["multiclass"]
    quietly(model.partial_fit, X, y)
    assert model.history_["learning_rate"][-1] == 0.0125
    quietly(model.set_params(warm_start=True).fit, X, y)
    assert model.history_["learning_rate"][-3:] == [0.1, 0.05, 0.025]


def test_a_schedule_by_steps() -> None:
    model = fitted(learning_rate=fm.OneCycle(0.1, 3), batch_size=40)
    assert len(set(model.history_["learning_rate"])) == 3
    assert max(model.history_["learning_rate"]) <= 0.1


def test_a_rule_of_scikit_learn_with_another_solver() -> None:
    model = fitted(solver="rmsprop", learning_rate="invscaling", learning_rate_init=0.1)
    assert model.history_["learning_rate"] == [
        0.1,
        *(0.1 / (120 * n + 1) ** 0.5 for n in (1, 2)),
    ]
    with pytest.raises(ValueError, match="learning_rate='adaptive' changes a number, but the"):
        fitted(solver=fm.Adam(fm.CosineDecay(0.1, 3)), learning_rate="adaptive")


@pytest.mark.parametrize(
    ("make", "arguments", "message"),
    [
        (fm.MLPClassifier, {"activation": "rellu"}, "activation 'rellu'.*did you mean 'relu'"),
        (fm.MLPClassifier, {"solver": "newton"}, "The 'solver' parameter of MLPClassifier"),
        (fm.MLPClassifier, {"early_stopping": "auc"}, "or a scorer, got 'auc'"),
        (fm.MLPClassifier, {"callbacks": [3]}, "callbacks must hold callbacks of fastmlp or of"),
        (fm.MLPRegressor, {"loss": "bce"}, "'binary_crossentropy' is one of classes"),
        (fm.MLPRegressor, {"loss": "squared"}, "loss 'squared'"),
    ],
)
def test_refusals(make: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError, InvalidParameterError), match=message):
        fitted(make, **arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"dropout": 0.1},
        {"batch_norm": True},
        {"clip_norm": 1.0},
        {"clip_value": 1.0},
        {"learning_rate": fm.CosineDecay(0.1, 3)},
    ],
)
def test_what_lbfgs_cannot_do(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"'lbfgs' does not go with {next(iter(arguments))};"):
        fitted(solver="lbfgs", **arguments)


def test_lbfgs_with_residuals_and_other_losses() -> None:
    arguments = {"solver": "lbfgs", "max_iter": 50, "residual": True, "activation": "silu"}
    model = fitted(fm.MLPRegressor, "numbers", loss="huber", depth=2, width=6, **arguments)
    assert model.loss_ < 0.5 * model.history_["loss"][0]


def test_other_layers_need_another_fit() -> None:
    _, X, y, _ = TABLES["multiclass"]
    model = fitted(warm_start=True)
    before = model.coefs_[0].copy()
    with pytest.raises(ValueError, match="go on with the same layers, but batch_norm"):
        model.set_params(batch_norm=True).fit(X, y)
    np.testing.assert_array_equal(model.coefs_[0], before)


def test_running_statistics_go_on_with_a_warm_start() -> None:
    _, X, y, _ = TABLES["multiclass"]
    model = fitted(batch_norm=True, warm_start=True)
    mean = model.network_.buffers["1.running_mean"].copy()
    quietly(model.set_params(dropout=0.25, max_iter=1).fit, X, y)
    moved = np.abs(model.network_.buffers["1.running_mean"] - mean).max()
    assert 0 < moved < np.abs(mean).max()


def test_a_search_draws_numbers() -> None:
    _, X, y, _ = TABLES["binary"]
    space = {"depth": [1, 2], "width": [4, 8], "dropout": [0.0, 0.2], "batch_norm": [True, False]}
    search = RandomizedSearchCV(
        fm.MLPClassifier(max_iter=2, random_state=0), space, n_iter=3, cv=2, random_state=0
    )
    quietly(search.fit, X, y)
    assert set(search.best_params_) == set(space)
