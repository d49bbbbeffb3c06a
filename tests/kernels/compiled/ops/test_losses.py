"""Losses of a share of the rows."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")

from shares import ROWS, assert_close, draw

from fastmlp.kernels import numpy as reference
from fastmlp.kernels.compiled.machine.call import call, new_scalars
from fastmlp.kernels.compiled.machine.op import N_SCALARS, WEIGHT_SUM
from fastmlp.kernels.compiled.ops import cross_entropy, losses, rows

BOTH = pytest.mark.parametrize("dtype", [np.dtype("float32"), np.dtype("float64")], ids=str)


@BOTH
@pytest.mark.parametrize("coded", [True, False])
@pytest.mark.parametrize("shards", [1, 2, 5])
def test_softmax_cross_entropy(shards: int, coded: bool, dtype: np.dtype) -> None:
    logits, weight = draw(dtype, ROWS, 7), np.abs(draw(dtype, ROWS))
    y = np.arange(ROWS) * 5 % 7 if coded else np.abs(draw(dtype, ROWS, 7)[::-1])
    loss, d_logits = reference.softmax_cross_entropy(logits, y, weight, 0.1)
    labels = y if coded else y.argmax(axis=1)
    parts = new_scalars(2 * shards)
    parts[WEIGHT_SUM] = weight.sum(dtype=np.float64)
    d = logits.copy()
    for shard in range(shards):
        call(
            cross_entropy.softmax_cross_entropy,
            dtype,
            ROWS,
            scalars=parts,
            d=d,
            columns=7,
            order=0,
            weights=weight,
            labels=y if coded else 0,
            targets=0 if coded else np.ascontiguousarray(y),
            loss=N_SCALARS,
            correct=N_SCALARS + shards,
            shard=shard,
            shards=shards,
            label_smoothing=0.1,
        )
    totals, correct = parts[N_SCALARS:].reshape(2, shards)
    np.testing.assert_allclose(totals.sum() / parts[WEIGHT_SUM], loss, rtol=1e-6)
    assert correct.sum() == (logits.argmax(axis=1) == labels).sum()
    assert_close(d, d_logits)


@BOTH
@pytest.mark.parametrize("shards", [1, 2, 5])
def test_elementwise_loss(shards: int, dtype: np.dtype) -> None:
    prediction, y = draw(dtype, ROWS, 3), draw(dtype, ROWS, 3)[::-1].copy()
    weight = np.abs(draw(dtype, ROWS))
    loss, d_prediction = reference.huber_loss(prediction, y, weight, 0.7)
    parts = new_scalars(2 * shards)
    call(rows.sum_weights, dtype, ROWS, scalars=parts, weights=weight)
    d = prediction.copy()
    for shard in range(shards):
        call(
            losses.elementwise_loss,
            dtype,
            ROWS,
            member="huber_loss",
            scalars=parts,
            d=d,
            columns=3,
            targets=y,
            weights=weight,
            loss=N_SCALARS,
            correct=N_SCALARS + shards,
            shard=shard,
            shards=shards,
            parameter=0.7,
            threshold=0.5,
        )
    totals, correct = parts[N_SCALARS:].reshape(2, shards)
    np.testing.assert_allclose(totals.sum() / parts[WEIGHT_SUM], loss, rtol=1e-6)
    right = (prediction >= 0.5) == (y >= 0.5)
    assert correct.sum() == pytest.approx(right.mean(axis=1).sum())
    assert_close(d, d_prediction)
