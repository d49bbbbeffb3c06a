# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Optimizer updates over a range of the flat parameter vector, compiled.

Every update reads the learning rate of its batch from `rates` (one value for the whole epoch
where `rate_stride` is 0, else one a batch), which the parameters at hand may take times a
`rate_factor` of their own, and counts steps from the step counter. A moment below
the smallest normal number is stored as 0: the momentum of a weight whose gradient stays 0 would
otherwise decay into denormals, which are ten times as slow to work with, and stay there.

Some rules leave a parameter without a gradient alone. Where they are given `touched` rows, as
`sparse_backward` lists them, they update these rows of `width` numbers alone.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from ..machine.arguments import Doubles, Number, Pointer, ShortIntegers
from ..machine.intrinsics import (
    address_of,
    cast,
    is_given,
    like,
    prefetch,
    smallest_normal,
)
from ..machine.math import expm1, log
from ..machine.op import BATCH, STEP, CompiledOp, op
from ..machine.options import device
from ..machine.vectors import itemsize

_AHEAD_ROWS = 16


@device
def _ask_for(variant, touched, k, width, first, second, third, fourth):
    """Prefetch a row of vectors that is to be updated later: touched rows lie anywhere."""
    place = touched[min(k + _AHEAD_ROWS, touched[0])] * (width * itemsize(variant))
    for vector in (first, second, third, fourth):
        prefetch(address_of(vector) + place)


@device
def _flushed(moment, tiny):
    return like(moment, 0.0) if abs(moment) < tiny else moment


@device
def _correction(beta, step):
    """``1 - beta**step``; a call of pow takes as long as the update of a hundred weights."""
    return -expm1(step * log(beta))


@device
def _sgd(p, g, first, last, rate):
    for i in range(first, last):
        p[i] -= rate * g[i]


@op()
def sgd_update(
    variant,
    *,
    batch=BATCH,
    parameters: Pointer,
    gradients: Pointer,
    velocity: Pointer,
    count: int,
    rates: Doubles,
    rate_stride: int,
    rate_factor: float = 1.0,
    momentum: Number,
    nesterov: bool,
    rate_in_velocity: bool = False,
    touched: ShortIntegers = 0,
    width: int = 0,
):
    """``u = momentum * u + g``; ``p -= lr * u``, or ``lr * (g + momentum * u)`` with Nesterov.

    With the rate in the velocity ``lr * g`` takes the place of g, and is not multiplied again.
    Without velocity or momentum, ``p -= lr * g``.
    """
    p, g, u = parameters, gradients, velocity
    rate, tiny = cast(variant, rates[batch * rate_stride] * rate_factor), smallest_normal(variant)
    moves = is_given(velocity) and momentum != like(momentum, 0.0)
    if moves and rate_in_velocity:
        for i in range(count):
            added = rate * g[i]
            moved = _flushed(momentum * u[i] + added, tiny)
            u[i] = moved
            p[i] -= added + momentum * moved if nesterov else moved
    elif moves:
        for i in range(count):
            moved = _flushed(momentum * u[i] + g[i], tiny)
            u[i] = moved
            p[i] -= rate * (g[i] + momentum * moved if nesterov else moved)
    elif is_given(touched):
        for k in range(1, touched[0] + 1):
            start = touched[k] * width
            _ask_for(variant, touched, k, width, p, g, g, g)
            _sgd(p, g, start, start + width, rate)
    else:
        _sgd(p, g, 0, count, rate)


@op()
def rmsprop_update(
    variant,
    *,
    batch=BATCH,
    parameters: Pointer,
    gradients: Pointer,
    count: int,
    rates: Doubles,
    rate_stride: int,
    rate_factor: float = 1.0,
    v: Pointer,
    rho: float,
    epsilon: Number,
):
    """``v = rho * v + (1 - rho) * g^2``; ``p -= lr * g / (sqrt(v) + epsilon)``."""
    rate, tiny = cast(variant, rates[batch * rate_stride] * rate_factor), smallest_normal(variant)
    keep, rest = cast(variant, rho), cast(variant, 1.0 - rho)
    for i in range(count):
        g = gradients[i]
        second = _flushed(keep * v[i] + rest * (g * g), tiny)
        v[i] = second
        parameters[i] -= rate * g / (math.sqrt(second) + epsilon)


@device
def _adam(variant, p, g, m, v, count, rate, step, beta_1, beta_2, epsilon, decay, epsilon_hat):
    tiny, t = smallest_normal(variant), float(step + 1)
    keep_1, rest_1 = cast(variant, beta_1), cast(variant, 1.0 - beta_1)
    keep_2, rest_2 = cast(variant, beta_2), cast(variant, 1.0 - beta_2)
    step_size = cast(variant, rate / _correction(beta_1, t))
    scale = cast(variant, 1.0 / math.sqrt(_correction(beta_2, t)))
    if epsilon_hat:
        epsilon = epsilon * scale
    keep = cast(variant, 1.0 - rate * decay)
    for i in range(count):
        gradient = g[i]
        first = _flushed(keep_1 * m[i] + rest_1 * gradient, tiny)
        second = _flushed(keep_2 * v[i] + rest_2 * (gradient * gradient), tiny)
        m[i] = first
        v[i] = second
        p[i] = keep * p[i] - step_size * first / (math.sqrt(second) * scale + epsilon)


@op()
def adam_update(
    variant,
    *,
    batch=BATCH,
    step=STEP,
    parameters: Pointer,
    gradients: Pointer,
    count: int,
    rates: Doubles,
    rate_stride: int,
    rate_factor: float = 1.0,
    m: Pointer,
    v: Pointer,
    beta_1: float,
    beta_2: float,
    epsilon: Number,
    epsilon_hat: bool = False,
):
    """Adam (Kingma and Ba 2015), bias-corrected, epsilon outside the root.

    With epsilon hat it is added to the root before the correction.
    """
    p, g, rate = parameters, gradients, rates[batch * rate_stride] * rate_factor
    _adam(variant, p, g, m, v, count, rate, step, beta_1, beta_2, epsilon, 0.0, epsilon_hat)


@op()
def adamw_update(
    variant,
    *,
    batch=BATCH,
    step=STEP,
    parameters: Pointer,
    gradients: Pointer,
    count: int,
    rates: Doubles,
    rate_stride: int,
    rate_factor: float = 1.0,
    m: Pointer,
    v: Pointer,
    beta_1: float,
    beta_2: float,
    epsilon: Number,
    weight_decay: float,
    weight_decays: Doubles = 0,
    weight_decay_stride: int = 0,
):
    """AdamW (Loshchilov and Hutter 2019): Adam after ``p *= 1 - lr * weight_decay``.

    Where there are `weight_decays`, of each step or one for all, it is their factor.
    """
    p, g, rate = parameters, gradients, rates[batch * rate_stride] * rate_factor
    if is_given(weight_decays):
        weight_decay *= weight_decays[batch * weight_decay_stride]
    _adam(variant, p, g, m, v, count, rate, step, beta_1, beta_2, epsilon, weight_decay, False)


@device
def _adagrad(p, g, v, first, last, rate, epsilon, tiny):
    for i in range(first, last):
        gradient = g[i]
        second = _flushed(v[i] + gradient * gradient, tiny)
        v[i] = second
        p[i] -= rate * gradient / (math.sqrt(second) + epsilon)


@op()
def adagrad_update(
    variant,
    *,
    batch=BATCH,
    parameters: Pointer,
    gradients: Pointer,
    count: int,
    rates: Doubles,
    rate_stride: int,
    rate_factor: float = 1.0,
    v: Pointer,
    touched: ShortIntegers = 0,
    width: int = 0,
    epsilon: Number,
):
    """``v += g^2``; ``p -= lr * g / (sqrt(v) + epsilon)`` (Duchi et al. 2011)."""
    rate, tiny = cast(variant, rates[batch * rate_stride] * rate_factor), smallest_normal(variant)
    if not is_given(touched):
        _adagrad(parameters, gradients, v, 0, count, rate, epsilon, tiny)
        return
    for k in range(1, touched[0] + 1):
        start = touched[k] * width
        _ask_for(variant, touched, k, width, parameters, gradients, v, v)
        _adagrad(parameters, gradients, v, start, start + width, rate, epsilon, tiny)


@op()
def nadam_update(
    variant,
    *,
    batch=BATCH,
    step=STEP,
    parameters: Pointer,
    gradients: Pointer,
    count: int,
    rates: Doubles,
    rate_stride: int,
    rate_factor: float = 1.0,
    m: Pointer,
    v: Pointer,
    mu_product: Doubles,
    beta_1: float,
    beta_2: float,
    epsilon: Number,
    momentum_decay: float,
):
    """NAdam (Dozat 2016). `mu_product` is read here and moved on by `advance_nadam`."""
    rate, tiny, t = (
        rates[batch * rate_stride] * rate_factor,
        smallest_normal(variant),
        float(step + 1),
    )
    keep_1, rest_1 = cast(variant, beta_1), cast(variant, 1.0 - beta_1)
    keep_2, rest_2 = cast(variant, beta_2), cast(variant, 1.0 - beta_2)
    mu = beta_1 * (1.0 - 0.5 * 0.96 ** (t * momentum_decay))
    mu_next = beta_1 * (1.0 - 0.5 * 0.96 ** ((t + 1.0) * momentum_decay))
    product = mu_product[0] * mu
    by_gradient = cast(variant, rate * (1.0 - mu) / (1.0 - product))
    by_moment = cast(variant, rate * mu_next / (1.0 - product * mu_next))
    scale = cast(variant, 1.0 / math.sqrt(_correction(beta_2, t)))
    for i in range(count):
        g = gradients[i]
        first = _flushed(keep_1 * m[i] + rest_1 * g, tiny)
        second = _flushed(keep_2 * v[i] + rest_2 * (g * g), tiny)
        m[i] = first
        v[i] = second
        direction = by_gradient * g + by_moment * first
        parameters[i] -= direction / (math.sqrt(second) * scale + epsilon)


@op()
def advance_nadam(variant, *, step=STEP, mu_product: Doubles, beta_1: float, momentum_decay: float):
    """Multiply NAdam's product of momenta by this step's, once all parts have been updated."""
    mu_product[0] *= beta_1 * (1.0 - 0.5 * 0.96 ** (float(step + 1) * momentum_decay))


@device
def _ftrl(p, g, z, n, first, last, inverse_rate, l1, l2, beta, tiny):
    zero = like(l1, 0.0)
    for i in range(first, last):
        # A coordinate that the batch did not touch is left alone.
        if g[i] == zero:
            continue
        gradient, before = g[i], n[i]
        after = _flushed(before + gradient * gradient, tiny)
        sigma = (math.sqrt(after) - math.sqrt(before)) * inverse_rate
        linear = _flushed(z[i] + gradient - sigma * p[i], tiny)
        n[i] = after
        z[i] = linear
        shrunk = linear - l1 if linear > zero else linear + l1
        weight = -shrunk / ((beta + math.sqrt(after)) * inverse_rate + l2)
        p[i] = zero if abs(linear) <= l1 else weight


@op()
def ftrl_update(
    variant,
    *,
    batch=BATCH,
    parameters: Pointer,
    gradients: Pointer,
    count: int,
    rates: Doubles,
    rate_stride: int,
    rate_factor: float = 1.0,
    z: Pointer,
    n: Pointer,
    touched: ShortIntegers = 0,
    width: int = 0,
    l1: Number,
    l2: Number,
    beta: Number,
):
    """FTRL-Proximal, per coordinate (McMahan et al. 2013, algorithm 1)."""
    p, g = parameters, gradients
    inverse_rate = cast(variant, 1.0 / (rates[batch * rate_stride] * rate_factor))
    tiny = smallest_normal(variant)
    if not is_given(touched):
        _ftrl(p, g, z, n, 0, count, inverse_rate, l1, l2, beta, tiny)
        return
    for k in range(1, touched[0] + 1):
        start = touched[k] * width
        _ask_for(variant, touched, k, width, p, g, z, n)
        _ftrl(p, g, z, n, start, start + width, inverse_rate, l1, l2, beta, tiny)


class UpdateOps(NamedTuple):
    """The ops of an optimizer.

    Attributes
    ----------
    update : CompiledOp
        For each part of the parameters.
    advance : CompiledOp or None
        Once, after all parts have been updated.
    """

    update: CompiledOp[...]
    advance: CompiledOp[...] | None = None


_UPDATES = (
    UpdateOps(sgd_update),
    UpdateOps(rmsprop_update),
    UpdateOps(adam_update),
    UpdateOps(adamw_update),
    UpdateOps(adagrad_update),
    UpdateOps(nadam_update, advance_nadam),
    UpdateOps(ftrl_update),
)
UPDATES: dict[str, UpdateOps] = {ops.update.name: ops for ops in _UPDATES}
"""By the name of the kernel."""
