"""JAX: an epoch is one compiled ``lax.scan`` over its batches, in small cases ten epochs are."""

from __future__ import annotations

import os
from functools import partial
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

# Epochs of a call, where an epoch is so short that the call shows.
_MANY = 10
# Small steps are faster in sequence: 0.60 in place of 0.72 us at 2-8-8-1, batch 1.
_SMALL = {"xla_cpu_enable_concurrency_optimized_scheduler": False}


def environment(threads: int) -> dict[str, str]:
    """NPROC is the size of XLA's pool of threads."""
    flags = [os.environ.get("XLA_FLAGS", "")]
    flags += ["--xla_cpu_multi_thread_eigen=false"] * (threads == 1)
    return {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": " ".join(flags).strip(), "NPROC": str(threads)}


def refusal(case: Case) -> str | None:
    """JAX does all cases."""
    return None


def variants(case: Case) -> tuple[str, ...]:
    """How parameters are held, how far the scan is unrolled, when rows are gathered, and so on."""
    if case.predicts:
        return BLOCK_VARIANTS
    forms, unrolls = ("tree", "flat"), ("unroll 1", "unroll 4")
    choices = [forms, unrolls, ("gather each step", "gather first")]
    if case.is_small:
        choices = [
            forms[::-1],
            unrolls[::-1],
            choices[2],
            (f"{_MANY} epochs a call", "1 epoch a call"),
        ]
    if case.dropout:
        choices.append(("rbg", "threefry"))
    return tuple(", ".join(choice) for choice in product(*choices))


class Peer:
    """See `peer.Peer`."""

    def __init__(
        self, case: Case, x: Array, y: Array, layers: list[Layer], variant: str, threads: int
    ) -> None:
        import jax
        import jax.numpy as jnp

        self._case, self._variant, self._first = case, variant, layers
        self._order = np.random.default_rng(7)
        if case.predicts:
            self._predict = jax.jit(partial(_predict, case))
        else:
            self._x = jnp.asarray(x)
            self._y = jnp.asarray(y, dtype=jnp.int32 if case.output == "softmax" else jnp.float32)
            epoch, self._unravel = _make_epoch(case, [layer.trained for layer in layers], variant)

            def epochs(state: Any, orders: Any, x: Any, y: Any) -> Any:
                return jax.lax.scan(lambda state, order: epoch(state, order, x, y), state, orders)

            self._epochs_a_call = _MANY if f"{_MANY} epochs" in variant else 1
            compiled = partial(
                jax.jit, donate_argnums=0, compiler_options=_SMALL if case.is_small else None
            )
            self._epochs, self._epoch = compiled(epochs), compiled(epoch)
        self.reset()
        if not case.predicts and self._epochs_a_call > 1:
            # A first fit may be too short to compile both.
            self.fit(self._epochs_a_call + 1)
            self.reset()

    def reset(self) -> None:
        import jax
        import jax.numpy as jnp

        case, variant = self._case, self._variant
        trained = jax.tree.map(jnp.array, [layer.trained for layer in self._first])
        if case.predicts:
            self._parameters = trained
            return
        if "flat" in variant:
            trained = jax.flatten_util.ravel_pytree(trained)[0]
        self._state = (
            trained,
            jax.tree.map(jnp.zeros_like, trained),
            jax.tree.map(jnp.zeros_like, trained),
            jnp.float32(0),
            jax.tree.map(jnp.array, [layer.running for layer in self._first]),
            jax.random.key(7, impl="unsafe_rbg" if "rbg" in variant else "threefry2x32"),
        )

    def fit(self, epochs: int, shuffle: bool = True) -> None:
        import jax

        losses = []
        many = epochs // self._epochs_a_call if self._epochs_a_call > 1 else 0
        for _ in range(many):
            orders = np.stack([self._next_order(shuffle) for _ in range(self._epochs_a_call)])
            self._state, loss = self._epochs(self._state, orders, self._x, self._y)
            losses.append(loss)
        for _ in range(epochs - many * self._epochs_a_call):
            order = self._next_order(shuffle)
            self._state, loss = self._epoch(self._state, order, self._x, self._y)
            losses.append(loss)
        for array in jax.tree.leaves((self._state[:5], losses)):
            array.block_until_ready()

    def _next_order(self, shuffle: bool) -> Array:
        n_rows = len(self._x)
        order = self._order.permutation(n_rows) if shuffle else np.arange(n_rows)
        return order.astype(np.int32)

    def layers(self) -> list[Layer]:
        trained = self._unravel(self._state[0])
        return [
            Layer.of(map(np.asarray, parameters), map(np.asarray, running))
            for parameters, running in zip(trained, self._state[4], strict=True)
        ]

    def predict(self, x: Array) -> Array:
        out = np.empty((len(x), self._case.widths[-1]), dtype=np.float32)
        for rows in blocks(self._variant, len(x)):
            out[rows] = self._predict(self._parameters, x[rows])
        return out


def _predict(case: Case, trained: Any, x: Any) -> Any:
    import jax

    read, _ = _forward(case, trained, [()] * case.depth, x, None)
    return jax.nn.softmax(read)


def _forward(case: Case, trained: Any, running: Any, x: Any, key: Any) -> tuple[Any, Any]:
    """Training's forward pass and the new running statistics."""
    import jax
    import jax.numpy as jnp

    activation = {"relu": jax.nn.relu, "silu": jax.nn.silu}[case.activation]
    n_rows = x.shape[0]
    new_running = []
    h = x
    for number, (parameters, statistics) in enumerate(zip(trained, running, strict=True)):
        z = h @ parameters[0]
        if case.has_bias(number):
            z = z + parameters[1]
        else:
            mean, variance = z.mean(axis=0), z.var(axis=0)
            z = (z - mean) * jax.lax.rsqrt(variance + BATCH_NORM_EPSILON)
            z = z * parameters[1] + parameters[2]
            keep, share = 1 - BATCH_NORM_MOMENTUM, BATCH_NORM_MOMENTUM
            unbiased = variance * (n_rows / (n_rows - 1))
            statistics = (
                keep * statistics[0] + share * mean,
                keep * statistics[1] + share * unbiased,
            )
        new_running.append(statistics)
        if case.is_hidden(number):
            z = activation(z)
            if case.dropout:
                mask = jax.random.bernoulli(
                    jax.random.fold_in(key, number), 1 - case.dropout, z.shape
                )
                z = jnp.where(mask, z / (1 - case.dropout), 0)
        h = h + z if case.adds_input(number) else z
    return h, new_running


def _loss(case: Case, read: Any, y: Any) -> Any:
    import jax
    import jax.numpy as jnp

    if case.output == "softmax":
        log_p = jax.nn.log_softmax(read)
        return -jnp.take_along_axis(log_p, y[:, None], axis=1).mean()
    if case.output == "sigmoid":
        return (jax.nn.softplus(read[:, 0]) - read[:, 0] * y).mean()
    return ((read[:, 0] - y) ** 2).mean()


def _make_epoch(case: Case, trained: Any, variant: str) -> tuple[Any, Any]:
    """An epoch as a function to compile, and what turns its parameters into layers."""
    import jax
    import jax.numpy as jnp
    from jax.flatten_util import ravel_pytree

    unravel = ravel_pytree(trained)[1] if "flat" in variant else lambda parameters: parameters
    unroll = 4 if "unroll 4" in variant else 1
    first = "gather first" in variant

    def batch_loss(parameters: Any, running: Any, x: Any, y: Any, key: Any) -> Any:
        read, running = _forward(case, unravel(parameters), running, x, key)
        return _loss(case, read, y), running

    def update(rate: Any, root: Any, p: Any, m: Any, v: Any, g: Any) -> Any:
        m = BETA_1 * m + (1 - BETA_1) * g
        v = BETA_2 * v + (1 - BETA_2) * g * g
        return p - rate * m / (jnp.sqrt(v) / root + EPSILON), m, v

    def step(state: Any, x: Any, y: Any) -> Any:
        p, m, v, t, running, key = state
        step_key = None
        if case.dropout:
            key, step_key = jax.random.split(key)
        (loss, running), g = jax.value_and_grad(batch_loss, has_aux=True)(
            p, running, x, y, step_key
        )
        t = t + 1
        rate = LEARNING_RATE / (1 - BETA_1**t)
        root = jnp.sqrt(1 - BETA_2**t)
        updated = jax.tree.map(partial(update, rate, root), p, m, v, g)
        p, m, v = jax.tree.transpose(jax.tree.structure(p), jax.tree.structure((0, 0, 0)), updated)
        return (p, m, v, t, running, key), loss

    def epoch(state: Any, order: Any, x: Any, y: Any) -> Any:
        n_full = len(order) // case.batch
        full, rest = order[: n_full * case.batch], order[n_full * case.batch :]

        def gathered(state: Any, rows: Any) -> Any:
            return step(state, x[rows], y[rows])

        def given(state: Any, batch: Any) -> Any:
            return step(state, *batch)

        rows = full.reshape(n_full, case.batch)
        if first:
            state, losses = jax.lax.scan(given, state, (x[rows], y[rows]), unroll=unroll)
        else:
            state, losses = jax.lax.scan(gathered, state, rows, unroll=unroll)
        loss = losses.sum() * case.batch
        if len(rest):
            state, last = gathered(state, rest)
            loss = loss + last * len(rest)
        return state, loss / len(order)

    return epoch, unravel
