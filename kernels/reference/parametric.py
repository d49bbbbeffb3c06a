"""Activations that are mixed with the identity (Holzmueller, Grinsztajn & Steinwart 2024)."""

from __future__ import annotations

from ..typing import ActivationSpec, Array
from .activations import activation_backward, activation_forward
from .buffers import store

__all__ = ["parametric_backward", "parametric_forward"]


def parametric_forward(
    z: Array, weight: Array, activation: ActivationSpec, *, out: Array | None = None
) -> Array:
    """Compute ``out = z + weight (f(z) - z)``.

    Parameters
    ----------
    z : (n, k) array
    weight : (k,) array
        The share of the activation in each column; the rest is the identity's.
    activation : str or (str, float)
        As in `activation_forward`; one that works on single elements.
    out : (n, k) array, optional
        Receives the result.

    Returns
    -------
    out : (n, k) array

    Raises
    ------
    ValueError
        Where the activation is unknown.

    References
    ----------
    Holzmueller, Grinsztajn & Steinwart, "Better by Default: Strong Pre-Tuned MLPs and Boosted Trees
    on Tabular Data", NeurIPS 2024, appendix A.
    """
    return store(z + weight * (activation_forward(z, activation) - z), out)


def parametric_backward(
    d_out: Array,
    z: Array,
    weight: Array,
    activation: ActivationSpec,
    *,
    d_z: Array | None = None,
    d_weight: Array | None = None,
) -> tuple[Array, Array]:
    """Compute the gradients of `parametric_forward`.

    ``d_z = d_out (1 - weight + weight f'(z))``, ``d_weight = sum over rows of d_out (f(z) - z)``.

    Parameters
    ----------
    d_out : (n, k) array
    z, weight, activation
        Arguments of `parametric_forward`.
    d_z, d_weight : arrays, optional
        Receive the results.

    Returns
    -------
    d_z : (n, k) array
    d_weight : (k,) array
    """
    f, share = activation_forward(z, activation), weight * d_out
    of_weight = (d_out * (f - z)).sum(axis=0)
    of_z = (d_out - share) + activation_backward(share, z, f, activation)
    return store(of_z, d_z), store(of_weight, d_weight)
