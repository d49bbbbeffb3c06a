"""The distributions from which first weights are drawn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..common.checks import check_positive_int, find_name

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from .activations import Activation

INITIALIZERS = (
    "he",
    "he_uniform",
    "glorot",
    "glorot_normal",
    "lecun_normal",
    "random",
    "zeros",
)

_ALIASES = {"xavier": "glorot"}
_HE = ("relu", "leaky_relu", "elu", "gelu", "silu", "mish", "softplus")


def get_initializer(name: str) -> str:
    """Return the canonical spelling of an initialiser's name, ``"auto"`` included.

    Parameters
    ----------
    name : str
        In any case; ``xavier`` is ``glorot``.

    Raises
    ------
    ValueError
        The name is unknown.
    TypeError
        ``name`` is no string.
    """
    found = find_name("initializer", name, ("auto", *INITIALIZERS, *_ALIASES))
    return _ALIASES.get(found, found)


def resolve_auto(activation: Activation) -> str:
    """Tell what ``"auto"`` stands for before this activation.

    He for the relu family and the other functions that pass about half of their input, lecun for
    selu, whose fixed point assumes it, glorot for all else.
    """
    if activation.name in _HE:
        return "he"
    return "lecun_normal" if activation.name == "selu" else "glorot"


def draw(name: str, rng: np.random.Generator, n_in: int, n_out: int) -> Array:
    """Draw the first weights of a dense layer.

    Parameters
    ----------
    name : str
        ``he``: N(0, 2 / n_in) and ``he_uniform``: U(+-sqrt(6 / n_in)) (He et al. 2015, section
        2.2); ``glorot``: U(+-sqrt(6 / (n_in + n_out))) and ``glorot_normal``:
        N(0, 2 / (n_in + n_out)) (Glorot and Bengio 2010, equation 16, and its variance);
        ``lecun_normal``: N(0, 1 / n_in) (LeCun et al. 1998, section 4.6); ``random``:
        N(0, 0.01**2); ``zeros``; ``standard_normal``: N(0, 1), for embeddings. The second argument
        of N is the variance.
    rng : numpy.random.Generator
        Moves on by ``n_in * n_out`` draws (``zeros``: none).
    n_in, n_out : int
        The layer's input and output width.

    Returns
    -------
    ndarray
        float64, shape (n_in, n_out).

    Raises
    ------
    ValueError
        The name is unknown, or is ``"auto"``, which only `resolve_auto` can settle; or a width
        is below 1.
    TypeError
        ``name`` is no string, or a width no integer.
    """
    known = (*INITIALIZERS, *_ALIASES, "standard_normal")
    initializer = find_name("initializer to draw from", name, known)
    n_in, n_out = check_positive_int("n_in", n_in), check_positive_int("n_out", n_out)
    shape = (n_in, n_out)
    if initializer == "zeros":
        return np.zeros(shape)
    deviation = {
        "he": math.sqrt(2 / n_in),
        "glorot_normal": math.sqrt(2 / (n_in + n_out)),
        "lecun_normal": math.sqrt(1 / n_in),
        "random": 0.01,
        "standard_normal": 1.0,
    }
    if initializer in deviation:
        return rng.normal(0.0, deviation[initializer], shape)
    limit = math.sqrt(6 / n_in if initializer == "he_uniform" else 6 / (n_in + n_out))
    return rng.uniform(-limit, limit, shape)
