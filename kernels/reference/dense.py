"""The fully connected layer."""

from __future__ import annotations

from ..typing import ActivationSpec, Array
from .activations import activation_backward, activation_forward
from .buffers import store

__all__ = ["dense_backward", "dense_forward"]


def dense_forward(
    x: Array,
    weight: Array,
    bias: Array | None,
    activation: ActivationSpec = "linear",
    *,
    factor: float = 1.0,
    out: Array | None = None,
    z: Array | None = None,
) -> tuple[Array, Array]:
    """Compute ``z = factor x W + b`` and ``out = f(z)``.

    Parameters
    ----------
    x : (n, n_in) array
    weight : (n_in, n_out) array
    bias : (n_out,) array or None
    activation : str or (str, float)
        As in `activation_forward`.
    factor : float
        ``1 / sqrt(n_in)`` is the parametrization of the neural tangent kernel (Jacot, Gabriel &
        Hongler 2018).
    out, z : (n, n_out) arrays, optional
        Receive the results.

    Returns
    -------
    out, z : (n, n_out) arrays

    Raises
    ------
    ValueError
        Where the activation is unknown.
    """
    product = x @ weight
    if factor != 1.0:
        product *= factor
    z = store(product if bias is None else product + bias, z)
    return activation_forward(z, activation, out=out), z


def dense_backward(
    d_out: Array,
    x: Array,
    weight: Array,
    z: Array,
    out: Array,
    activation: ActivationSpec = "linear",
    *,
    factor: float = 1.0,
    d_x: Array | None = None,
    d_weight: Array | None = None,
    d_bias: Array | None = None,
) -> tuple[Array, Array, Array]:
    """Compute the gradients of a dense layer.

    With ``d_z = d_out f'(z)``: ``d_x = factor d_z W^T``, ``d_W = factor x^T d_z``,
    ``d_b = sum over rows of d_z`` (Rumelhart, Hinton & Williams 1986).

    Parameters
    ----------
    d_out : (n, n_out) array
        Gradient of the loss with respect to ``out``.
    x, weight, activation, factor
        Arguments of `dense_forward`.
    z, out : (n, n_out) arrays
        Results of `dense_forward`.
    d_x, d_weight, d_bias : arrays, optional
        Receive the results.

    Returns
    -------
    d_x : (n, n_in) array
    d_weight : (n_in, n_out) array
    d_bias : (n_out,) array

    Raises
    ------
    ValueError
        Where the activation is unknown.
    """
    d_z = activation_backward(d_out, z, out, activation)
    of_x, of_weight = d_z @ weight.T, x.T @ d_z
    if factor != 1.0:
        of_x *= factor
        of_weight *= factor
    return store(of_x, d_x), store(of_weight, d_weight), store(d_z.sum(axis=0), d_bias)
