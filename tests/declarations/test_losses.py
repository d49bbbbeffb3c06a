"""Losses: defaults, what kernels take, and which go with which activation."""

from __future__ import annotations

import re
from typing import Any

import pytest

from fastmlp.declarations.activations import (
    ACTIVATIONS,
    Activation,
    LeakyReLU,
    get_activation,
)
from fastmlp.declarations.custom import CustomActivation, CustomLoss
from fastmlp.declarations.losses import (
    LOSSES,
    MAE,
    MSE,
    BinaryCrossentropy,
    CategoricalCrossentropy,
    HalfSquaredError,
    Huber,
    Loss,
    Poisson,
    PoissonDeviance,
    Quantile,
    choose_loss,
    get_loss,
)

NAMES = [name for name, each in ACTIVATIONS.items() if not isinstance(each, CustomActivation)]

REGRESSION = {"mse", "mae", "huber", "quantile"}
ALLOWED = {
    "softmax": {"categorical_crossentropy"},
    "sigmoid": {"binary_crossentropy", "mse", "mae", "huber"},
    "linear": REGRESSION,
    "relu": REGRESSION,
    "tanh": REGRESSION,
    "leaky_relu": REGRESSION,
    "elu": REGRESSION,
    "selu": REGRESSION,
    "gelu": REGRESSION,
    "silu": REGRESSION,
    "mish": REGRESSION,
    "exp": {"poisson", "mse"},
    "softplus": {"poisson", "mse"},
}


@pytest.mark.parametrize(
    ("name", "loss", "kernel", "parameter", "on_logits"),
    [
        ("mse", MSE(), "mean_squared_error", 0.0, False),
        ("mae", MAE(), "mean_absolute_error", 0.0, False),
        ("huber", Huber(delta=1.0), "huber_loss", 1.0, False),
        ("quantile", Quantile(q=0.5), "quantile_loss", 0.5, False),
        ("poisson", Poisson(), "poisson_loss", 0.0, False),
        ("half_squared_error", HalfSquaredError(), "half_squared_error", 0.0, False),
        ("poisson_deviance", PoissonDeviance(), "poisson_deviance", 0.0, False),
        ("bce", BinaryCrossentropy(label_smoothing=0.0), "sigmoid_cross_entropy", 0.0, True),
        ("cce", CategoricalCrossentropy(label_smoothing=0.0), "softmax_cross_entropy", 0.0, True),
    ],
)
def test_losses(name: str, loss: Loss, kernel: str, parameter: float, on_logits: bool) -> None:
    assert get_loss(name.upper()) == loss
    assert get_loss(loss.name) == loss
    assert get_loss(loss) is loss
    assert (loss.kernel, loss.parameter, loss.on_logits) == (kernel, parameter, on_logits)


def test_loss_parameters() -> None:
    assert Huber(2).parameter == 2.0
    assert Quantile(0.9).parameter == 0.9
    assert BinaryCrossentropy(0.1).parameter == 0.1
    assert CategoricalCrossentropy(0.2).parameter == 0.2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Huber(0), "delta must be a finite number > 0, got 0"),
        (lambda: Quantile(0), r"q must be a finite number in \(0, 1\), got 0"),
        (lambda: Quantile(1), r"q must be a finite number in \(0, 1\), got 1"),
        (lambda: BinaryCrossentropy(1), r"label_smoothing must be a finite number in \[0, 1\)"),
        (lambda: CategoricalCrossentropy(-0.1), r"label_smoothing .* got -0.1"),
        (lambda: CategoricalCrossentropy(clip=0.5), r"clip must be a finite number in \[0, 0.5\)"),
        (lambda: MSE(reduction="total"), "unknown reduction 'total'"),
        (lambda: get_loss("huberr"), "unknown loss 'huberr'; did you mean 'huber'"),
        (lambda: choose_loss("atuo", get_activation("relu")), "did you mean 'auto'"),
    ],
)
def test_loss_errors(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_loss_type_errors() -> None:
    not_a_loss: Any
    for not_a_loss in (None, 3, MSE):
        with pytest.raises(TypeError, match="loss must be a name, got "):
            get_loss(not_a_loss)
        with pytest.raises(TypeError, match="loss must be a name, got "):
            choose_loss(not_a_loss, get_activation("linear"))


@pytest.mark.parametrize("name", NAMES)
def test_auto_loss(name: str) -> None:
    expected = {"softmax": CategoricalCrossentropy(), "sigmoid": BinaryCrossentropy()}
    chosen = choose_loss("Auto", get_activation(name))
    assert chosen == expected.get(name, MSE())
    assert chosen.goes_with(get_activation(name))


@pytest.mark.parametrize("name", ALLOWED)
def test_pairs_of_the_contract(name: str) -> None:
    known = {loss for losses in ALLOWED.values() for loss in losses}
    activation = get_activation(name)
    assert {loss for loss in known if get_loss(loss).goes_with(activation)} == ALLOWED[name]


def pairs() -> str:
    """Every activation that puts out more than numbers, and the others, with their losses."""
    known = [loss for loss in LOSSES.values() if not isinstance(loss, CustomLoss)]
    own = {loss.name: loss for loss in known if not loss.is_variant}
    texts = {
        name: ", ".join(each for each in own if own[each].goes_with(get_activation(name)))
        for name in NAMES
    }
    others = texts["linear"]
    listed = [f"{name} with {losses}" for name, losses in texts.items() if losses != others]
    return "; ".join([*listed, f"every other activation with {others}"])


@pytest.mark.parametrize("loss", sorted(LOSSES))
@pytest.mark.parametrize("name", NAMES)
def test_pairs(name: str, loss: str) -> None:
    activation = get_activation(name)
    canonical = get_loss(loss).name
    if get_loss(loss).goes_with(activation):
        assert choose_loss(loss, activation) == get_loss(loss)
        assert choose_loss(get_loss(loss), activation) == get_loss(loss)
        return
    expected = re.escape(
        f"the loss '{canonical}' does not go with the output activation '{name}'; the pairs that "
        f"do: {pairs()}"
    )
    with pytest.raises(ValueError, match=f"^{expected}$"):
        choose_loss(loss, activation)


def test_the_message_lists_pairs() -> None:
    with pytest.raises(ValueError, match=r"'poisson' does not go with .* 'relu'") as caught:
        choose_loss("poisson", get_activation("relu"))
    assert "do: softmax with categorical_crossentropy; sigmoid with binary_c" in str(caught.value)
    assert "; exp with poisson, mse; softplus with poisson, mse; every other" in str(caught.value)


def test_parameters_do_not_matter_for_pairs() -> None:
    assert choose_loss(Huber(3.0), LeakyReLU(0.3)) == Huber(3.0)
    with pytest.raises(ValueError, match=r"'quantile' does not go with .* 'exp'"):
        choose_loss(Quantile(0.9), get_activation("exp"))


def test_other_activations_go_with_the_regression_losses() -> None:
    class Bent(Activation):
        name = "bent"

    assert Bent().kernel == "bent"
    assert choose_loss("auto", Bent()) == MSE()
    assert {loss.name for loss in LOSSES.values() if loss.goes_with(Bent())} >= REGRESSION
