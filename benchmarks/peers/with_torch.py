"""PyTorch: eager with the fused Adam, and with forward and backward by ``torch.compile``."""

from __future__ import annotations

import shutil
from itertools import product
from typing import Any

import numpy as np

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
from .peer import BLOCK_VARIANTS, blocks


def environment(threads: int) -> dict[str, str]:
    """The number of threads is set by `torch.set_num_threads` as well."""
    return {}


def refusal(case: Case) -> str | None:
    """PyTorch does all cases."""
    return None


def variants(case: Case) -> tuple[str, ...]:
    """Eager or compiled where there is a compiler of C++; when rows are gathered."""
    if case.predicts:
        return BLOCK_VARIANTS
    has_compiler = any(shutil.which(name) for name in ("c++", "g++", "clang++", "cl"))
    modes = ("eager", "compiled") if has_compiler else ("eager",)
    return tuple(map(", ".join, product(modes, ("gather each step", "gather first"))))


class Peer:
    """See `peer.Peer`."""

    def __init__(
        self, case: Case, x: Array, y: Array, layers: list[Layer], variant: str, threads: int
    ) -> None:
        import torch

        torch.set_num_threads(threads)
        torch.manual_seed(7)
        self._case, self._variant, self._first = case, variant, layers
        self._model, self._dense, self._norms = _make_model(case)
        self.reset()
        if case.predicts:
            return
        self._x: Any = torch.from_numpy(x)
        target = y if case.output == "softmax" else y.astype(np.float32)
        self._y: Any = torch.from_numpy(target)
        if "compiled" in variant:
            # What an earlier variant or case has compiled must not count toward the limit of
            # recompilations.
            torch.compiler.reset()
            self._loss = torch.compile(self._eager_loss, dynamic=False)
        else:
            self._loss = self._eager_loss

    def _eager_loss(self, x: Any, y: Any) -> Any:
        from torch.nn import functional

        read = self._model(x)
        if self._case.output == "softmax":
            return functional.cross_entropy(read, y)
        if self._case.output == "sigmoid":
            return functional.binary_cross_entropy_with_logits(read[:, 0], y)
        return functional.mse_loss(read[:, 0], y)

    def reset(self) -> None:
        import torch

        norms = iter(self._norms)
        with torch.no_grad():
            for dense, layer in zip(self._dense, self._first, strict=True):
                dense.weight.copy_(torch.from_numpy(layer.weight.T.copy()))
                if layer.bias is not None:
                    dense.bias.copy_(torch.from_numpy(layer.bias))
                else:
                    next(norms).reset_parameters()
        self._optimizer = torch.optim.Adam(
            self._model.parameters(), LEARNING_RATE, (BETA_1, BETA_2), EPSILON, fused=True
        )

    def fit(self, epochs: int, shuffle: bool = True) -> None:
        import torch

        self._model.train()
        optimizer, compute_loss = self._optimizer, self._loss
        n_rows = len(self._x)
        for _ in range(epochs):
            order: Any = torch.randperm(n_rows) if shuffle else torch.arange(n_rows)
            losses = []
            for x, y in self._batches(order):
                loss = compute_loss(x, y)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                losses.append(loss.detach())
            float(torch.stack(losses).mean())

    def _batches(self, order: Any) -> Any:
        size = self._case.batch
        if "gather first" in self._variant:
            x, y = self._x.index_select(0, order), self._y.index_select(0, order)
            return zip(x.split(size), y.split(size), strict=True)
        return (
            (self._x.index_select(0, rows), self._y.index_select(0, rows))
            for rows in order.split(size)
        )

    def layers(self) -> list[Layer]:
        norms = iter(self._norms)
        layers = []
        for number, dense in enumerate(self._dense):
            after: tuple[Any, ...] = (dense.bias,)
            running: tuple[Any, ...] = ()
            if not self._case.has_bias(number):
                norm = next(norms)
                after, running = (norm.weight, norm.bias), (norm.running_mean, norm.running_var)
            weight = _array(dense.weight).T
            layers.append(Layer.of((weight, *map(_array, after)), map(_array, running)))
        return layers

    def predict(self, x: Array) -> Array:
        import torch

        self._model.eval()
        rows_in = torch.from_numpy(x)
        out = torch.empty((len(x), self._case.widths[-1]))
        with torch.inference_mode():
            for rows in blocks(self._variant, len(x)):
                torch.softmax(self._model(rows_in[rows]), 1, out=out[rows])
        return np.asarray(out)


def _array(tensor: Any) -> Array:
    return np.asarray(tensor.detach())


def _make_model(case: Case) -> tuple[Any, list[Any], list[Any]]:
    """The network without its last activation, its dense layers, and its batch norms."""
    from torch import nn

    class Residual(nn.Module):
        def __init__(self, inner: Any) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, x: Any) -> Any:
            return x + self.inner(x)

    parts: list[Any] = []
    all_dense, norms = [], []
    for number in range(case.depth):
        n_in, n_out = case.widths[number : number + 2]
        dense = nn.Linear(n_in, n_out, bias=case.has_bias(number))
        all_dense.append(dense)
        block: list[Any] = [dense]
        if case.is_hidden(number):
            if case.batch_norm:
                norms.append(nn.BatchNorm1d(n_out, BATCH_NORM_EPSILON, BATCH_NORM_MOMENTUM))
                block.append(norms[-1])
            block.append(nn.ReLU() if case.activation == "relu" else nn.SiLU())
            if case.dropout:
                block.append(nn.Dropout(case.dropout))
        if case.adds_input(number):
            block = [Residual(nn.Sequential(*block))]
        parts += block
    return nn.Sequential(*parts), all_dense, norms
