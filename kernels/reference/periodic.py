"""Periodic embeddings of numbers (Gorishniy et al. 2022; with phases, Holzmueller et al. 2024)."""

from __future__ import annotations

import numpy as np

from ..typing import Array
from .buffers import store

__all__ = ["periodic_backward", "periodic_forward"]


def _angles(x: Array, frequency: Array, phase: Array) -> Array:
    """``2 pi f x + p``, (n, c, h)."""
    angles: Array = x[:, :, np.newaxis] * (x.dtype.type(2.0 * np.pi) * frequency) + phase
    return angles


def periodic_forward(
    x: Array,
    frequency: Array,
    phase: Array,
    weight: Array,
    bias: Array,
    *,
    out: Array | None = None,
) -> Array:
    """Compute ``cos(2 pi f x + p) W + b`` for each column of x, with f, p, W and b of its own.

    Parameters
    ----------
    x : (n, c) array
    frequency, phase : (c, h) arrays
        h waves for each column; phases are in radians.
    weight : (c, h, k) array
    bias : (c, k) array
    out : (n, c * k) array, optional
        Receives the result.

    Returns
    -------
    out : (n, c * k) array
        The k numbers of the first column, then those of the second, ...

    References
    ----------
    Gorishniy, Rubachev & Babenko, "On Embeddings for Numerical Features in Tabular Deep Learning",
    NeurIPS 2022, section 3.3. Holzmueller, Grinsztajn & Steinwart, "Better by Default: Strong
    Pre-Tuned MLPs and Boosted Trees on Tabular Data", NeurIPS 2024, appendix A (PBLD).
    """
    waves = np.cos(_angles(x, frequency, phase))
    embedded = np.einsum("nch,chk->nck", waves, weight) + bias
    return store(embedded.reshape(len(x), bias.size), out)


def periodic_backward(
    d_out: Array,
    x: Array,
    frequency: Array,
    phase: Array,
    weight: Array,
    *,
    d_x: Array | None = None,
    d_frequency: Array | None = None,
    d_phase: Array | None = None,
    d_weight: Array | None = None,
    d_bias: Array | None = None,
) -> tuple[Array, Array, Array, Array, Array]:
    """Compute the gradients of `periodic_forward`.

    With the angles ``a = 2 pi f x + p`` and ``e = -sin(a) (d_out W^T)``: ``d_weight = cos(a)^T
    d_out``, ``d_phase`` is the sum of e over rows, ``d_frequency`` that of ``2 pi x e``, and
    ``d_x`` the sum of ``2 pi f e`` over waves.

    Parameters
    ----------
    d_out : (n, c * k) array
    x, frequency, phase, weight
        As given to the forward pass.
    d_x, d_frequency, d_phase, d_weight, d_bias : arrays, optional
        Receive the results.

    Returns
    -------
    d_x, d_frequency, d_phase, d_weight, d_bias : arrays
        Each in the shape of what it is the gradient of.
    """
    columns, _, width = weight.shape
    d = d_out.reshape(len(x), columns, width)
    angles, turn = _angles(x, frequency, phase), x.dtype.type(2.0 * np.pi)
    d_angles = np.einsum("nck,chk->nch", d, weight) * -np.sin(angles)
    by_x = np.einsum("nch,nc->ch", d_angles, x) * turn
    return (
        store(np.einsum("nch,ch->nc", d_angles, turn * frequency), d_x),
        store(by_x, d_frequency),
        store(d_angles.sum(axis=0), d_phase),
        store(np.einsum("nch,nck->chk", np.cos(angles), d), d_weight),
        store(d.sum(axis=0), d_bias),
    )
