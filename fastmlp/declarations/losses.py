"""Which losses there are, what they take, and with which output activation they go."""

from __future__ import annotations

from dataclasses import dataclass

from ..common.checks import check_number, find_name
from ..common.config import assign, declaration
from .activations import Activation

PAIRS = {
    "softmax": ("categorical_crossentropy",),
    "sigmoid": ("binary_crossentropy", "mse", "mae", "huber"),
    "exp": ("poisson", "mse"),
    "softplus": ("poisson", "mse"),
}
"""The losses that go with an output activation; with all others go `OTHER_PAIRS`."""

OTHER_PAIRS = ("mse", "mae", "huber", "quantile")

_AUTO = {"softmax": "categorical_crossentropy", "sigmoid": "binary_crossentropy"}


class Loss:
    """A loss; the subclasses are declarations.

    Attributes
    ----------
    name : str
        The name by which it can be asked for.
    kernel : str
        The name of its kernel.
    on_logits : bool
        Whether the kernel takes the preactivation of the output layer, not its output.
    takes_parameter : bool
        Whether the kernel takes a number after the sample weights.
    """

    name: str
    kernel: str
    on_logits: bool = False
    takes_parameter: bool = False

    @property
    def parameter(self) -> float:
        """The number that the kernel takes after the sample weights; 0.0 where it takes none."""
        return 0.0

    @property
    def arguments(self) -> tuple[float | str, ...]:
        """What the kernel takes after the sample weights."""
        return (self.parameter,) if self.takes_parameter else ()

    @property
    def member(self) -> str:
        """The name of its elementwise function among the compiled ones."""
        return self.kernel

    def goes_with(self, activation: Activation) -> bool:
        """Tell whether a network whose output has this activation can be trained with this loss."""
        return self.name in PAIRS.get(activation.name, OTHER_PAIRS)


@declaration
@dataclass(frozen=True)
class MSE(Loss):
    """Mean squared error, ``mean((prediction - y)**2)`` over rows and outputs."""

    name = "mse"
    kernel = "mean_squared_error"


@declaration
@dataclass(frozen=True)
class MAE(Loss):
    """Mean absolute error, ``mean(|prediction - y|)`` over rows and outputs."""

    name = "mae"
    kernel = "mean_absolute_error"


@declaration
@dataclass(frozen=True)
class Huber(Loss):
    """``e**2 / 2`` where ``|e| <= delta``, else ``delta * (|e| - delta / 2)`` (Huber 1964).

    ``e = y - prediction``; the mean is over rows and outputs.

    Parameters
    ----------
    delta : float
        Above 0.
    """

    delta: float = 1.0
    name = "huber"
    takes_parameter = True
    kernel = "huber_loss"

    def __post_init__(self) -> None:
        assign(self, delta=check_number("delta", self.delta, 0, open_low=True))

    @property
    def parameter(self) -> float:
        """Where the square ends."""
        return self.delta


@declaration
@dataclass(frozen=True)
class Quantile(Loss):
    """The pinball loss, ``max(q * e, (q - 1) * e)`` (Koenker and Bassett 1978).

    ``e = y - prediction``; the mean is over rows and outputs.

    Parameters
    ----------
    q : float
        The quantile to predict, between 0 and 1, both excluded.
    """

    q: float = 0.5
    name = "quantile"
    takes_parameter = True
    kernel = "quantile_loss"

    def __post_init__(self) -> None:
        assign(self, q=check_number("q", self.q, 0, 1, open_low=True, open_high=True))

    @property
    def parameter(self) -> float:
        """The quantile."""
        return self.q


@declaration
@dataclass(frozen=True)
class Poisson(Loss):
    """The Poisson likelihood without its constant, ``mean(mu - y * log(mu))``, ``mu`` predicted."""

    name = "poisson"
    kernel = "poisson_loss"


@dataclass(frozen=True)
class _Crossentropy(Loss):
    """What the two cross-entropies share."""

    label_smoothing: float = 0.0
    on_logits = True
    takes_parameter = True

    def __post_init__(self) -> None:
        smoothing = check_number("label_smoothing", self.label_smoothing, 0, 1, open_high=True)
        assign(self, label_smoothing=smoothing)

    @property
    def parameter(self) -> float:
        """The label smoothing."""
        return self.label_smoothing


@declaration
@dataclass(frozen=True)
class BinaryCrossentropy(_Crossentropy):
    """``-(y * log(p) + (1 - y) * log(1 - p))``, the mean over rows and outputs.

    Parameters
    ----------
    label_smoothing : float
        ``e`` in [0, 1): ``y`` becomes ``(1 - e) * y + e / 2``.
    """

    name = "binary_crossentropy"
    kernel = "sigmoid_cross_entropy"


@declaration
@dataclass(frozen=True)
class CategoricalCrossentropy(_Crossentropy):
    """``-sum_j y_j * log(p_j)``, the mean over rows.

    Parameters
    ----------
    label_smoothing : float
        ``e`` in [0, 1): ``y`` becomes ``(1 - e) * y + e / k``, ``k`` the number of classes.
    """

    name = "categorical_crossentropy"
    kernel = "softmax_cross_entropy"


LOSSES: dict[str, Loss] = {
    "mse": MSE(),
    "mae": MAE(),
    "huber": Huber(),
    "quantile": Quantile(),
    "poisson": Poisson(),
    "binary_crossentropy": BinaryCrossentropy(),
    "bce": BinaryCrossentropy(),
    "categorical_crossentropy": CategoricalCrossentropy(),
    "cce": CategoricalCrossentropy(),
}
"""From each name that `get_loss` knows to the loss with its defaults."""


def get_loss(spec: str | Loss) -> Loss:
    """Return the loss of this name (in any case); a `Loss` is returned as it is.

    Raises
    ------
    ValueError
        The name is unknown.
    TypeError
        ``spec`` is neither a name nor a loss.
    """
    if isinstance(spec, Loss):
        return spec
    return LOSSES[find_name("loss", spec, LOSSES)]


def choose_loss(spec: str | Loss, output_activation: Activation) -> Loss:
    """Return the loss of a network whose output has this activation.

    Parameters
    ----------
    spec : str or Loss
        ``"auto"`` takes categorical cross-entropy for softmax, binary cross-entropy for sigmoid
        and the mean squared error for the others.
    output_activation : Activation
        The activation of the last layer.

    Raises
    ------
    ValueError
        The loss is unknown or does not go with the activation; the message lists which do.
    TypeError
        ``spec`` is neither a name nor a loss.
    """
    if isinstance(spec, str) and spec.lower() == "auto":
        return LOSSES[_AUTO.get(output_activation.name, "mse")]
    if not isinstance(spec, Loss):
        spec = LOSSES[find_name("loss", spec, ("auto", *LOSSES))]
    if not spec.goes_with(output_activation):
        pairs = "; ".join(f"{name} with {', '.join(losses)}" for name, losses in PAIRS.items())
        raise ValueError(
            f"the loss {spec.name!r} does not go with the output activation "
            f"{output_activation.name!r}; the pairs that do: {pairs}; "
            f"every other activation with {', '.join(OTHER_PAIRS)}"
        )
    return spec
