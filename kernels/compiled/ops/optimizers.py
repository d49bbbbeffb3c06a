# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Optimizer updates over a range of the flat parameter vector, compiled.

Every update reads the learning rate of its batch from `rates` (one value for the whole epoch
where `rate_stride` is 0, else one a batch) and counts steps from the step counter. A moment below
the smallest normal number is stored as 0: the momentum of a weight whose gradient stays 0 would
otherwise decay into denormals, which are ten times as slow to work with, and stay there.
"""

from __future__ import annotations

import math

from ..machine.intrinsics import (
    cast,
    doubles,
    like,
    pointer,
    prefetch,
    short_integers,
    smallest_normal,
)
from ..machine.math import expm1, log
from ..machine.op import BATCH, STEP, op
from ..machine.options import device
from ..machine.vectors import itemsize

_COMMON = ("parameters", "gradients", "count", "rates", "rate_stride")
# Where there is an address of touched rows, as `sparse_backward` leaves them, these rows of `width`
# numbers alone are updated: only of rules that leave a parameter without a gradient alone.
_TOUCHED = ("touched", "width")
_AHEAD_ROWS = 16


@device
def _learning_rate(args, counters):
    return doubles(args[3])[counters[BATCH] * args[4]]


@device
def _ask_for(touched, k, row_bytes, first, second, third, fourth):
    """Prefetch a row that is to be updated later: touched rows lie anywhere."""
    place = touched[min(k + _AHEAD_ROWS, touched[0])] * row_bytes
    for address in (first, second, third, fourth):
        prefetch(address + place)


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


@op(*_COMMON, *_TOUCHED)
def sgd_update(variant, args, attributes, counters, scalars):
    """``p -= lr * g``."""
    p, g = pointer(variant, args[0]), pointer(variant, args[1])
    rate = cast(variant, _learning_rate(args, counters))
    if args[5] == 0:
        _sgd(p, g, 0, args[2], rate)
        return
    touched, width = short_integers(args[5]), args[6]
    for k in range(1, touched[0] + 1):
        _ask_for(touched, k, width * itemsize(variant), args[0], args[1], args[1], args[1])
        _sgd(p, g, touched[k] * width, touched[k] * width + width, rate)


@op(*_COMMON, "velocity", "nesterov", attributes=("momentum",))
def sgd_momentum_update(variant, args, attributes, counters, scalars):
    """``u = momentum * u + g``; ``p -= lr * u``, or ``lr * (g + momentum * u)`` with Nesterov."""
    p, g, u = pointer(variant, args[0]), pointer(variant, args[1]), pointer(variant, args[5])
    rate = cast(variant, _learning_rate(args, counters))
    momentum, tiny = cast(variant, attributes[0]), smallest_normal(variant)
    nesterov = args[6] != 0
    for i in range(args[2]):
        velocity = _flushed(momentum * u[i] + g[i], tiny)
        u[i] = velocity
        p[i] -= rate * (g[i] + momentum * velocity if nesterov else velocity)


@op(*_COMMON, "v", attributes=("rho", "epsilon"))
def rmsprop_update(variant, args, attributes, counters, scalars):
    """``v = rho * v + (1 - rho) * g^2``; ``p -= lr * g / (sqrt(v) + epsilon)``."""
    p, g, v = pointer(variant, args[0]), pointer(variant, args[1]), pointer(variant, args[5])
    rate = cast(variant, _learning_rate(args, counters))
    rho, rest = cast(variant, attributes[0]), cast(variant, 1.0 - attributes[0])
    epsilon, tiny = cast(variant, attributes[1]), smallest_normal(variant)
    for i in range(args[2]):
        gradient = g[i]
        second = _flushed(rho * v[i] + rest * (gradient * gradient), tiny)
        v[i] = second
        p[i] -= rate * gradient / (math.sqrt(second) + epsilon)


@device
def _adam(variant, args, attributes, counters, decay):
    p, g = pointer(variant, args[0]), pointer(variant, args[1])
    m, v = pointer(variant, args[5]), pointer(variant, args[6])
    step = float(counters[STEP] + 1)
    rate = _learning_rate(args, counters)
    beta_1, rest_1 = cast(variant, attributes[0]), cast(variant, 1.0 - attributes[0])
    beta_2, rest_2 = cast(variant, attributes[1]), cast(variant, 1.0 - attributes[1])
    epsilon, tiny = cast(variant, attributes[2]), smallest_normal(variant)
    step_size = cast(variant, rate / _correction(attributes[0], step))
    scale = cast(variant, 1.0 / math.sqrt(_correction(attributes[1], step)))
    keep = cast(variant, 1.0 - rate * decay)
    for i in range(args[2]):
        gradient = g[i]
        first = _flushed(beta_1 * m[i] + rest_1 * gradient, tiny)
        second = _flushed(beta_2 * v[i] + rest_2 * (gradient * gradient), tiny)
        m[i] = first
        v[i] = second
        p[i] = keep * p[i] - step_size * first / (math.sqrt(second) * scale + epsilon)


@op(*_COMMON, "m", "v", attributes=("beta_1", "beta_2", "epsilon"))
def adam_update(variant, args, attributes, counters, scalars):
    """Adam (Kingma and Ba 2015), bias-corrected, epsilon outside the root."""
    _adam(variant, args, attributes, counters, 0.0)


@op(*_COMMON, "m", "v", attributes=("beta_1", "beta_2", "epsilon", "weight_decay"))
def adamw_update(variant, args, attributes, counters, scalars):
    """AdamW (Loshchilov and Hutter 2019): Adam after ``p *= 1 - lr * weight_decay``."""
    _adam(variant, args, attributes, counters, attributes[3])


@device
def _adagrad(p, g, v, first, last, rate, epsilon, tiny):
    for i in range(first, last):
        gradient = g[i]
        second = _flushed(v[i] + gradient * gradient, tiny)
        v[i] = second
        p[i] -= rate * gradient / (math.sqrt(second) + epsilon)


@op(*_COMMON, "v", *_TOUCHED, attributes=("epsilon",))
def adagrad_update(variant, args, attributes, counters, scalars):
    """``v += g^2``; ``p -= lr * g / (sqrt(v) + epsilon)`` (Duchi et al. 2011)."""
    p, g, v = pointer(variant, args[0]), pointer(variant, args[1]), pointer(variant, args[5])
    rate = cast(variant, _learning_rate(args, counters))
    epsilon, tiny = cast(variant, attributes[0]), smallest_normal(variant)
    if args[6] == 0:
        _adagrad(p, g, v, 0, args[2], rate, epsilon, tiny)
        return
    touched, width = short_integers(args[6]), args[7]
    for k in range(1, touched[0] + 1):
        start = touched[k] * width
        _ask_for(touched, k, width * itemsize(variant), args[0], args[1], args[5], args[5])
        _adagrad(p, g, v, start, start + width, rate, epsilon, tiny)


@op(
    *_COMMON,
    *("m", "v", "mu_product"),
    attributes=("beta_1", "beta_2", "epsilon", "momentum_decay"),
)
def nadam_update(variant, args, attributes, counters, scalars):
    """NAdam (Dozat 2016). `mu_product` is read here and moved on by `advance_nadam`."""
    p, g = pointer(variant, args[0]), pointer(variant, args[1])
    m, v = pointer(variant, args[5]), pointer(variant, args[6])
    step = float(counters[STEP] + 1)
    rate, decay = _learning_rate(args, counters), attributes[3]
    beta_1, rest_1 = cast(variant, attributes[0]), cast(variant, 1.0 - attributes[0])
    beta_2, rest_2 = cast(variant, attributes[1]), cast(variant, 1.0 - attributes[1])
    epsilon, tiny = cast(variant, attributes[2]), smallest_normal(variant)
    mu = attributes[0] * (1.0 - 0.5 * 0.96 ** (step * decay))
    mu_next = attributes[0] * (1.0 - 0.5 * 0.96 ** ((step + 1.0) * decay))
    product = doubles(args[7])[0] * mu
    by_gradient = cast(variant, rate * (1.0 - mu) / (1.0 - product))
    by_moment = cast(variant, rate * mu_next / (1.0 - product * mu_next))
    scale = cast(variant, 1.0 / math.sqrt(_correction(attributes[1], step)))
    for i in range(args[2]):
        gradient = g[i]
        first = _flushed(beta_1 * m[i] + rest_1 * gradient, tiny)
        second = _flushed(beta_2 * v[i] + rest_2 * (gradient * gradient), tiny)
        m[i] = first
        v[i] = second
        p[i] -= (by_gradient * gradient + by_moment * first) / (math.sqrt(second) * scale + epsilon)


@op("mu_product", attributes=("beta_1", "momentum_decay"))
def advance_nadam(variant, args, attributes, counters, scalars):
    """Multiply NAdam's product of momenta by this step's, once all parts have been updated."""
    step = float(counters[STEP] + 1)
    mu = attributes[0] * (1.0 - 0.5 * 0.96 ** (step * attributes[1]))
    doubles(args[0])[0] *= mu


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


@op(*_COMMON, "z", "n", *_TOUCHED, attributes=("l1", "l2", "beta"))
def ftrl_update(variant, args, attributes, counters, scalars):
    """FTRL-Proximal, per coordinate (McMahan et al. 2013, algorithm 1)."""
    p, g = pointer(variant, args[0]), pointer(variant, args[1])
    z, n = pointer(variant, args[5]), pointer(variant, args[6])
    inverse_rate = cast(variant, 1.0 / _learning_rate(args, counters))
    l1, l2, beta = (
        cast(variant, attributes[0]),
        cast(variant, attributes[1]),
        cast(variant, attributes[2]),
    )
    tiny = smallest_normal(variant)
    if args[7] == 0:
        _ftrl(p, g, z, n, 0, args[2], inverse_rate, l1, l2, beta, tiny)
        return
    touched, width = short_integers(args[7]), args[8]
    for k in range(1, touched[0] + 1):
        start = touched[k] * width
        _ask_for(touched, k, width * itemsize(variant), args[0], args[1], args[5], args[6])
        _ftrl(p, g, z, n, start, start + width, inverse_rate, l1, l2, beta, tiny)
