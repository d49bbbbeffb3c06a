"""Networks whose training goes on: optimizers, schedules, the files of their models."""

from __future__ import annotations

from typing import Any

import numpy as np

import fastmlp as fm
from fastmlp.kernels.typing import Array

N = 70


def classes() -> tuple[Array, Array]:
    rng = np.random.default_rng(41)
    X = rng.normal(size=(N, 4))
    return X, np.digitize(np.sin(X[:, 0]) + 0.3 * rng.normal(size=N), [-0.4, 0.4])


def network(backend: str, optimizer: Any = "adam", dtype: str = "float32") -> fm.Sequential:
    layers = [
        fm.Dense(12),
        fm.BatchNorm(),
        fm.Activation("relu"),
        fm.Dropout(0.3),
        fm.Residual([fm.Dense(5, "gelu"), fm.Dropout(0.2), fm.Dense(12)]),
        fm.Dense(3, "softmax", l2=1e-3),
    ]
    return fm.Sequential(layers, optimizer=optimizer, dtype=dtype, backend=backend, random_state=9)


OPTIMIZERS = {
    "sgd": fm.SGD(0.05),
    "nesterov": fm.SGD(0.01, momentum=0.9, nesterov=True, clip_norm=0.5),
    "rmsprop": fm.RMSprop(),
    "adam": fm.Adam(clip_value=0.1),
    "adamw": fm.AdamW(),
    "nadam": fm.Nadam(),
    "adagrad": fm.AdaGrad(),
    "ftrl": fm.Ftrl(0.05, l1=1e-3),
}
SCHEDULES = {
    "exponential": fm.ExponentialDecay(0.01, 0.8),
    "inverse time": fm.InverseTimeDecay(0.01, 0.5),
    "step": fm.StepDecay(0.01, 0.5, 2),
    "cosine": fm.CosineDecay(0.01, 6),
    "one cycle": fm.OneCycle(0.01, 6),
    "cos log": fm.CosLog(0.01, 6),
    "flat cosine": fm.FlatCosine(0.01, 6),
    "flat anneal": fm.FlatAnneal(0.01, 6),
    "plateau": fm.ReduceOnPlateau(0.01, 0.5, patience=0),
    "plateau of validation": fm.ReduceOnPlateau(0.01, 0.5, patience=1, monitor="val_loss"),
}
SPECS: dict[str, Any] = {
    **OPTIMIZERS,
    **{name: fm.Adam(schedule) for name, schedule in SCHEDULES.items()},
}


def fit(model: fm.Sequential, epochs: int, **arguments: Any) -> fm.History:
    X, y = classes()
    # What is learned makes wrong labels look worse, which val_loss notices.
    wrong = (X[:20], (y[:20] + 1) % 3)
    arguments = {"batch_size": 16, "validation_data": wrong, "verbose": 0, **arguments}
    return model.fit(X, y, epochs=epochs, **arguments)
