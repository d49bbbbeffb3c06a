"""The losses, their parameters, and the kinds of outputs with which they go."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..common.checks import check_number, find_name
from ..common.config import assign, declaration
from .activations import TRAITS, Activation, Output
from .formulas import with_numbers

if TYPE_CHECKING:
    from ..kernels.typing import Array

__all__ = [
    "MAE",
    "MSE",
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "HalfSquaredError",
    "Huber",
    "Poisson",
    "PoissonDeviance",
    "Quantile",
]


class Loss:
    """A loss; the subclasses are declarations.

    Attributes
    ----------
    name : str
        The name by which it can be asked for.
    aliases : tuple of str
        Other names for it.
    kernel : str
        The name of its kernel.
    formula, slope : str
        Python expressions of the loss and of its derivative by what the kernel takes: ``p`` is the
        output, ``t`` the target, a name in braces the parameter. Of one element, the loss being
        their mean, unless `is_rowwise`. They may call what `math` has, ``sign``, and ``sum`` over
        the row.
    outputs : tuple of Output
        With which kinds of outputs it goes.
    default_for : tuple of Output
        For which of them ``"auto"`` stands for it.
    on_logits : bool
        Whether the kernel takes the preactivation of the output layer, not its output.
    takes_parameter : bool
        Whether the kernel takes a number after the sample weights.
    is_rowwise : bool
        Whether it is one loss a row, not a mean over outputs.
    reads_class_indices : bool
        Whether the kernel takes int64 class indices ``(n,)`` in place of a column for each output;
        a row is then right where its largest output is that of its class.
    least_target : float
        The smallest number that y may hold, where it holds numbers.
    reduction : str
        Whether the losses of a row's outputs become their ``"mean"`` or their ``"sum"``.
    is_variant : bool
        Whether it is another form of one that messages list in its place.
    """

    name: str
    aliases: tuple[str, ...] = ()
    kernel: str
    formula: str = ""
    slope: str = ""
    outputs: tuple[Output, ...] = (Output.NUMBERS,)
    default_for: tuple[Output, ...] = ()
    on_logits: bool = False
    takes_parameter: bool = False
    is_rowwise: bool = False
    reads_class_indices: bool = False
    least_target: float = -math.inf
    reduction: str = "mean"
    is_variant: bool = False

    def factor(self, n_outputs: int) -> float:
        """Return what the kernel's mean over outputs, and its gradient, are multiplied by."""
        return float(n_outputs) if self.reduction == "sum" else 1.0

    @property
    def parameter(self) -> float:
        """The number that the kernel takes after the sample weights; 0.0 where it takes none."""
        return 0.0

    @property
    def arguments(self) -> tuple[float | str, ...]:
        """The kernel's arguments after the sample weights."""
        return (self.parameter,) if self.takes_parameter else ()

    @property
    def member(self) -> str:
        """The name of its elementwise function among the compiled ones."""
        return self.kernel

    def goes_with(self, activation: Activation) -> bool:
        """Tell whether a network whose output has this activation can be trained with this loss."""
        return activation.traits.output in self.outputs

    def smoothed(self, target: Array) -> Array:
        """Return the targets (n, k) that the formula takes."""
        return target

    def formulas(self, digits: int = 17) -> tuple[str, str]:
        """Return formula and slope with their numbers; empty where none are declared."""
        numbers = vars(self)
        return (
            with_numbers(self.formula, numbers, digits),
            with_numbers(self.slope, numbers, digits),
        )


@dataclass(frozen=True)
class _Elementwise(Loss):
    """A loss of each output; `reduction` makes that of a row of them."""

    reduction: str = field(default="mean", kw_only=True)

    def __post_init__(self) -> None:
        reduction = find_name("reduction", self.reduction, ("mean", "sum"))
        assign(self, reduction=reduction)


@declaration
@dataclass(frozen=True)
class MSE(_Elementwise):
    """Mean squared error, ``mean((prediction - y)**2)`` over rows and outputs.

    Parameters
    ----------
    reduction : {"mean", "sum"}
        Of the outputs of a row.
    """

    name = "mse"
    kernel = "mean_squared_error"
    formula = "(p - t)**2"
    slope = "2 * (p - t)"
    outputs = (Output.PROBABILITIES, Output.RATES, Output.NUMBERS)
    default_for = (Output.RATES, Output.NUMBERS)


@declaration
@dataclass(frozen=True)
class HalfSquaredError(_Elementwise):
    """``mean((prediction - y)**2 / 2)`` over rows and outputs: its slope is the residual.

    Parameters
    ----------
    reduction : {"mean", "sum"}
        Of the outputs of a row.
    """

    name = "half_squared_error"
    kernel = "half_squared_error"
    formula = "(p - t)**2 / 2"
    slope = "p - t"
    outputs = (Output.PROBABILITIES, Output.RATES, Output.NUMBERS)
    is_variant = True


@declaration
@dataclass(frozen=True)
class MAE(_Elementwise):
    """Mean absolute error, ``mean(|prediction - y|)`` over rows and outputs.

    Parameters
    ----------
    reduction : {"mean", "sum"}
        Of the outputs of a row.
    """

    name = "mae"
    kernel = "mean_absolute_error"
    formula = "abs(p - t)"
    slope = "sign(p - t)"
    outputs = (Output.PROBABILITIES, Output.NUMBERS)


@declaration
@dataclass(frozen=True)
class Huber(_Elementwise):
    """``e**2 / 2`` where ``|e| <= delta``, else ``delta * (|e| - delta / 2)`` (Huber 1964).

    ``e = y - prediction``; the mean is over rows and outputs.

    Parameters
    ----------
    delta : float
        Above 0.
    reduction : {"mean", "sum"}
        Of the outputs of a row.
    """

    delta: float = 1.0
    name = "huber"
    takes_parameter = True
    kernel = "huber_loss"
    formula = "(p - t)**2 / 2 if abs(p - t) <= {delta} else {delta} * (abs(p - t) - {delta} / 2)"
    slope = "max(-{delta}, min(p - t, {delta}))"
    outputs = (Output.PROBABILITIES, Output.NUMBERS)

    def __post_init__(self) -> None:
        super().__post_init__()
        assign(self, delta=check_number("delta", self.delta, 0, open_low=True))

    @property
    def parameter(self) -> float:
        """The error at which the square ends."""
        return self.delta


@declaration
@dataclass(frozen=True)
class Quantile(_Elementwise):
    """The pinball loss, ``max(q * e, (q - 1) * e)`` (Koenker and Bassett 1978).

    ``e = y - prediction``; the mean is over rows and outputs.

    Parameters
    ----------
    q : float
        The quantile to predict, between 0 and 1, both excluded.
    reduction : {"mean", "sum"}
        Of the outputs of a row.
    """

    q: float = 0.5
    name = "quantile"
    takes_parameter = True
    kernel = "quantile_loss"
    formula = "max({q} * (t - p), ({q} - 1) * (t - p))"
    slope = "-{q} if t > p else 1 - {q} if t < p else 0"
    outputs = (Output.NUMBERS,)

    def __post_init__(self) -> None:
        super().__post_init__()
        assign(self, q=check_number("q", self.q, 0, 1, open_low=True, open_high=True))

    @property
    def parameter(self) -> float:
        """The quantile."""
        return self.q


@declaration
@dataclass(frozen=True)
class Poisson(_Elementwise):
    """The Poisson likelihood without its constant, ``mean(mu - y * log(mu))``, ``mu`` predicted.

    Parameters
    ----------
    reduction : {"mean", "sum"}
        Of the outputs of a row.
    """

    name = "poisson"
    kernel = "poisson_loss"
    formula = "p - t * log(p)"
    slope = "1 - t / p"
    outputs = (Output.RATES,)
    least_target = 0.0


@declaration
@dataclass(frozen=True)
class PoissonDeviance(_Elementwise):
    """Half the Poisson deviance, ``mean(y * log(y / mu) - y + mu)``, ``mu`` predicted.

    `Poisson` and a constant that makes it 0 where ``mu`` is y.

    Parameters
    ----------
    reduction : {"mean", "sum"}
        Of the outputs of a row.
    """

    name = "poisson_deviance"
    kernel = "poisson_deviance"
    formula = "t * log(t / p) - t + p if t > 0 else p"
    slope = "1 - t / p"
    outputs = (Output.RATES,)
    least_target = 0.0
    is_variant = True


@dataclass(frozen=True)
class _Crossentropy(Loss):
    """Label smoothing and clipping of the two cross-entropies."""

    label_smoothing: float = 0.0
    clip: float = field(default=0.0, kw_only=True)
    on_logits = True
    takes_parameter = True

    def __post_init__(self) -> None:
        smoothing = check_number("label_smoothing", self.label_smoothing, 0, 1, open_high=True)
        clip = check_number("clip", self.clip, 0, 0.5, open_high=True)
        assign(self, label_smoothing=smoothing, clip=clip)

    @property
    def arguments(self) -> tuple[float | str, ...]:
        """The kernel's arguments after the sample weights."""
        return self.label_smoothing, self.clip

    @property
    def parameter(self) -> float:
        """The label smoothing."""
        return self.label_smoothing

    def smoothed(self, target: Array) -> Array:
        """Return ``(1 - e) * y + e / k``, ``k`` the number of classes that an output tells."""
        share = self.label_smoothing / self._n_choices(target.shape[1])
        mixed: Array = (1.0 - self.label_smoothing) * target + share
        return mixed

    def _n_choices(self, n_outputs: int) -> int:
        raise NotImplementedError


@declaration
@dataclass(frozen=True)
class BinaryCrossentropy(_Elementwise, _Crossentropy):
    """``-(y * log(p) + (1 - y) * log(1 - p))``, the mean over rows and outputs.

    Parameters
    ----------
    label_smoothing : float
        ``e`` in [0, 1): ``y`` becomes ``(1 - e) * y + e / 2``.
    clip : float
        In [0, 0.5): the reported loss, not its gradient, takes ``p`` within ``[clip, 1 - clip]``.
    reduction : {"mean", "sum"}
        Of the outputs of a row.
    """

    name = "binary_crossentropy"
    kernel = "sigmoid_cross_entropy"
    aliases = ("bce",)
    formula = "-t * log(p) - (1 - t) * log(1 - p)"
    slope = "p - t"
    outputs = (Output.PROBABILITIES,)
    default_for = (Output.PROBABILITIES,)

    def __post_init__(self) -> None:
        _Elementwise.__post_init__(self)
        _Crossentropy.__post_init__(self)

    def _n_choices(self, n_outputs: int) -> int:
        return 2


@declaration
@dataclass(frozen=True)
class CategoricalCrossentropy(_Crossentropy):
    """``-sum_j y_j * log(p_j)``, the mean over rows.

    Parameters
    ----------
    label_smoothing : float
        ``e`` in [0, 1): ``y`` becomes ``(1 - e) * y + e / k``, ``k`` the number of classes.
    clip : float
        In [0, 0.5): the reported loss, not its gradient, takes ``p`` within ``[clip, 1 - clip]``.
    """

    name = "categorical_crossentropy"
    kernel = "softmax_cross_entropy"
    aliases = ("cce",)
    formula = "-sum(t * log(p))"
    slope = "p * sum(t) - t"
    outputs = (Output.CLASSES,)
    default_for = (Output.CLASSES,)
    is_rowwise = True
    reads_class_indices = True

    def _n_choices(self, n_outputs: int) -> int:
        return n_outputs


OWN_LOSSES: tuple[Loss, ...] = (
    CategoricalCrossentropy(),
    BinaryCrossentropy(),
    Poisson(),
    PoissonDeviance(),
    MSE(),
    HalfSquaredError(),
    MAE(),
    Huber(),
    Quantile(),
)
"""The library's own, with their defaults, in the order in which messages list them."""

LOSSES: dict[str, Loss] = {name: loss for loss in OWN_LOSSES for name in (loss.name, *loss.aliases)}
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
        output = output_activation.traits.output
        return next(loss for loss in OWN_LOSSES if output in loss.default_for)
    if not isinstance(spec, Loss):
        spec = LOSSES[find_name("loss", spec, ("auto", *LOSSES))]
    if not spec.goes_with(output_activation):
        raise ValueError(
            f"the loss {spec.name!r} does not go with the output activation "
            f"{output_activation.name!r}; the pairs that do: {_pairs()}"
        )
    return spec


def _pairs() -> str:
    """List the activations that put out more than numbers, and the others, with their losses."""
    outputs = [(name, traits.output) for name, traits in TRAITS.items()]
    listed = [(name, output) for name, output in outputs if output is not Output.NUMBERS]
    told = [loss for loss in OWN_LOSSES if not loss.is_variant]
    return "; ".join(
        f"{name} with {', '.join(loss.name for loss in told if output in loss.outputs)}"
        for name, output in (*listed, ("every other activation", Output.NUMBERS))
    )
