"""Encoders of targets."""

from __future__ import annotations

from fastmlp.data.targets import target_encoder

LOSSES = {"softmax": "categorical_crossentropy", "sigmoid": "binary_crossentropy"}


def encoder_for(activation, units, loss=None, dtype="float64"):
    return target_encoder(activation, units, loss or LOSSES.get(activation, "mse"), dtype)


def fitted(activation, units, y, loss=None):
    encoder = encoder_for(activation, units, loss)
    encoder.encode(y, len(y), fit=True)
    return encoder
