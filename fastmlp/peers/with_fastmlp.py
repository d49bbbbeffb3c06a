"""fastmlp itself, by its public interface."""

from __future__ import annotations

from typing import Any

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


def environment(threads: int) -> dict[str, str]:
    """Fastmlp takes the number of threads as an argument."""
    return {}


def refusal(case: Case) -> str | None:
    """Fastmlp does all cases."""
    return None


def variants(case: Case) -> tuple[str, ...]:
    """There is one way."""
    return ("fit",) if not case.predicts else ("predict",)


def make_model(case: Case, backend: str, threads: int | str) -> Any:
    """The network as a `fastmlp.Sequential`, built."""
    import fastmlp as fm

    layers: list[Any] = []
    for number, units in enumerate(case.widths[1:]):
        if not case.is_hidden(number):
            layers.append(fm.Dense(units, case.output))
        elif case.batch_norm:
            layers += [
                fm.Dense(units, use_bias=False),
                fm.BatchNorm(BATCH_NORM_MOMENTUM, BATCH_NORM_EPSILON),
                fm.Activation(case.activation),
            ]
        elif case.adds_input(number):
            layers.append(fm.Residual((fm.Dense(units, case.activation),)))
        else:
            layers.append(fm.Dense(units, case.activation))
        if case.dropout and case.is_hidden(number):
            layers.append(fm.Dropout(case.dropout))
    model = fm.Sequential(
        layers,
        optimizer=fm.Adam(LEARNING_RATE, BETA_1, BETA_2, EPSILON),
        backend=backend,
        random_state=7,
        n_threads=threads,
    )
    return model.build(case.widths[0])


def views(case: Case, model: Any) -> list[Layer]:
    """Views of the model's parameters and running statistics."""
    arrays, buffers = iter(model.parameters.values()), iter(model.buffers.values())
    layers = []
    for number in range(case.depth):
        has_norm = not case.has_bias(number)
        trained = [next(arrays) for _ in range(2 + has_norm)]
        layers.append(Layer.of(trained, [next(buffers) for _ in range(2 * has_norm)]))
    return layers


def write(case: Case, model: Any, layers: list[Layer]) -> None:
    """Set the model's parameters and running statistics."""
    for view, layer in zip(views(case, model), layers, strict=True):
        pairs = zip((*view.trained, *view.running), (*layer.trained, *layer.running), strict=True)
        for target, source in pairs:
            target[...] = source


class Peer:
    """See `peer.Peer`."""

    def __init__(
        self,
        case: Case,
        x: Array,
        y: Array,
        layers: list[Layer],
        variant: str,
        threads: int | str,
    ) -> None:
        self._case, self._x, self._y, self._first = case, x, y, layers
        self._model = make_model(case, "numba", threads)
        write(case, self._model, layers)

    def reset(self) -> None:
        self._model.reset()
        write(self._case, self._model, self._first)

    def fit(self, epochs: int, shuffle: bool = True) -> None:
        self._model.fit(
            self._x,
            self._y,
            epochs=epochs,
            batch_size=self._case.batch,
            shuffle=shuffle,
            verbose=0,
        )

    def layers(self) -> list[Layer]:
        return views(self._case, self._model)

    def predict(self, x: Array) -> Array:
        predicted: Array = self._model.predict(x)
        return predicted
