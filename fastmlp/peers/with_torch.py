"""PyTorch: whole steps by ``torch.compile``, or eager with the fused Adam."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from functools import cached_property
from itertools import chain
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
from .torch_compiled import CompiledTraining, loss

_ONE_STEP, _MANY_STEPS = "compiled step", "8 compiled steps a call"
_STEPS = {_ONE_STEP: 1, _MANY_STEPS: 8}
_ONEDNN = "oneDNN, "


def environment(threads: int) -> dict[str, str]:
    """The number of threads is set by `torch.set_num_threads` as well."""
    return {}


def refusal(case: Case) -> str | None:
    """PyTorch does all cases."""
    return None


def variants(case: Case) -> tuple[str, ...]:
    """Whole steps compiled, where there is a compiler of C++, or eager with the fused Adam.

    For prediction, with oneDNN's layers or the usual ones.
    """
    if case.predicts:
        with_onednn = [_ONEDNN + variant for variant in BLOCK_VARIANTS]
        return tuple(chain.from_iterable(zip(with_onednn, BLOCK_VARIANTS, strict=True)))
    eager = ("eager, gather first", "eager, gather each step")
    if not any(shutil.which(name) for name in ("c++", "g++", "clang++", "cl")):
        return eager
    return (*[_MANY_STEPS] * case.is_small, _ONE_STEP, *eager)


class Peer:
    """See `peer.Peer`."""

    def __init__(
        self, case: Case, x: Array, y: Array, layers: list[Layer], variant: str, threads: int
    ) -> None:
        import torch

        torch.set_num_threads(threads)
        torch.manual_seed(7)
        # As the others do by themselves: moments of dead units are slow to compute with otherwise.
        torch.set_flush_denormal(True)
        self._case, self._variant, self._n_rows = case, variant, len(x)
        rows: Any = torch.from_numpy(x)
        targets: Any = torch.from_numpy(y if case.output == "softmax" else y.astype(np.float32))
        steps = _STEPS.get(variant)
        self._network: Any
        if steps is not None:
            self._network = CompiledTraining(case, rows, targets, layers, steps)
        else:
            self._network = _Eager(case, rows, targets, layers, "gather first" in variant)

    def reset(self) -> None:
        self._network.reset()

    def fit(self, epochs: int, shuffle: bool = True) -> None:
        import torch

        for _ in range(epochs):
            order = torch.randperm(self._n_rows) if shuffle else torch.arange(self._n_rows)
            self._network.epoch(order)

    def layers(self) -> list[Layer]:
        layers: list[Layer] = self._network.layers()
        return layers

    def predict(self, x: Array) -> Array:
        slices = blocks(self._variant.removeprefix(_ONEDNN), len(x))
        predicted: Array = self._network.predict(x, slices, self._variant.startswith(_ONEDNN))
        return predicted


class _Eager:
    """Modules and an optimizer, called from Python."""

    def __init__(
        self, case: Case, x: Any, y: Any, layers: list[Layer], gathers_first: bool
    ) -> None:
        self._case, self._x, self._y, self._first = case, x, y, layers
        self._gathers_first = gathers_first
        self._model, self._dense, self._norms = _make_model(case)
        self.reset()

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

    def epoch(self, order: Any) -> float:
        """Train once on the rows in this order; return the mean loss."""
        import torch

        self._model.train()
        losses = []
        for x, y in self._batches(order):
            value = loss(self._case, self._model(x), y)
            self._optimizer.zero_grad(set_to_none=True)
            value.backward()
            self._optimizer.step()
            losses.append(value.detach())
        return float(torch.stack(losses).mean())

    def _batches(self, order: Any) -> Any:
        size = self._case.batch
        if self._gathers_first:
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

    def predict(self, x: Array, slices: Iterable[slice], with_onednn: bool) -> Array:
        import torch

        self._model.eval()
        rows_in = torch.from_numpy(x)
        out = torch.empty((len(x), self._case.widths[-1]))
        with torch.inference_mode():
            for rows in slices:
                if with_onednn:
                    read = self._onednn_model(rows_in[rows].to_mkldnn()).to_dense()
                else:
                    read = self._model(rows_in[rows])
                torch.softmax(read, 1, out=out[rows])
        return np.asarray(out)

    @cached_property
    def _onednn_model(self) -> Any:
        from torch.utils.mkldnn import to_mkldnn

        return to_mkldnn(self._model)


def _array(tensor: Any) -> Array:
    return np.asarray(tensor.detach())


def _make_model(case: Case) -> tuple[Any, list[Any], list[Any]]:
    """The network without its last activation, its dense layers, and its batch norms."""
    from torch import nn

    class Residual(nn.Module):  # type: ignore[misc]
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
