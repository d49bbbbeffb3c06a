"""The network of a table, and how it learns.

That of RealMLP (Holzmueller et al. 2024, "Better by default"), but for what docs/decisions.md
tells: a trained scale before hidden layers in the parametrization of the neural tangent kernel,
first weights and biases from the rows themselves, and rates that follow the training's progress.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..declarations.losses import BinaryCrossentropy, CategoricalCrossentropy
from ..declarations.optimizers import AdamW
from ..declarations.progress import CosLog, FlatCosine
from ..model.sequential import Sequential
from ..network.embeddings import PeriodicEmbedding
from ..network.layers import Activation, Dense
from ..network.parametric import ParametricActivation, Scale
from .losses import LOSSES

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from .plan import Recipe

# Factors of the learning rate.
_OF_SCALE, _OF_BIAS, _OF_ACTIVATION, _OF_EMBEDDING = 6.0, 0.1, 0.1, 0.1
_BETA_2 = 0.95
# Of more columns embeddings take more time than they are worth, and of many fewer waves do.
_MOST_EMBEDDED, _MANY_EMBEDDED = 64, 32
_WAVES, _WAVES_OF_MANY = 16, 8

__all__ = ["measured", "network", "output_layer"]


def output_layer(n_classes: int, **arguments: Any) -> Dense:
    """The last layer for some classes, or for numbers where there are none."""
    if n_classes:
        units = 1 if n_classes == 2 else n_classes
        return Dense(units, "sigmoid" if units == 1 else "softmax", **arguments)
    return Dense(1, **arguments)


def measured(X: Array) -> list[int]:
    """The columns that hold more than two different numbers, if they are not too many."""
    inner = (X.min(axis=0) < X) & (X.max(axis=0) > X)
    found: list[int] = np.flatnonzero(inner.any(axis=0)).tolist()
    return found if len(found) <= _MOST_EMBEDDED else []


def network(
    n_classes: int, width: int, embedded: list[int], recipe: Recipe, seed: int
) -> Sequential:
    """Make and build a network that has learned nothing yet.

    Parameters
    ----------
    n_classes : int
        0 for a regression.
    width : int
        Columns of X.
    embedded : list of int
        Those with a `PeriodicEmbedding`.
    recipe : Recipe
    seed : int
    """
    slow_bias: dict[str, Any] = {
        "parametrization": "ntk",
        "bias_learning_rate_factor": _OF_BIAS,
        "bias_weight_decay_factor": 0.0,
    }
    layers: list[Any] = []
    if embedded and recipe.embeds:
        layers.append(
            PeriodicEmbedding(
                n_waves=_WAVES_OF_MANY if len(embedded) > _MANY_EMBEDDED else _WAVES,
                sigma=recipe.sigma(n_classes),
                columns=embedded,
                learning_rate_factor=_OF_EMBEDDING,
            )
        )
    if recipe.scales:
        layers.append(Scale(learning_rate_factor=_OF_SCALE))
    function = recipe.function(n_classes)
    for units in recipe.hidden:
        layers.append(Dense(units, initializer="std", bias_initializer="he+5", **slow_bias))
        if recipe.mixes:
            layers.append(ParametricActivation(function, learning_rate_factor=_OF_ACTIVATION))
        else:
            layers.append(Activation(function))
    layers.append(output_layer(n_classes, initializer="zeros", **slow_bias))
    decay = recipe.weight_decay
    optimizer = AdamW(
        CosLog(recipe.rate(n_classes)),
        beta_2=_BETA_2,
        weight_decay=FlatCosine(decay) if decay else 0.0,
    )
    return Sequential(
        layers,
        loss=_loss(n_classes, recipe),
        optimizer=optimizer,
        dtype=recipe.dtype,
        backend=recipe.backend,
        random_state=seed,
        n_threads=recipe.n_threads,
    ).build(width)


def _loss(n_classes: int, recipe: Recipe) -> Any:
    if not n_classes:
        return LOSSES[recipe.loss]
    kind = BinaryCrossentropy if n_classes == 2 else CategoricalCrossentropy
    return kind(label_smoothing=recipe.smoothing)
