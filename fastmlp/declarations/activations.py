"""Which activation functions there are and what they take; the kernels hold the arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

from ..common.checks import check_number, find_name
from ..common.config import assign, declaration

WITHOUT_PARAMETER = (
    "relu",
    "tanh",
    "sigmoid",
    "softmax",
    "linear",
    "selu",
    "gelu",
    "silu",
    "mish",
    "softplus",
    "exp",
)


class Activation:
    """An activation function; the subclasses are declarations.

    Attributes
    ----------
    name : str
        The name by which it can be asked for.
    """

    name: str

    @property
    def parameter(self) -> float | None:
        """The number that the function takes beside its input, None where it takes none."""
        return None

    @property
    def member(self) -> str:
        """The name of its function among the compiled ones."""
        return self.name

    @property
    def kernel(self) -> str | tuple[str, float]:
        """What kernels take: ``"relu"``, or ``("leaky_relu", 0.01)`` with a parameter."""
        return self.name if self.parameter is None else (self.name, self.parameter)


@declaration
@dataclass(frozen=True)
class PlainActivation(Activation):
    """An activation without a parameter.

    Parameters
    ----------
    name : str
        One of ``relu tanh sigmoid softmax linear selu gelu silu mish softplus exp``, in any case.
    """

    name: str

    def __post_init__(self) -> None:
        name = find_name("activation without a parameter", self.name, WITHOUT_PARAMETER)
        assign(self, name=name)


@declaration
@dataclass(frozen=True)
class LeakyReLU(Activation):
    """``z`` where ``z > 0``, else ``slope * z`` (Maas et al. 2013).

    Parameters
    ----------
    slope : float
        Any finite number.
    """

    slope: float = 0.01
    name = "leaky_relu"

    def __post_init__(self) -> None:
        assign(self, slope=check_number("slope", self.slope))

    @property
    def parameter(self) -> float:
        """The slope."""
        return self.slope


@declaration
@dataclass(frozen=True)
class ELU(Activation):
    """``z`` where ``z > 0``, else ``alpha * (exp(z) - 1)`` (Clevert et al. 2016).

    Parameters
    ----------
    alpha : float
        Above 0.
    """

    alpha: float = 1.0
    name = "elu"

    def __post_init__(self) -> None:
        assign(self, alpha=check_number("alpha", self.alpha, 0, open_low=True))

    @property
    def parameter(self) -> float:
        """Minus the limit far to the left."""
        return self.alpha


ACTIVATIONS: dict[str, Activation] = {
    "leaky_relu": LeakyReLU(),
    "elu": ELU(),
    **{name: PlainActivation(name) for name in WITHOUT_PARAMETER},
}
"""From each name that `get_activation` knows to the activation with its defaults."""


def get_activation(spec: str | Activation) -> Activation:
    """Return the activation of this name (in any case); an `Activation` is returned as it is.

    Raises
    ------
    ValueError
        The name is unknown.
    TypeError
        ``spec`` is neither a name nor an activation.
    """
    if isinstance(spec, Activation):
        return spec
    return ACTIVATIONS[find_name("activation", spec, ACTIVATIONS)]
