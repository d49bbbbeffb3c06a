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
    out: Array | None = None,
    z: Array | None = None,
) -> tuple[Array, Array]:
    """Compute ``z = x W + b`` and ``out = f(z)``.

    Parameters
    ----------
    x : (n, n_in) array
    weight : (n_in, n_out) array
    bias : (n_out,) array or None
    activation : str or (str, float)
        As in `activation_forward`.
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
    z = store(x @ weight if bias is None else x @ weight + bias, z)
    return activation_forward(z, activation, out=out), z


def dense_backward(
    d_out: Array,
    x: Array,
    weight: Array,
    z: Array,
    out: Array,
    activation: ActivationSpec = "linear",
    *,
    d_x: Array | None = None,
    d_weight: Array | None = None,
    d_bias: Array | None = None,
) -> tuple[Array, Array, Array]:
    """Compute the gradients of a dense layer.

    With ``d_z = d_out f'(z)``: ``d_x = d_z W^T``, ``d_W = x^T d_z``, ``d_b = sum over rows of d_z``
    (Rumelhart, Hinton & Williams 1986).

    Parameters
    ----------
    d_out : (n, n_out) array
        Gradient of the loss with respect to ``out``.
    x, weight, activation
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
    return (
        store(d_z @ weight.T, d_x),
        store(x.T @ d_z, d_weight),
        store(d_z.sum(axis=0), d_bias),
    )
