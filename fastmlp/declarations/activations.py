"""The activation functions, and the facts about them that the rest of the library reads.

The kernels hold the arithmetic, and whether a function takes a parameter or works on whole rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from ..common.checks import check_number, find_name
from ..common.config import assign, declaration
from ..kernels.constants import SELU_ALPHA, SELU_SCALE
from ..kernels.reference.activations import ACTIVATIONS as RULES
from .formulas import with_numbers

__all__ = ["ELU", "LeakyReLU"]


class Output(Enum):
    """The kinds of outputs of a network, as its last activation decides; losses go with some."""

    CLASSES = "the probabilities of the classes of a row, which sum to 1"
    PROBABILITIES = "probabilities, each by itself"
    RATES = "positive numbers"
    NUMBERS = "numbers"


@dataclass(frozen=True)
class Traits:
    """Facts about an activation that the rest of the library reads.

    Attributes
    ----------
    formula, derivative : str
        Python expressions: ``z`` goes in, ``a`` comes out; a name in braces is the parameter or one
        of `constants`. Of a function of whole rows, `derivative` is the gradient of ``z`` itself,
        ``d`` being that of ``a``. They may call what `math` has, ``sum`` over the row, and other
        activations by name.
    constants : mapping of str to float
    initializer : str
        What ``"auto"`` stands for in a layer that this activation follows: ``he`` for functions
        that pass about half of their input.
    output : Output
        What a network that ends in it puts out.
    limits : (float, float) or None
        The values that it is close to on both sides, where it is flat.
    is_identity : bool
        It changes nothing, so that no operation is needed for it.
    is_rectifier : bool
        It is the larger of its input and 0: units may die, and clipping computes it.
    """

    formula: str = ""
    derivative: str = ""
    constants: Mapping[str, float] = field(default_factory=dict)
    initializer: str = "glorot"
    output: Output = Output.NUMBERS
    limits: tuple[float, float] | None = None
    is_identity: bool = False
    is_rectifier: bool = False


TRAITS: dict[str, Traits] = {
    "relu": Traits("max(0, z)", "1 if z > 0 else 0", initializer="he", is_rectifier=True),
    "leaky_relu": Traits(
        "z if z > 0 else {slope} * z", "1 if z > 0 else {slope}", initializer="he"
    ),
    "tanh": Traits("tanh(z)", "1 - a**2", limits=(-1.0, 1.0)),
    "softmax": Traits("exp(z) / sum(exp(z))", "a * (d - sum(d * a))", output=Output.CLASSES),
    "sigmoid": Traits(
        "1 / (1 + exp(-z))", "a * (1 - a)", output=Output.PROBABILITIES, limits=(0.0, 1.0)
    ),
    "linear": Traits("z", "1", is_identity=True),
    "elu": Traits(
        "z if z > 0 else {alpha} * expm1(z)",
        "1 if z > 0 else {alpha} * exp(z)",
        initializer="he",
    ),
    "selu": Traits(
        "{scale} * z if z > 0 else {scale} * {alpha} * expm1(z)",
        "{scale} if z > 0 else {scale} * {alpha} * exp(z)",
        {"scale": SELU_SCALE, "alpha": SELU_ALPHA},
        # Its fixed point assumes this variance.
        initializer="lecun_normal",
    ),
    "gelu": Traits(
        "z * (1 + erf(z / sqrt(2))) / 2",
        "(1 + erf(z / sqrt(2))) / 2 + z * exp(-z**2 / 2) / sqrt(2 * pi)",
        initializer="he",
    ),
    "silu": Traits(
        "z / (1 + exp(-z))", "sigmoid(z) * (1 + z * (1 - sigmoid(z)))", initializer="he"
    ),
    "mish": Traits(
        "z * tanh(softplus(z))",
        "tanh(softplus(z)) + z * (1 - tanh(softplus(z))**2) * sigmoid(z)",
        initializer="he",
    ),
    "exp": Traits("exp(z)", "a", output=Output.RATES),
    "softplus": Traits("log(1 + exp(z))", "sigmoid(z)", initializer="he", output=Output.RATES),
}
"""From each of the library's own activations to its traits."""

_NO_TRAITS = Traits()

WITHOUT_PARAMETER = tuple(name for name in TRAITS if RULES[name].parameter is None)


class Activation:
    """An activation function; the subclasses are declarations.

    Attributes
    ----------
    name : str
        The name by which it can be asked for.
    """

    name: str

    @property
    def traits(self) -> Traits:
        """The declared facts; a function of users' own has none."""
        return TRAITS.get(self.name, _NO_TRAITS)

    @property
    def is_rowwise(self) -> bool:
        """True where each output depends on the whole row, so that rows cannot be cut."""
        return self.name in RULES and RULES[self.name].is_rowwise

    @property
    def parameter(self) -> float | None:
        """The number that the function takes beside its input, None where it takes none."""
        return None

    def with_parameter(self, value: float) -> Activation:
        """Return the activation with another parameter.

        Raises
        ------
        TypeError
            It takes none.
        ValueError
            It does not take this one.
        """
        raise TypeError(f"{self.name} takes no parameter")

    @property
    def member(self) -> str:
        """The name of its function among the compiled ones."""
        return self.name

    @property
    def kernel(self) -> str | tuple[str, float]:
        """The kernels' argument: ``"relu"``, or ``("leaky_relu", 0.01)`` with a parameter."""
        return self.name if self.parameter is None else (self.name, self.parameter)

    @property
    def title(self) -> str:
        """Its name, with the parameter where it has one."""
        return self.name if self.parameter is None else f"{self.name}({self.parameter:g})"

    def formulas(self, digits: int = 17) -> tuple[str, str]:
        """Return formula and derivative with their numbers; empty where none are declared."""
        traits = self.traits
        numbers = {**traits.constants, **vars(self)}
        return (
            with_numbers(traits.formula, numbers, digits),
            with_numbers(traits.derivative, numbers, digits),
        )


@declaration
@dataclass(frozen=True)
class PlainActivation(Activation):
    """An activation without a parameter.

    Parameters
    ----------
    name : str
        One of `WITHOUT_PARAMETER`, in any case.
    """

    name: str

    def __post_init__(self) -> None:
        name = find_name("activation without a parameter", self.name, WITHOUT_PARAMETER)
        assign(self, name=name)


def _default(name: str) -> float:
    """Return the parameter that kernels take where none is given."""
    parameter = RULES[name].parameter
    assert parameter is not None
    return parameter


@declaration
@dataclass(frozen=True)
class LeakyReLU(Activation):
    """``z`` where ``z > 0``, else ``slope * z`` (Maas et al. 2013).

    Parameters
    ----------
    slope : float
        Any finite number.
    """

    slope: float = _default("leaky_relu")
    name = "leaky_relu"

    def __post_init__(self) -> None:
        assign(self, slope=check_number("slope", self.slope))

    @property
    def parameter(self) -> float:
        """The slope."""
        return self.slope

    def with_parameter(self, value: float) -> LeakyReLU:
        return LeakyReLU(value)


@declaration
@dataclass(frozen=True)
class ELU(Activation):
    """``z`` where ``z > 0``, else ``alpha * (exp(z) - 1)`` (Clevert et al. 2016).

    Parameters
    ----------
    alpha : float
        Above 0.
    """

    alpha: float = _default("elu")
    name = "elu"

    def __post_init__(self) -> None:
        assign(self, alpha=check_number("alpha", self.alpha, 0, open_low=True))

    @property
    def parameter(self) -> float:
        """Minus the limit far to the left."""
        return self.alpha

    def with_parameter(self, value: float) -> ELU:
        return ELU(value)


_WITH_PARAMETER: dict[str, Activation] = {each.name: each for each in (LeakyReLU(), ELU())}

ACTIVATIONS: dict[str, Activation] = {
    name: _WITH_PARAMETER.get(name) or PlainActivation(name) for name in TRAITS
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
