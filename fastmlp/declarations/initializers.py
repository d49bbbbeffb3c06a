"""The distributions from which first weights are drawn."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from ..common.checks import check_positive_int, find_name

if TYPE_CHECKING:
    from ..kernels.typing import Array

    Draw = Callable[[np.random.Generator, int, int], Array]


def _normal(deviation: Callable[[int, int], float]) -> Draw:
    return lambda rng, n_in, n_out: rng.normal(0.0, deviation(n_in, n_out), (n_in, n_out))


def _uniform(limit: Callable[[int, int], float]) -> Draw:
    def draw(rng: np.random.Generator, n_in: int, n_out: int) -> Array:
        most = limit(n_in, n_out)
        return rng.uniform(-most, most, (n_in, n_out))

    return draw


INITIALIZERS: dict[str, Draw] = {
    "he": _normal(lambda n_in, n_out: sqrt(2 / n_in)),
    "he_uniform": _uniform(lambda n_in, n_out: sqrt(6 / n_in)),
    "glorot": _uniform(lambda n_in, n_out: sqrt(6 / (n_in + n_out))),
    "glorot_normal": _normal(lambda n_in, n_out: sqrt(2 / (n_in + n_out))),
    "lecun_normal": _normal(lambda n_in, n_out: sqrt(1 / n_in)),
    "random": _normal(lambda n_in, n_out: 0.01),
    "zeros": lambda rng, n_in, n_out: np.zeros((n_in, n_out)),
}
"""From each name to what draws the weights of a layer."""

# Of tables of embeddings and of biases, not of layers.
_OTHERS: dict[str, Draw] = {"standard_normal": _normal(lambda n_in, n_out: 1.0)}

_ALIASES = {"xavier": "glorot"}

FROM_ROWS = {"std": "lecun_normal", "he+5": "zeros"}
"""Those that look at rows, each with what stands in for it before there are any."""

BIAS_INITIALIZERS = ("zeros", "standard_normal", "he+5")


def get_initializer(name: str) -> str:
    """Return the canonical spelling of an initializer's name, ``"auto"`` included.

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
    found = find_name("initializer", name, ("auto", "std", *INITIALIZERS, *_ALIASES))
    return _ALIASES.get(found, found)


def get_bias_initializer(name: str) -> str:
    """Return the canonical spelling of the name of an initializer of biases; errors as above."""
    return find_name("bias_initializer", name, BIAS_INITIALIZERS)


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
        The name is unknown, or is ``"auto"``, which the activation that follows decides; or a width
        is below 1.
    TypeError
        ``name`` is no string, or a width no integer.
    """
    table = INITIALIZERS | _OTHERS
    found = find_name("initializer to draw from", name, (*INITIALIZERS, *_ALIASES, *_OTHERS))
    n_in, n_out = check_positive_int("n_in", n_in), check_positive_int("n_out", n_out)
    return table[_ALIASES.get(found, found)](rng, n_in, n_out)
