"""Activations and losses of users' own: scalar functions that both backends run."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from inspect import Parameter, signature
from typing import Any

import numpy as np

from ..common.checks import describe
from ..common.config import assign, declaration
from ..common.error_state import own_error_state
from ..common.warn import warn
from ..kernels import custom
from .activations import ACTIVATIONS, Activation, Output
from .losses import LOSSES, Loss
from .recorded import NotRegisteredError, check_function

_NAME = re.compile(r"[a-z_][a-z0-9_]*")


class _Registered:
    """A declaration of a registered function.

    Copies have the same function. Pickles and files have its name, and digests by which another
    function of that name is refused.
    """

    name: str
    digests: tuple[str, ...]

    def _find(self, table: dict[str, custom.Custom], kind: str) -> None:
        """Take the function that is registered under the name."""
        if self.name not in table:
            raise NotRegisteredError(
                f"no {kind} is registered as {self.name!r}; call fm.register_{kind}"
                f"({self.name!r}, ...) first"
            )
        found = table[self.name]
        if not isinstance(self.digests, tuple) or not all(
            isinstance(digest, str) for digest in self.digests
        ):
            raise TypeError(f"digests must be strings, got {describe(self.digests)}")
        check_function(kind, self.name, self.digests, found.digests)
        assign(self, _function=found, digests=found.digests)

    @property
    def member(self) -> str:
        """The name and a digest of the code."""
        function: custom.Custom = vars(self)["_function"]
        return function.member

    def __copy__(self) -> _Registered:
        return self

    def __deepcopy__(self, memo: object) -> _Registered:
        return self

    def __reduce__(self) -> tuple[type, tuple[str, tuple[str, ...]]]:
        return type(self), (self.name, self.digests)


@declaration
@dataclass(frozen=True)
class CustomActivation(_Registered, Activation):
    """A registered activation.

    Parameters
    ----------
    name : str
    digests : tuple of str
        Those of the function that is meant, as they were saved; else of the one that is registered.
    """

    name: str
    digests: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        self._find(custom.ACTIVATIONS, "activation")

    @property
    def kernel(self) -> str:
        """The kernels' argument: the function as it was registered when this was made."""
        return self.member


@declaration
@dataclass(frozen=True)
class CustomLoss(_Registered, Loss):
    """A registered loss, the mean over rows and outputs.

    Parameters
    ----------
    name : str
    digests : tuple of str
        As of `CustomActivation`.
    """

    name: str
    digests: tuple[str, ...] = field(default=(), repr=False)
    kernel = "custom_loss"
    # Those of a softmax are one choice, not numbers with a loss each.
    outputs = tuple(output for output in Output if output is not Output.CLASSES)

    def __post_init__(self) -> None:
        self._find(custom.LOSSES, "loss")

    @property
    def arguments(self) -> tuple[str]:
        """The function that the kernel looks up."""
        return (self.member,)


@own_error_state
def register_activation(
    name: str,
    forward: Callable[[float], float],
    derivative: Callable[..., float] | None = None,
) -> Activation:
    """Make a scalar function an activation for networks and kernels of both backends.

    The NumPy backend calls it for each element; Numba compiles it into a kernel of its own, kept on
    disk, with numbers in it in the network's dtype.

    Parameters
    ----------
    name : str
        By which networks name it: letters, digits and underscores, none of the project's own. A
        name that was registered before stands for the new function from now on; networks that are
        built keep the old one.
    forward : callable
        ``forward(z)``: arithmetic, comparisons, ``if``, and ``fm.math.exp``, ``log``, ``tanh``,
        ``erf``, ``expm1`` and ``log1p``.
    derivative : callable, optional
        ``derivative(z)``, or ``derivative(z, out)`` where the function's value `out` makes it
        shorter, as for tanh ``lambda z, out: 1 - out * out``. Without one it is taken numerically,
        by central differences in double precision: two calls of `forward`, and some 1e-10 of
        error.

    Returns
    -------
    Activation

    Warns
    -----
    UserWarning
        There is no derivative.

    Raises
    ------
    TypeError
        The functions cannot be called with one number, or return none.
    ValueError
        The name is taken or no name; the derivative is not what finite differences give.

    Examples
    --------
    >>> import fastmlp as fm
    >>> softsign = fm.register_activation(
    ...     "softsign", lambda z: z / (1 + abs(z)), lambda z: 1 / (1 + abs(z)) ** 2
    ... )
    >>> layer = fm.Dense(8, activation="softsign")
    """
    # No multiples of anything, so that kinks at round numbers are not met.
    points = (np.linspace(-6.0, 6.0, 97) + 0.01371)[:, np.newaxis]
    taken = [known for known in ACTIVATIONS if not isinstance(ACTIVATIONS[known], CustomActivation)]
    of_output = derivative is not None and _required(derivative) == 2
    checked = _check("activation", name, taken, forward, derivative, points, of_output)
    custom.add(custom.ACTIVATIONS, checked, forward, derivative, of_output)
    ACTIVATIONS[checked] = CustomActivation(checked)
    return ACTIVATIONS[checked]


@own_error_state
def register_loss(
    name: str,
    forward: Callable[[float, float], float],
    derivative: Callable[[float, float], float] | None = None,
) -> Loss:
    """Make a scalar function a loss, the mean over rows and outputs, for both backends.

    It goes with every output activation but softmax.

    Parameters
    ----------
    name : str
        As in `register_activation`.
    forward : callable
        ``forward(prediction, y)``, what `register_activation` allows.
    derivative : callable, optional
        ``derivative(prediction, y)``, by the prediction; else numerical.

    Returns
    -------
    Loss

    Warns
    -----
    UserWarning
        There is no derivative.

    Raises
    ------
    TypeError, ValueError
        As in `register_activation`.

    Examples
    --------
    >>> import fastmlp as fm
    >>> loss = fm.register_loss(
    ...     "log_cosh",
    ...     lambda p, y: abs(p - y) + fm.math.log1p(fm.math.exp(-2 * abs(p - y))) - 0.69314718056,
    ...     lambda p, y: fm.math.tanh(p - y),
    ... )
    >>> model = fm.Sequential([fm.Dense(1)], loss="log_cosh")
    """
    rng = np.random.default_rng(5)
    points = np.concatenate([rng.normal(0.0, 2.0, (80, 2)), rng.uniform(0.02, 0.98, (40, 2))])
    taken = [known for known in LOSSES if not isinstance(LOSSES[known], CustomLoss)]
    checked = _check("loss", name, ["auto", *taken], forward, derivative, points)
    custom.add(custom.LOSSES, checked, forward, derivative)
    LOSSES[checked] = CustomLoss(checked)
    return LOSSES[checked]


def _required(function: Any) -> int:
    """Count the arguments that a function must be given."""
    try:
        parameters = signature(function).parameters.values()
    except (TypeError, ValueError):
        # Some functions written in C do not tell.
        return 1
    positional = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in positional and p.default is Parameter.empty for p in parameters)


def _check(
    kind: str,
    name: str,
    taken: list[str],
    forward: Any,
    derivative: Any,
    points: Any,
    of_output: bool = False,
) -> str:
    """The name in lower case, once everything is found in order."""
    if not isinstance(name, str):
        raise TypeError(f"the name of the {kind} must be a string, got {describe(name)}")
    lower = name.lower()
    if not _NAME.fullmatch(lower):
        raise ValueError(
            f"the name of the {kind} must be letters, digits and underscores, got {name!r}"
        )
    if lower in taken:
        raise ValueError(f"{name!r} is the name of fastmlp's own {kind}; choose another")
    words = "one number" if kind == "activation" else "two numbers, the prediction and y"
    values = _check_values("forward", words, forward, points)
    if derivative is not None:
        if of_output:
            points, words = np.column_stack([points, values]), "z and the output"
        _check_values("derivative", words, derivative, points)
    if derivative is None:
        warn(
            f"{name!r} has no derivative: it is taken numerically, by central differences, which "
            "takes two calls of the function and has an error of some 1e-10"
        )
        return lower
    function = custom.Custom(lower, forward, derivative, of_output)
    wrong = custom.check_derivative(function, points[:, :1] if of_output else points)
    if wrong is not None:
        where = ", ".join(f"{argument:.6g}" for argument in wrong.arguments)
        raise ValueError(
            f"the derivative of {name!r} does not fit: at ({where}) it is {wrong.given:.6g}, but "
            f"finite differences give {wrong.found:.6g}"
        )
    return lower


def _check_values(role: str, words: str, function: Any, points: Any) -> list[float]:
    if not callable(function):
        raise TypeError(f"{role} must be a function, got {describe(function)}")
    try:
        with np.errstate(all="ignore"):
            values = [float(function(*point)) for point in points]
    except Exception as error:
        raise TypeError(
            f"{role} must take {words} and return one; called with "
            f"{', '.join(f'{argument:.4g}' for argument in points[0])} it failed: {error}"
        ) from error
    if not np.isfinite(values).any():
        raise ValueError(f"{role} is not finite at any of the points where it was tried")
    return values
