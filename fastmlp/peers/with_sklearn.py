"""scikit-learn's ``MLPClassifier`` and ``MLPRegressor``."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from .networks import BETA_1, BETA_2, EPSILON, LEARNING_RATE, Array, Case, Layer
from .peer import BLOCK_VARIANTS, blocks


def environment(threads: int) -> dict[str, str]:
    """Its threads are those of BLAS, which are set for every library."""
    return {}


def refusal(case: Case) -> str | None:
    """Dense layers with one of four activations are all there is."""
    if case.batch_norm or case.dropout:
        return "scikit-learn has no batch normalization and no dropout"
    if case.residual or case.activation != "relu":
        return "scikit-learn has no residual blocks and no SiLU"
    return None


def variants(case: Case) -> tuple[str, ...]:
    """There is one way to train."""
    return BLOCK_VARIANTS if case.predicts else ("fit",)


class Peer:
    """See `peer.Peer`."""

    def __init__(
        self, case: Case, x: Array, y: Array, layers: list[Layer], variant: str, threads: int
    ) -> None:
        self._case, self._variant, self._first = case, variant, layers
        self._x, self._y = x, y
        self.reset()

    def reset(self) -> None:
        from sklearn.neural_network import MLPClassifier, MLPRegressor

        case = self._case
        kind = MLPRegressor if case.output == "linear" else MLPClassifier
        self._model: Any = kind(
            hidden_layer_sizes=case.widths[1:-1],
            activation=case.activation,
            solver="adam",
            alpha=0.0,
            batch_size=case.batch,
            learning_rate_init=LEARNING_RATE,
            beta_1=BETA_1,
            beta_2=BETA_2,
            epsilon=EPSILON,
            tol=0.0,
            n_iter_no_change=10**9,
            random_state=7,
            warm_start=True,
        )
        # A fit that starts warm keeps the parameters, so one is done to make them.
        few = np.unique(self._y, return_index=True)[1] if case.output != "linear" else slice(8)
        self._model.set_params(batch_size="auto")
        self._fit(self._x[few], self._y[few], 1)
        self._model.set_params(batch_size=case.batch)
        self._model.coefs_ = [layer.weight.copy() for layer in self._first]
        self._model.intercepts_ = [
            layer.bias.copy() for layer in self._first if layer.bias is not None
        ]

    def _fit(self, x: Array, y: Array, epochs: int) -> None:
        from sklearn.exceptions import ConvergenceWarning

        self._model.set_params(max_iter=epochs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._model.fit(x, y)

    def fit(self, epochs: int, shuffle: bool = True) -> None:
        self._model.set_params(shuffle=shuffle)
        self._fit(self._x, self._y, epochs)

    def layers(self) -> list[Layer]:
        pairs = zip(self._model.coefs_, self._model.intercepts_, strict=True)
        return [Layer(weight, bias) for weight, bias in pairs]

    def predict(self, x: Array) -> Array:
        out = np.empty((len(x), self._case.widths[-1]), dtype=np.float32)
        for rows in blocks(self._variant, len(x)):
            out[rows] = self._model.predict_proba(x[rows])
        return out
