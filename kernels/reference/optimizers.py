"""Optimizer updates, in place on flat arrays.

Conventions are those of ``torch.optim``. ``g`` stands for the gradient and ``p`` for the parameter;
all arrays are 1-D and of equal length. Constants such as bias corrections are worked out in double
precision. A moment below the dtype's smallest normal number is stored as 0: decaying moments would
otherwise end among the subnormal numbers, where arithmetic is many times slower.
"""

from __future__ import annotations

import math

import numpy as np

from ..typing import Array

__all__ = [
    "adagrad_update",
    "adam_update",
    "adamw_update",
    "ftrl_update",
    "nadam_update",
    "rmsprop_update",
    "sgd_update",
]


def flush_subnormals(moment: Array) -> None:
    """Set entries below the smallest normal number of the dtype to 0, in place."""
    moment[np.abs(moment) < np.finfo(moment.dtype).smallest_normal] = 0.0


def decay_toward(moment: Array, value: Array, beta: float) -> None:
    """Update a moving average in place: ``moment = beta moment + (1 - beta) value``."""
    moment *= beta
    moment += (1.0 - beta) * value
    flush_subnormals(moment)


def sgd_update(
    parameters: Array,
    gradients: Array,
    velocity: Array | None,
    learning_rate: float,
    momentum: float,
    nesterov: bool,
    rate_in_velocity: bool = False,
) -> None:
    """Stochastic gradient descent with momentum.

    ``v = momentum v + g``, then ``p -= lr v``, or ``p -= lr (g + momentum v)`` for Nesterov's form;
    without momentum, ``p -= lr g``. With `rate_in_velocity`, ``v = momentum v + lr g``, then
    ``p -= v`` or ``p -= lr g + momentum v``: the same unless the rate changes.

    Parameters
    ----------
    parameters, velocity : arrays
        Modified; `velocity` starts at 0 and may be None where `momentum` is 0.
    gradients : array
    learning_rate, momentum : float
    nesterov, rate_in_velocity : bool

    References
    ----------
    Polyak 1964; Sutskever, Martens, Dahl & Hinton, "On the importance of initialization and
    momentum in deep learning", ICML 2013.
    """
    if velocity is None or momentum == 0.0:
        parameters -= learning_rate * gradients
        return
    added, factor = gradients, learning_rate
    if rate_in_velocity:
        added, factor = learning_rate * gradients, 1.0
    velocity *= momentum
    velocity += added
    flush_subnormals(velocity)
    direction = added + momentum * velocity if nesterov else velocity
    parameters -= factor * direction


def rmsprop_update(
    parameters: Array,
    gradients: Array,
    v: Array,
    learning_rate: float,
    rho: float,
    epsilon: float,
) -> None:
    """RMSprop: ``v = rho v + (1 - rho) g^2``, ``p -= lr g / (sqrt(v) + epsilon)``.

    Parameters
    ----------
    parameters, v : arrays
        Modified; `v` starts at 0.
    gradients : array
    learning_rate, rho, epsilon : float

    References
    ----------
    Tieleman & Hinton, "Lecture 6.5 - RMSProp", Neural Networks for Machine Learning, 2012.
    """
    decay_toward(v, gradients * gradients, rho)
    parameters -= learning_rate * gradients / (np.sqrt(v) + epsilon)


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
    epsilon_hat: bool = False,
) -> None:
    """Adam.

    ``m = beta_1 m + (1 - beta_1) g``, ``v = beta_2 v + (1 - beta_2) g^2``,
    ``p -= lr / (1 - beta_1^t) m / (sqrt(v) / sqrt(1 - beta_2^t) + epsilon)``. With `epsilon_hat`,
    ``sqrt(v) + epsilon`` as a whole is divided by the correction.

    Parameters
    ----------
    parameters, m, v : arrays
        Modified; `m` and `v` start at 0.
    gradients : array
    step : int
        ``t``, counted from 1.
    learning_rate, beta_1, beta_2, epsilon : float
    epsilon_hat : bool

    References
    ----------
    Kingma & Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1; its last
    paragraph has the form with epsilon hat.
    """
    decay_toward(m, gradients, beta_1)
    decay_toward(v, gradients * gradients, beta_2)
    step_size = learning_rate / (1.0 - beta_1**step)
    correction = math.sqrt(1.0 - beta_2**step)
    if epsilon_hat:
        epsilon /= correction
    denominator = np.sqrt(v) / correction + epsilon
    parameters -= step_size * m / denominator


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
    """Adam with decoupled weight decay: ``p *= 1 - lr weight_decay``, then `adam_update`.

    Parameters
    ----------
    parameters, m, v : arrays
        Modified; `m` and `v` start at 0.
    gradients : array
    step : int
        Counted from 1.
    learning_rate, beta_1, beta_2, epsilon, weight_decay : float

    References
    ----------
    Loshchilov & Hutter, "Decoupled Weight Decay Regularization", ICLR 2019, algorithm 2.
    """
    parameters *= 1.0 - learning_rate * weight_decay
    adam_update(parameters, gradients, m, v, step, learning_rate, beta_1, beta_2, epsilon)


def adagrad_update(
    parameters: Array, gradients: Array, v: Array, learning_rate: float, epsilon: float
) -> None:
    """AdaGrad: ``v += g^2``, ``p -= lr g / (sqrt(v) + epsilon)``.

    Parameters
    ----------
    parameters, v : arrays
        Modified; `v` starts at 0.
    gradients : array
    learning_rate, epsilon : float

    References
    ----------
    Duchi, Hazan & Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic
    Optimization", JMLR 12, 2011, figure 1 (diagonal form).
    """
    v += gradients * gradients
    flush_subnormals(v)
    parameters -= learning_rate * gradients / (np.sqrt(v) + epsilon)


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
    """NAdam: Adam with Nesterov's look-ahead and a momentum that warms up.

    ``mu_t = beta_1 (1 - 0.96^(t momentum_decay) / 2)``, ``m`` and ``v`` as in `adam_update`,
    ``d = sqrt(v) / sqrt(1 - beta_2^t) + epsilon``, and with ``M_t = mu_1 ... mu_t``
    ``p -= lr ((1 - mu_t) / (1 - M_t) g + mu_{t+1} / (1 - M_{t+1}) m) / d``.

    Parameters
    ----------
    parameters, m, v : arrays
        Modified; `m` and `v` start at 0.
    gradients : array
    step : int
        ``t``, counted from 1.
    mu_product : (1,) float64 array
        ``M_{t-1}``, 1 at first; modified to ``M_t``.
    learning_rate, beta_1, beta_2, epsilon, momentum_decay : float

    References
    ----------
    Dozat, "Incorporating Nesterov Momentum into Adam", ICLR 2016 workshop, algorithm 2.
    """
    mu = beta_1 * (1.0 - 0.5 * 0.96 ** (step * momentum_decay))
    mu_next = beta_1 * (1.0 - 0.5 * 0.96 ** ((step + 1) * momentum_decay))
    product = float(mu_product[0]) * mu
    mu_product[0] = product
    decay_toward(m, gradients, beta_1)
    decay_toward(v, gradients * gradients, beta_2)
    denominator = np.sqrt(v) / math.sqrt(1.0 - beta_2**step) + epsilon
    gradient_rate = learning_rate * (1.0 - mu) / (1.0 - product)
    moment_rate = learning_rate * mu_next / (1.0 - product * mu_next)
    parameters -= (gradient_rate * gradients + moment_rate * m) / denominator


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
    """FTRL-Proximal, for each coordinate whose gradient is not 0.

    ``sigma = (sqrt(n + g^2) - sqrt(n)) / lr``, ``z += g - sigma p``, ``n += g^2``, then
    ``p = 0`` where ``|z| <= l1``, else ``p = -(z - sign(z) l1) / ((beta + sqrt(n)) / lr + l2)``.
    A coordinate with gradient 0 stays as it is, as one whose feature is absent does in the paper.

    Parameters
    ----------
    parameters, z, n : arrays
        Modified; `z` and `n` start at 0.
    gradients : array
    learning_rate, l1, l2, beta : float

    References
    ----------
    McMahan et al., "Ad Click Prediction: a View from the Trenches", KDD 2013, algorithm 1.
    """
    touched = gradients != 0.0
    g = gradients[touched]
    n_new = n[touched] + g * g
    flush_subnormals(n_new)
    sigma = (np.sqrt(n_new) - np.sqrt(n[touched])) / learning_rate
    z_new = z[touched] + g - sigma * parameters[touched]
    flush_subnormals(z_new)
    shrunk = np.sign(z_new) * np.maximum(np.abs(z_new) - l1, 0.0)
    parameters[touched] = -shrunk / ((beta + np.sqrt(n_new)) / learning_rate + l2)
    z[touched] = z_new
    n[touched] = n_new
