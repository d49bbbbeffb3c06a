"""Penalties, clipping and updates of a share of a vector."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")

from shares import assert_close, draw

from fastmlp.kernels import numpy as reference
from fastmlp.kernels.compiled.machine.call import call, new_scalars
from fastmlp.kernels.compiled.machine.op import N_SCALARS
from fastmlp.kernels.compiled.ops import gradients as gradient_ops
from fastmlp.kernels.compiled.ops import optimizers

BOTH = pytest.mark.parametrize("dtype", [np.dtype("float32"), np.dtype("float64")], ids=str)


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
            gradient_ops.add_penalty,
            dtype,
            weight=p[s],
            d_weight=g[s],
            penalty=N_SCALARS + shard,
            l1=0.01,
            l2=0.1,
            **common,
        )
        call(
            gradient_ops.sum_of_squares,
            dtype,
            gradients=g[s],
            total=N_SCALARS + 2 + shard,
            **common,
        )
    for _, s in shards:
        common = {"count": s.stop - s.start, "scalars": parts, "gradients": g[s]}
        call(
            gradient_ops.clip_by_norm, dtype, totals=N_SCALARS + 2, n_totals=2, limit=1.0, **common
        )
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
