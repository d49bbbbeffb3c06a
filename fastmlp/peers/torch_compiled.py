"""Training steps as one function for ``torch.compile``: forward, backward and Adam."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .networks import (
    BATCH_NORM_EPSILON,
    BATCH_NORM_MOMENTUM,
    BETA_1,
    BETA_2,
    EPSILON,
    LEARNING_RATE,
    Case,
    Layer,
)


class CompiledTraining:
    """Trains by compiled calls of some steps each, over one flat vector of parameters.

    Parameters
    ----------
    case : Case
    x, y : torch.Tensor
    layers : list of Layer
        The first parameters.
    steps : int
        Of a call.
    """

    def __init__(self, case: Case, x: Any, y: Any, layers: list[Layer], steps: int) -> None:
        import torch

        self._case, self._x, self._y, self._first = case, x, y, layers
        self._rows = steps * case.batch
        self._shapes = [array.shape for layer in layers for array in layer.trained]
        self._sizes = [array.size for layer in layers for array in layer.trained]
        self.reset()
        # What an earlier variant or case has compiled must not count toward the limit of
        # recompilations.
        torch.compiler.reset()
        self._call = torch.compile(
            self._make_call(), fullgraph=True, dynamic=False, options={"cpp_wrapper": True}
        )

    def reset(self) -> None:
        import torch

        flat = np.concatenate([array.ravel() for one in self._first for array in one.trained])
        self._parameters: Any = torch.from_numpy(flat)
        self._m = torch.zeros_like(self._parameters)
        self._v = torch.zeros_like(self._parameters)
        # Compiled code leaves a float64 scalar as it was (seen in PyTorch 2.13).
        self._step = torch.zeros(())
        self._running: list[Any] = [
            tuple(torch.from_numpy(array.copy()) for array in layer.running)
            for layer in self._first
        ]

    def epoch(self, order: Any) -> float:
        """Train once on the rows in this order; return the mean loss."""
        import torch

        x, y = self._x.index_select(0, order), self._y.index_select(0, order)
        state = self._parameters, self._m, self._v, self._step, self._running
        batches = zip(x.split(self._rows), y.split(self._rows), strict=True)
        losses = [self._call(*state, some_x, some_y) for some_x, some_y in batches]
        return float(torch.stack(losses).sum()) / self._case.steps(len(order))

    def layers(self) -> list[Layer]:
        layers = []
        parts = iter(self._parts(self._parameters))
        for first, running in zip(self._first, self._running, strict=True):
            trained = [np.asarray(next(parts)) for _ in first.trained]
            layers.append(Layer.of(trained, map(np.asarray, running)))
        return layers

    def _parts(self, flat: Any) -> list[Any]:
        parts = flat.split(self._sizes)
        return [part.view(shape) for part, shape in zip(parts, self._shapes, strict=True)]

    def _make_call(self) -> Callable[..., Any]:
        import torch

        case = self._case

        def loss_of(flat: Any, x: Any, y: Any) -> Any:
            read, statistics = _forward(case, self._parts(flat), x)
            return loss(case, read, y), statistics

        differentiate = torch.func.grad_and_value(loss_of, has_aux=True)

        def call(p: Any, m: Any, v: Any, t: Any, running: Any, xs: Any, ys: Any) -> Any:
            losses = []
            for x, y in zip(xs.split(case.batch), ys.split(case.batch), strict=True):
                gradient, (value, statistics) = differentiate(p, x, y)
                t.add_(1)
                m.lerp_(gradient, 1 - BETA_1)
                v.mul_(BETA_2).addcmul_(gradient, gradient, value=1 - BETA_2)
                rate = LEARNING_RATE / (1 - BETA_1**t)
                p.sub_(rate * m / ((v / (1 - BETA_2**t)).sqrt() + EPSILON))
                for old, new in zip(running, statistics, strict=True):
                    for target, batch in zip(old, new, strict=True):
                        target.lerp_(batch, BATCH_NORM_MOMENTUM)
                losses.append(value)
            return torch.stack(losses).sum()

        return call


def _forward(case: Case, parameters: list[Any], x: Any) -> tuple[Any, list[Any]]:
    """Training's forward pass and each layer's mean and variance over the batch."""
    import torch
    from torch.nn import functional

    activation = {"relu": functional.relu, "silu": functional.silu}[case.activation]
    n_rows = x.shape[0]
    left = iter(parameters)
    statistics: list[Any] = []
    h = x
    for number in range(case.depth):
        weight = next(left)
        if case.has_bias(number):
            z = torch.addmm(next(left), h, weight)
            statistics.append(())
        else:
            z = h @ weight
            variance, mean = torch.var_mean(z, 0, correction=0)
            z = (z - mean) * torch.rsqrt(variance + BATCH_NORM_EPSILON)
            z = z * next(left) + next(left)
            statistics.append((mean, variance * (n_rows / (n_rows - 1))))
        if case.is_hidden(number):
            z = activation(z)
            if case.dropout:
                z = functional.dropout(z, case.dropout)
        h = h + z if case.adds_input(number) else z
    return h, statistics


def loss(case: Case, read: Any, y: Any) -> Any:
    """The case's loss by what the last layer gives before its activation."""
    from torch.nn import functional

    if case.output == "softmax":
        return functional.cross_entropy(read, y)
    if case.output == "sigmoid":
        return functional.binary_cross_entropy_with_logits(read[:, 0], y)
    return functional.mse_loss(read[:, 0], y)
