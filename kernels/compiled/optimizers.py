"""Optimizer updates on plain arrays, in place."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..typing import Array
from .buffers import writable
from .machine.call import call
from .machine.op import CompiledOp
from .ops import optimizers as ops


def _update(
    op: CompiledOp[...],
    parameters: Array,
    gradients: Array,
    learning_rate: float,
    *,
    step: int = 1,
    **arguments: Any,
) -> None:
    """Call the op of an update; `step` counts from 1, arrays among `arguments` are updated too."""
    writable(parameters, *(value for value in arguments.values() if isinstance(value, np.ndarray)))
    call(
        op,
        parameters.dtype,
        step=step - 1,
        parameters=parameters,
        gradients=gradients,
        count=parameters.size,
        rates=np.array([learning_rate], np.float64),
        rate_stride=0,
        **arguments,
    )


def sgd_update(
    parameters: Array,
    gradients: Array,
    velocity: Array | None,
    learning_rate: float,
    momentum: float,
    nesterov: bool,
) -> None:
    """Stochastic gradient descent with momentum; see the reference."""
    _update(
        ops.sgd_update,
        parameters,
        gradients,
        learning_rate,
        velocity=velocity if momentum else None,
        momentum=momentum,
        nesterov=nesterov,
    )


def rmsprop_update(
    parameters: Array,
    gradients: Array,
    v: Array,
    learning_rate: float,
    rho: float,
    epsilon: float,
) -> None:
    """RMSprop; see the reference."""
    _update(ops.rmsprop_update, parameters, gradients, learning_rate, v=v, rho=rho, epsilon=epsilon)


def adam_update(
    parameters: Array,
    gradients: Array,
    m: Array,
    v: Array,
    step: int,
    learning_rate: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> None:
    """Adam; see the reference."""
    _update(
        ops.adam_update,
        parameters,
        gradients,
        learning_rate,
        step=step,
        m=m,
        v=v,
        beta_1=beta_1,
        beta_2=beta_2,
        epsilon=epsilon,
    )


def adamw_update(
    parameters: Array,
    gradients: Array,
    m: Array,
    v: Array,
    step: int,
    learning_rate: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    weight_decay: float,
) -> None:
    """Adam with decoupled weight decay; see the reference."""
    _update(
        ops.adamw_update,
        parameters,
        gradients,
        learning_rate,
        step=step,
        m=m,
        v=v,
        beta_1=beta_1,
        beta_2=beta_2,
        epsilon=epsilon,
        weight_decay=weight_decay,
    )


def adagrad_update(
    parameters: Array, gradients: Array, v: Array, learning_rate: float, epsilon: float
) -> None:
    """AdaGrad; see the reference."""
    _update(ops.adagrad_update, parameters, gradients, learning_rate, v=v, epsilon=epsilon)


def nadam_update(
    parameters: Array,
    gradients: Array,
    m: Array,
    v: Array,
    step: int,
    mu_product: Array,
    learning_rate: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    momentum_decay: float = 0.004,
) -> None:
    """NAdam: Adam with Nesterov's look-ahead and a momentum that warms up; see the reference."""
    _update(
        ops.nadam_update,
        parameters,
        gradients,
        learning_rate,
        step=step,
        m=m,
        v=v,
        mu_product=mu_product,
        beta_1=beta_1,
        beta_2=beta_2,
        epsilon=epsilon,
        momentum_decay=momentum_decay,
    )
    call(
        ops.advance_nadam,
        parameters.dtype,
        step=step - 1,
        mu_product=mu_product,
        beta_1=beta_1,
        momentum_decay=momentum_decay,
    )


def ftrl_update(
    parameters: Array,
    gradients: Array,
    z: Array,
    n: Array,
    learning_rate: float,
    l1: float,
    l2: float,
    beta: float,
) -> None:
    """FTRL-Proximal, for each coordinate whose gradient is not 0; see the reference."""
    _update(
        ops.ftrl_update,
        parameters,
        gradients,
        learning_rate,
        z=z,
        n=n,
        l1=l1,
        l2=l2,
        beta=beta,
    )
