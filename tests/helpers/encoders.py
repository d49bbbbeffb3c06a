"""Encoders of targets."""

from __future__ import annotations

import math

from fastmlp.data.target_kinds import target_encoder

LOSSES = {"softmax": "categorical_crossentropy", "sigmoid": "binary_crossentropy"}


def encoder_for(activation, units, loss=None, dtype="float64"):
    tasks = {"softmax": "multiclass", "sigmoid": "binary" if units == 1 else "multilabel"}
    loss = loss or LOSSES.get(activation, "mse")
    least = 0.0 if loss == "poisson" else -math.inf
    return target_encoder(
        tasks.get(activation, "regression"), activation, units, loss, dtype, least
    )


def fitted(activation, units, y, loss=None):
    encoder = encoder_for(activation, units, loss)
    encoder.encode(y, len(y), fit=True)
    return encoder
