"""Keras 3 on JAX, by ``compile`` and ``fit``."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import with_jax
from .networks import (
    BATCH_NORM_EPSILON,
    BATCH_NORM_MOMENTUM,
    BETA_1,
    BETA_2,
    EPSILON,
    LEARNING_RATE,
    Array,
    Case,
    Layer,
)
from .peer import BLOCK_VARIANTS, block_size


def environment(threads: int) -> dict[str, str]:
    """Keras reads its backend when it is imported."""
    return {**with_jax.environment(threads), "KERAS_BACKEND": "jax"}


def refusal(case: Case) -> str | None:
    """Keras does all cases."""
    return None


def variants(case: Case) -> tuple[str, ...]:
    """How many steps a call of the compiled function does."""
    if case.predicts:
        return BLOCK_VARIANTS
    return ("steps_per_execution 64", "steps_per_execution 16")


class Peer:
    """See `peer.Peer`."""

    def __init__(
        self, case: Case, x: Array, y: Array, layers: list[Layer], variant: str, threads: int
    ) -> None:
        import keras

        keras.utils.set_random_seed(7)
        self._case, self._variant, self._first = case, variant, layers
        self._x = x
        self._y = y if case.output == "softmax" else y.astype(np.float32)[:, None]
        self._model, self._dense, self._norms = _make_model(case)
        self.reset()

    def reset(self) -> None:
        import keras

        norms = iter(self._norms)
        for dense, layer in zip(self._dense, self._first, strict=True):
            if layer.bias is not None:
                dense.set_weights([layer.weight, layer.bias])
            else:
                dense.set_weights([layer.weight])
                next(norms).set_weights([*layer.trained[1:], *layer.running])
        if self._case.predicts:
            return
        losses = {
            "softmax": lambda: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            "sigmoid": lambda: keras.losses.BinaryCrossentropy(from_logits=True),
            "linear": keras.losses.MeanSquaredError,
        }
        self._model.compile(
            optimizer=keras.optimizers.Adam(LEARNING_RATE, BETA_1, BETA_2, EPSILON),
            loss=losses[self._case.output](),
            jit_compile=True,
            steps_per_execution=int(self._variant.split()[-1]),
        )

    def fit(self, epochs: int, shuffle: bool = True) -> None:
        self._model.fit(
            self._x,
            self._y,
            batch_size=self._case.batch,
            epochs=epochs,
            shuffle=shuffle,
            verbose=0,
        )

    def layers(self) -> list[Layer]:
        norms = iter(self._norms)
        layers = []
        for number, dense in enumerate(self._dense):
            trained, running = dense.get_weights(), []
            if not self._case.has_bias(number):
                gamma, beta, *running = next(norms).get_weights()
                trained += [gamma, beta]
            layers.append(Layer.of(trained, running))
        return layers

    def predict(self, x: Array) -> Array:
        batch_size = block_size(self._variant, len(x))
        return np.asarray(self._model.predict(x, batch_size=batch_size, verbose=0))


def _make_model(case: Case) -> tuple[Any, list[Any], list[Any]]:
    """The network, without its last activation where it is trained; dense layers; batch norms."""
    from keras import Input, Model, layers

    x = h = Input((case.widths[0],))
    all_dense, norms = [], []
    for number, units in enumerate(case.widths[1:]):
        dense = layers.Dense(units, use_bias=case.has_bias(number))
        all_dense.append(dense)
        z = dense(h)
        if case.is_hidden(number):
            if case.batch_norm:
                norms.append(
                    layers.BatchNormalization(
                        momentum=1 - BATCH_NORM_MOMENTUM, epsilon=BATCH_NORM_EPSILON
                    )
                )
                z = norms[-1](z)
            z = layers.Activation(case.activation)(z)
            if case.dropout:
                z = layers.Dropout(case.dropout)(z)
        elif case.predicts:
            z = layers.Activation("softmax")(z)
        h = layers.Add()([h, z]) if case.adds_input(number) else z
    return Model(x, h), all_dense, norms
