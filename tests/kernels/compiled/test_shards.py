"""Ops that work on a share of the columns, of the rows or of a vector, as threads do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

import itertools

from fastmlp.kernels import reference
from fastmlp.kernels.compiled.machine.call import call, new_scalars
from fastmlp.kernels.compiled.machine.op import N_SCALARS, WEIGHT_SUM, CompiledOp
from fastmlp.kernels.compiled.ops import (
    activations,
    batchnorm,
    cross_entropy,
    dense,
    dropout,
    optimizers,
    rows,
    softmax,
)
from fastmlp.kernels.compiled.ops.gradients import add_penalty, clip_by_norm, sum_of_squares
from fastmlp.kernels.compiled.ops.losses import elementwise_loss

Arrays = dict[str, np.ndarray]
ROWS, COLUMNS = 21, 37
BOUNDS = (0, 16, COLUMNS)
BOTH = pytest.mark.parametrize("dtype", [np.dtype("float32"), np.dtype("float64")], ids=str)


def draw(dtype: np.dtype, *shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(dtype)


def assert_close(actual: np.ndarray, expected: np.ndarray) -> None:
    tolerance = 32 * np.finfo(expected.dtype).eps
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def by_columns(op: CompiledOp[...], dtype: np.dtype, arrays: Arrays, **others: Any) -> None:
    """Call an op on each range of columns of these arrays."""
    for first, last in itertools.pairwise(BOUNDS):
        parts = {name: array[..., first:last] for name, array in arrays.items()}
        if "first_column" in op.names:
            others["first_column"] = first
        call(op, dtype, ROWS, **parts, columns=last - first, **others)


@BOTH
@pytest.mark.parametrize("name", ["relu", "gelu"])
def test_activation(name: str, dtype: np.dtype) -> None:
    z, d = draw(dtype, ROWS, COLUMNS), draw(dtype, ROWS, COLUMNS)[::-1].copy()
    out = np.full_like(z, np.nan)
    expected = reference.activation_forward(z, name)
    expected_d = reference.activation_backward(d, z, expected, name)
    common = {"ld": COLUMNS, "parameter": 0.0, "member": name}
    by_columns(activations.activation_forward, dtype, {"z": z, "out": out}, **common)
    by_columns(activations.activation_backward, dtype, {"z": z, "out": out, "d": d}, **common)
    assert_close(out, expected)
    assert_close(d, expected_d)


@BOTH
def test_batchnorm(dtype: np.dtype) -> None:
    x, d = draw(dtype, ROWS, COLUMNS), draw(dtype, ROWS, COLUMNS)[::-1].copy()
    gamma, beta, mean, var = draw(dtype, 4, COLUMNS)
    var[:] = np.abs(var)
    kept_mean, kept_var = mean.copy(), var.copy()
    expected, x_hat, inv_std = reference.batchnorm_forward(
        x, gamma, beta, kept_mean, kept_var, 0.1, 1e-5, True
    )
    expected_d = reference.batchnorm_backward(d, x_hat, inv_std, gamma)
    out, own_inv_std = np.empty_like(x), np.empty_like(gamma)
    statistics = {"running_mean": mean, "running_var": var}
    by_columns(
        batchnorm.batchnorm_forward,
        dtype,
        {"x": x, "out": out, "gamma": gamma, "beta": beta, **statistics}
        | {"mean": np.empty_like(gamma), "inv_std": own_inv_std},
        ld=COLUMNS,
        momentum=0.1,
        epsilon=1e-5,
    )
    assert_close(out, expected)
    assert_close(x, x_hat)
    assert_close(mean, kept_mean)
    assert_close(var, kept_var)
    d_gamma, d_beta = np.empty_like(gamma), np.empty_like(gamma)
    by_columns(
        batchnorm.batchnorm_backward,
        dtype,
        {"d": d, "x_hat": x, "gamma": gamma, "inv_std": own_inv_std}
        | {"d_gamma": d_gamma, "d_beta": d_beta},
        ld=COLUMNS,
    )
    for actual, wanted in zip((d, d_gamma, d_beta), expected_d, strict=True):
        assert_close(actual / 8, wanted / 8)


@BOTH
def test_dense(dtype: np.dtype) -> None:
    inputs = 9
    x, weight, bias = draw(dtype, ROWS, inputs), draw(dtype, inputs, COLUMNS), draw(dtype, COLUMNS)
    z, d_weight, d_bias = np.empty((ROWS, COLUMNS), dtype), np.empty_like(weight), bias.copy()
    d_z = draw(dtype, ROWS, COLUMNS)
    by_columns(
        dense.dense_forward,
        dtype,
        {"weight": weight, "bias": bias, "z": z},
        x=x,
        ld_x=inputs,
        ld_weight=COLUMNS,
        ld_z=COLUMNS,
        inputs=inputs,
        accumulate=0,
    )
    assert_close(z, x @ weight + bias)
    by_columns(
        dense.dense_backward_weight,
        dtype,
        {"d_z": d_z, "d_weight": d_weight, "d_bias": d_bias},
        x=x,
        ld_x=inputs,
        ld_weight=COLUMNS,
        ld_z=COLUMNS,
        inputs=inputs,
    )
    assert_close(d_weight, x.T @ d_z)
    assert_close(d_bias, d_z.sum(axis=0))
    d_x = np.ones((ROWS, inputs), dtype)
    for first, count in ((0, 4), (4, 5)):
        call(
            dense.dense_backward_input,
            dtype,
            ROWS,
            d_z=d_z,
            ld_z=COLUMNS,
            weight=weight[first:],
            ld_weight=COLUMNS,
            d_x=d_x[:, first:],
            ld_x=inputs,
            inputs=count,
            columns=COLUMNS,
            accumulate=1,
        )
    assert_close(d_x, 1.0 + d_z @ weight.T)


@BOTH
def test_dropout(dtype: np.dtype) -> None:
    x, mask = draw(dtype, ROWS, COLUMNS), np.full((ROWS, COLUMNS), np.nan, dtype)
    seed, out = 2**63 + 12345, np.empty((ROWS, COLUMNS), dtype)
    expected_out, expected = reference.dropout_forward(x, 0.4, seed, 11, 3)
    words = {"threshold": int(0.4 * 2**32), "seed_low": seed & 0xFFFFFFFF, "seed_high": seed >> 32}
    by_columns(
        dropout.dropout_mask, dtype, {"mask": mask}, ld=COLUMNS, layer=3, keep=0.6, step=11, **words
    )
    by_columns(dropout.apply_mask, dtype, {"x": x, "mask": mask, "out": out}, ld=COLUMNS)
    np.testing.assert_array_equal(mask, expected)
    np.testing.assert_array_equal(out, expected_out)


@BOTH
def test_softmax(dtype: np.dtype) -> None:
    z, d = draw(dtype, ROWS, COLUMNS), draw(dtype, ROWS, COLUMNS)[::-1].copy()
    out = np.empty_like(z)
    expected = reference.activation_forward(z, "softmax")
    expected_d = reference.activation_backward(d, z, expected, "softmax")
    for shard in range(4):
        common = {"ld": COLUMNS, "columns": COLUMNS, "shard": shard, "shards": 4}
        call(softmax.softmax_forward, dtype, ROWS, z=z, out=out, **common)
        call(softmax.softmax_backward, dtype, ROWS, out=out, d=d, **common)
    assert_close(out, expected)
    assert_close(d, expected_d)


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
            elementwise_loss,
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


@BOTH
def test_flat_vectors(dtype: np.dtype) -> None:
    n, cut = 101, 64
    parameters, gradients, m = draw(dtype, 3, n)
    v, mu_product = np.abs(draw(dtype, n)), np.array([0.7])
    own = [array.copy() for array in (parameters, gradients, m, v, mu_product)]
    penalty = reference.add_penalty(parameters, gradients, 0.01, 0.1)
    norm = reference.clip_by_norm(gradients, 1.0)
    constants = {"beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-8, "momentum_decay": 0.004}
    reference.nadam_update(parameters, gradients, m, v, 5, mu_product, 0.1, **constants)

    p, g, own_m, own_v, own_product = own
    parts = new_scalars(4)
    shards = [(shard, slice(*bounds)) for shard, bounds in enumerate(((0, cut), (cut, n)))]
    for shard, s in shards:
        common = {"count": s.stop - s.start, "scalars": parts}
        call(
            add_penalty,
            dtype,
            weight=p[s],
            d_weight=g[s],
            penalty=N_SCALARS + shard,
            l1=0.01,
            l2=0.1,
            **common,
        )
        call(sum_of_squares, dtype, gradients=g[s], total=N_SCALARS + 2 + shard, **common)
    for _, s in shards:
        common = {"count": s.stop - s.start, "scalars": parts, "gradients": g[s]}
        call(clip_by_norm, dtype, totals=N_SCALARS + 2, n_totals=2, limit=1.0, **common)
        moments = {"m": own_m[s], "v": own_v[s], "mu_product": own_product}
        rates = {"rates": np.array([0.1]), "rate_stride": 0}
        call(
            optimizers.nadam_update,
            dtype,
            step=4,
            parameters=p[s],
            **common,
            **moments,
            **rates,
            **constants,
        )
    call(
        optimizers.advance_nadam,
        dtype,
        step=4,
        mu_product=own_product,
        beta_1=0.9,
        momentum_decay=0.004,
    )
    assert parts[N_SCALARS : N_SCALARS + 2].sum() == pytest.approx(penalty, rel=1e-6)
    assert np.sqrt(parts[N_SCALARS + 2 :].sum()) == pytest.approx(norm, rel=1e-6)
    for actual, wanted in zip(own, (parameters, gradients, m, v, mu_product), strict=True):
        assert_close(actual, wanted)


def test_arguments_are_checked_by_name() -> None:
    z = np.zeros((1, 1))
    wrong = "'columns' is missing, 'parameter' is missing, there is no 'colums'"
    with pytest.raises(TypeError, match=wrong):
        call(activations.activation_forward, z.dtype, member="relu", z=z, out=z, ld=1, colums=1)
