"""The optimizers by name, with their arguments and rules; the kernels hold the arithmetic.

The update rules and the meaning of their arguments are those of ``torch.optim``. Each declares its
rule as Python statements too, which `explain` shows and the tests hold against the kernels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

from ..common.checks import check_bool, check_number, find_name
from ..common.config import assign, declaration
from .learning_rate import (
    Constant,
    Schedule,
    as_schedule,
    check_learning_rate,
    check_scheduled,
)

__all__ = ["SGD", "AdaGrad", "Adam", "AdamW", "Ftrl", "Nadam", "RMSprop"]


@dataclass(frozen=True)
class Optimizer:
    """An update rule; the subclasses are declarations.

    Attributes
    ----------
    learning_rate : float or Schedule
        A number of at least 0, or a schedule.
    clip_value : float or None
        Each gradient is first clipped to ``[-clip_value, clip_value]``.
    clip_norm : float or None
        Then all gradients are multiplied by ``min(1, clip_norm / norm)``, ``norm`` taken over all
        parameters.
    kernel : str
        The name of the kernel, which takes parameters, gradients and learning rate, and what
        follows here, all by name.
    slot_names : tuple of str
        Arrays as long as the parameters, which start at 0.
    constant_names : tuple of str
        Fields of the declaration; each may hold a schedule whose check allows one.
    counts_steps : bool
        Whether the kernel takes ``step``, which counts updates from 1.
    running_product : str
        The kernel's array of one float64 number, which starts at 1: a product over all updates;
        empty where it has none.
    rule : tuple of str
        Statements that move a parameter ``w`` with gradient ``g``; ``rate`` is the learning rate,
        ``t`` the number of the update. They may call ``abs``, ``max``, ``sign``, ``sqrt`` and
        ``where``.
    """

    learning_rate: float | Schedule
    clip_value: float | None = field(default=None, kw_only=True)
    clip_norm: float | None = field(default=None, kw_only=True)

    kernel: ClassVar[str]
    slot_names: ClassVar[tuple[str, ...]] = ()
    constant_names: ClassVar[tuple[str, ...]] = ()
    counts_steps: ClassVar[bool] = False
    running_product: ClassVar[str] = ""

    def __post_init__(self) -> None:
        assign(self, learning_rate=check_learning_rate(self.learning_rate))
        for name in ("clip_value", "clip_norm"):
            limit = getattr(self, name)
            if limit is not None:
                assign(self, **{name: check_number(name, limit, 0, open_low=True)})

    @cached_property
    def schedule(self) -> Schedule:
        """The learning rate as a schedule; a number is a constant one."""
        return as_schedule(self.learning_rate)

    @property
    def rule(self) -> tuple[str, ...]:
        """The update as statements."""
        raise NotImplementedError

    @property
    def slots(self) -> tuple[str, ...]:
        """The arrays that are in use; the kernel takes None for others."""
        return self.slot_names

    @property
    def constants(self) -> dict[str, float]:
        """Numbers that the kernel takes, by name, but for those that follow a schedule."""
        values = {name: getattr(self, name) for name in self.constant_names}
        return {name: x for name, x in values.items() if not isinstance(x, Schedule)}

    @property
    def scheduled(self) -> dict[str, Schedule]:
        """Schedules of numbers that the kernel takes beside the learning rate, by name."""
        values = {name: getattr(self, name) for name in self.constant_names}
        return {name: x for name, x in values.items() if isinstance(x, Schedule)}

    @property
    def touched_rows_exact(self) -> bool:
        """Whether a parameter whose gradient is zero is left alone.

        Then an update of only those rows that a batch touched is exact.
        """
        return False


@declaration
@dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent, with momentum (Sutskever et al. 2013).

    ``velocity = momentum * velocity + g``; ``w -= learning_rate * velocity``, with ``nesterov``
    ``w -= learning_rate * (g + momentum * velocity)``.

    Parameters
    ----------
    learning_rate : float or Schedule
        A number of at least 0, or a schedule.
    momentum : float
        In [0, 1].
    nesterov : bool
        Needs a momentum above 0.
    rate_in_velocity : bool
        ``velocity = momentum * velocity + learning_rate * g``; ``w -= velocity``, with `nesterov`
        ``w -= learning_rate * g + momentum * velocity``: steps taken under an earlier rate keep it.
    clip_value, clip_norm : float, optional
        See `Optimizer`.
    """

    learning_rate: float | Schedule = 0.01
    momentum: float = 0.0
    nesterov: bool = False
    rate_in_velocity: bool = field(default=False, kw_only=True)

    kernel = "sgd_update"
    slot_names = ("velocity",)
    constant_names = ("momentum", "nesterov", "rate_in_velocity")

    def __post_init__(self) -> None:
        super().__post_init__()
        assign(
            self,
            momentum=check_number("momentum", self.momentum, 0, 1),
            nesterov=check_bool("nesterov", self.nesterov),
            rate_in_velocity=check_bool("rate_in_velocity", self.rate_in_velocity),
        )
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov=True needs a momentum above 0, got momentum=0")

    @property
    def slots(self) -> tuple[str, ...]:
        """Without momentum none."""
        return self.slot_names if self.momentum else ()

    @property
    def rule(self) -> tuple[str, ...]:
        """The update as statements."""
        if not self.momentum:
            return ("w = w - rate * g",)
        if self.rate_in_velocity:
            step = "(rate * g + momentum * velocity)" if self.nesterov else "velocity"
            return ("velocity = momentum * velocity + rate * g", f"w = w - {step}")
        step = "(g + momentum * velocity)" if self.nesterov else "velocity"
        return ("velocity = momentum * velocity + g", f"w = w - rate * {step}")

    @property
    def touched_rows_exact(self) -> bool:
        """Whether there is no momentum."""
        return self.momentum == 0


@declaration
@dataclass(frozen=True)
class RMSprop(Optimizer):
    """Gradients over the root of their running mean square (Tieleman and Hinton 2012).

    ``v = rho * v + (1 - rho) * g**2``; ``w -= learning_rate * g / (sqrt(v) + epsilon)``.

    Parameters
    ----------
    learning_rate : float or Schedule
        A number of at least 0, or a schedule.
    rho : float
        In [0, 1).
    epsilon : float
        Above 0.
    clip_value, clip_norm : float, optional
        See `Optimizer`.
    """

    learning_rate: float | Schedule = 1e-3
    rho: float = 0.9
    epsilon: float = 1e-8

    kernel = "rmsprop_update"
    slot_names = ("v",)
    constant_names = ("rho", "epsilon")
    rule = ("v = rho * v + (1 - rho) * g**2", "w = w - rate * g / (sqrt(v) + epsilon)")

    def __post_init__(self) -> None:
        super().__post_init__()
        assign(
            self,
            rho=check_number("rho", self.rho, 0, 1, open_high=True),
            epsilon=check_number("epsilon", self.epsilon, 0, open_low=True),
        )


_FIRST_MOMENT = "m = beta_1 * m + (1 - beta_1) * g"
_SECOND_MOMENT = "v = beta_2 * v + (1 - beta_2) * g**2"
_SECOND_CORRECTED = "v_hat = v / (1 - beta_2**t)"
_MOMENTS = (_FIRST_MOMENT, _SECOND_MOMENT, "m_hat = m / (1 - beta_1**t)", _SECOND_CORRECTED)


@dataclass(frozen=True)
class _TwoMoments(Optimizer):
    """An optimizer with moving averages of the gradient and of its square: Adam's kind."""

    learning_rate: float | Schedule = 1e-3
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    slot_names = ("m", "v")
    constant_names: ClassVar[tuple[str, ...]] = ("beta_1", "beta_2", "epsilon")
    counts_steps = True

    def __post_init__(self) -> None:
        super().__post_init__()
        assign(
            self,
            beta_1=check_number("beta_1", self.beta_1, 0, 1, open_high=True),
            beta_2=check_number("beta_2", self.beta_2, 0, 1, open_high=True),
            epsilon=check_number("epsilon", self.epsilon, 0, open_low=True),
        )


@declaration
@dataclass(frozen=True)
class Adam(_TwoMoments):
    """Adam (Kingma and Ba 2015, algorithm 1), epsilon outside the root.

    ``m = beta_1 * m + (1 - beta_1) * g``; ``v = beta_2 * v + (1 - beta_2) * g**2``;
    ``w -= learning_rate * m_hat / (sqrt(v_hat) + epsilon)`` with the bias-corrected moments
    ``m_hat = m / (1 - beta_1**t)`` and ``v_hat = v / (1 - beta_2**t)``.

    Parameters
    ----------
    learning_rate : float or Schedule
        A number of at least 0, or a schedule.
    beta_1, beta_2 : float
        In [0, 1).
    epsilon : float
        Above 0.
    epsilon_hat : bool
        Add epsilon to ``sqrt(v)`` before that is corrected, as the paper's shorter form does.
    clip_value, clip_norm : float, optional
        See `Optimizer`.
    """

    epsilon_hat: bool = field(default=False, kw_only=True)

    kernel = "adam_update"
    constant_names = ("beta_1", "beta_2", "epsilon", "epsilon_hat")

    def __post_init__(self) -> None:
        super().__post_init__()
        assign(self, epsilon_hat=check_bool("epsilon_hat", self.epsilon_hat))

    @property
    def rule(self) -> tuple[str, ...]:
        """The update as statements."""
        root = "sqrt(v_hat) + epsilon"
        if self.epsilon_hat:
            root = "sqrt(v_hat) + epsilon / sqrt(1 - beta_2**t)"
        return (*_MOMENTS, f"w = w - rate * m_hat / ({root})")


@declaration
@dataclass(frozen=True)
class AdamW(_TwoMoments):
    """Adam after ``w *= 1 - learning_rate * weight_decay`` (Loshchilov and Hutter 2019).

    Every parameter decays, biases too.

    Parameters
    ----------
    learning_rate : float or Schedule
        A number of at least 0, or a schedule.
    beta_1, beta_2 : float
        In [0, 1).
    epsilon : float
        Above 0.
    weight_decay : float or Schedule
        At least 0; a schedule gives that of each step, as `FlatCosine` does.
    clip_value, clip_norm : float, optional
        See `Optimizer`.
    """

    weight_decay: float | Schedule = 0.01

    kernel = "adamw_update"
    constant_names = ("beta_1", "beta_2", "epsilon", "weight_decay")
    rule = (
        *_MOMENTS,
        "w = w * (1 - rate * weight_decay) - rate * m_hat / (sqrt(v_hat) + epsilon)",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        assign(self, weight_decay=check_scheduled("weight_decay", self.weight_decay, 0))


@declaration
@dataclass(frozen=True)
class Nadam(_TwoMoments):
    """Adam with Nesterov momentum (Dozat 2016), whose momentum grows with the steps.

    The momentum of step ``t`` is ``beta_1 * (1 - 0.96**(0.004 * t) / 2)``, as in
    ``torch.optim.NAdam``.

    Parameters
    ----------
    learning_rate : float or Schedule
        A number of at least 0, or a schedule.
    beta_1, beta_2 : float
        In [0, 1).
    epsilon : float
        Above 0.
    clip_value, clip_norm : float, optional
        See `Optimizer`.
    """

    learning_rate: float | Schedule = 2e-3

    kernel = "nadam_update"
    constant_names = ("beta_1", "beta_2", "epsilon", "momentum_decay")
    momentum_decay: ClassVar[float] = 0.004
    running_product = "mu_product"
    rule = (
        _FIRST_MOMENT,
        _SECOND_MOMENT,
        "mu = beta_1 * (1 - 0.96**(t * momentum_decay) / 2)",
        "mu_next = beta_1 * (1 - 0.96**((t + 1) * momentum_decay) / 2)",
        "mu_product = mu_product * mu",
        "m_hat = (1 - mu) / (1 - mu_product) * g + mu_next / (1 - mu_product * mu_next) * m",
        _SECOND_CORRECTED,
        "w = w - rate * m_hat / (sqrt(v_hat) + epsilon)",
    )


@declaration
@dataclass(frozen=True)
class AdaGrad(Optimizer):
    """Gradients over the root of the sum of their squares (Duchi et al. 2011).

    ``v += g**2``; ``w -= learning_rate * g / (sqrt(v) + epsilon)``.

    Parameters
    ----------
    learning_rate : float or Schedule
        A number of at least 0, or a schedule.
    epsilon : float
        Above 0.
    clip_value, clip_norm : float, optional
        See `Optimizer`.
    """

    learning_rate: float | Schedule = 0.01
    epsilon: float = 1e-10

    kernel = "adagrad_update"
    slot_names = ("v",)
    constant_names = ("epsilon",)
    rule = ("v = v + g**2", "w = w - rate * g / (sqrt(v) + epsilon)")

    def __post_init__(self) -> None:
        super().__post_init__()
        assign(self, epsilon=check_number("epsilon", self.epsilon, 0, open_low=True))

    @property
    def touched_rows_exact(self) -> bool:
        """Always: it moves a parameter in proportion to its gradient."""
        return True


@declaration
@dataclass(frozen=True)
class Ftrl(Optimizer):
    """FTRL-Proximal with a rate for each parameter (McMahan et al. 2013, algorithm 1).

    ``w = 0`` where ``|z| <= l1``, else
    ``-(z - sign(z) * l1) / ((beta + sqrt(n)) / learning_rate + l2)``.

    Parameters
    ----------
    learning_rate : float or Schedule
        A number above 0, or a schedule that stays above 0: the rule divides by it.
    l1, l2, beta : float
        At least 0.
    clip_value, clip_norm : float, optional
        See `Optimizer`.
    """

    learning_rate: float | Schedule = 0.1
    l1: float = 0.0
    l2: float = 0.0
    beta: float = 1.0

    kernel = "ftrl_update"
    slot_names = ("z", "n")
    constant_names = ("l1", "l2", "beta")
    # A coordinate whose feature is absent, so that g is 0, is not touched.
    rule = (
        "sigma = (sqrt(n + g**2) - sqrt(n)) / rate",
        "z = z + g - sigma * w",
        "n = n + g**2",
        "shrunk = sign(z) * max(abs(z) - l1, 0)",
        "w = where(g == 0, w, -shrunk / ((beta + sqrt(n)) / rate + l2))",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.learning_rate in (0, Constant(0)):
            raise ValueError("the learning_rate of Ftrl must be a number > 0, got 0")
        for name in ("l1", "l2", "beta"):
            assign(self, **{name: check_number(name, getattr(self, name), 0)})

    @property
    def touched_rows_exact(self) -> bool:
        """Whether the rate is constant: weights are a function of z, n and the rate."""
        return isinstance(self.learning_rate, (float, Constant))


OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": SGD(),
    "momentum": SGD(momentum=0.9),
    "rmsprop": RMSprop(),
    "adam": Adam(),
    "adamw": AdamW(),
    "adagrad": AdaGrad(),
    "nadam": Nadam(),
    "ftrl": Ftrl(),
}
"""From each name that `get_optimizer` knows to the optimizer with its defaults."""


def get_optimizer(spec: str | Optimizer) -> Optimizer:
    """Return the optimizer of this name (in any case); an `Optimizer` is returned as it is.

    Raises
    ------
    ValueError
        The name is unknown.
    TypeError
        ``spec`` is neither a name nor an optimizer.
    """
    if isinstance(spec, Optimizer):
        return spec
    return OPTIMIZERS[find_name("optimizer", spec, OPTIMIZERS)]
