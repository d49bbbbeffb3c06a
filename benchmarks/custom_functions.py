"""Registered functions beside kernels of one formula: ``python -m benchmarks.custom_functions``.

Each built-in activation and loss is registered once more as users would write it, and both are
called on the same arrays, in turns, on one thread.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Iterator
from itertools import chain
from statistics import median
from typing import Any

import numpy as np

import fastmlp as fm
from fastmlp.kernels import get_backend

from .shared.rounds import interleaved

_SHAPE = (256, 256)
_SECONDS = 0.02

exp, tanh, erf, log1p = fm.math.exp, fm.math.tanh, fm.math.erf, fm.math.log1p


ACTIVATIONS: dict[str, tuple[Callable[[float], Any], Callable[..., Any]]] = {
    "relu": (lambda z: z if z > 0 else 0, lambda z: 1 if z > 0 else 0),
    "leaky_relu": (lambda z: z if z > 0 else 0.01 * z, lambda z: 1 if z > 0 else 0.01),
    "sigmoid": (lambda z: 1 / (1 + exp(-z)), lambda z, out: out * (1 - out)),
    "tanh": (lambda z: tanh(z), lambda z, out: 1 - out * out),
    "silu": (
        lambda z: z / (1 + exp(-z)),
        lambda z: (1 + z * (1 - 1 / (1 + exp(-z)))) / (1 + exp(-z)),
    ),
    "gelu": (
        lambda z: 0.5 * z * (1 + erf(0.7071067811865476 * z)),
        lambda z: (
            0.5 * (1 + erf(0.7071067811865476 * z)) + 0.3989422804014327 * z * exp(-0.5 * z * z)
        ),
    ),
    "softplus": (
        lambda z: max(z, 0) + log1p(exp(-abs(z))),
        lambda z: 1 / (1 + exp(-z)),
    ),
}

LOSSES: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "mean_squared_error": (lambda p, y: (p - y) * (p - y), lambda p, y: 2 * (p - y)),
    "huber_loss": (
        lambda p, y: 0.5 * (p - y) * (p - y) if abs(p - y) <= 1 else abs(p - y) - 0.5,
        lambda p, y: max(min(p - y, 1), -1),
    ),
    "sigmoid_cross_entropy": (
        lambda p, y: max(p, 0) - p * y + log1p(exp(-abs(p))),
        lambda p, y: 1 / (1 + exp(-p)) - y,
    ),
}


def _repeated(function: Callable[..., Any], *given: Any, **named: Any) -> Callable[[int], None]:
    def run(count: int) -> None:
        for _ in range(count):
            function(*given, **named)

    return run


def _compare(
    own: Callable[[int], None], built_in: Callable[[int], None], rounds: int
) -> tuple[float, float]:
    """Median microseconds of the built-in, and the median ratio of the registered one to it."""
    found = interleaved({"own": own, "built in": built_in}, rounds, _SECONDS)
    ratios = [a / b for a, b in zip(found["own"], found["built in"], strict=True)]
    return 1e6 * median(found["built in"]), median(ratios)


def activations(dtype: str, rounds: int) -> Iterator[tuple[str, str, float, float]]:
    """Name, direction, microseconds of the built-in and the ratio, of each activation."""
    kernels = get_backend("numba")
    z, d = np.random.default_rng(0).normal(size=(2, *_SHAPE)).astype(dtype)
    result = np.empty_like(z)
    for name, functions in ACTIVATIONS.items():
        own = f"own_{name}"
        fm.register_activation(own, *functions)
        out = kernels.activation_forward(z, name)
        np.testing.assert_allclose(kernels.activation_forward(z, own), out, rtol=1e-4, atol=1e-5)
        forward = [
            _repeated(kernels.activation_forward, z, activation, out=result)
            for activation in (own, name)
        ]
        yield name, "forward", *_compare(*forward, rounds)
        slopes = [kernels.activation_backward(d, z, out, which) for which in (own, name)]
        np.testing.assert_allclose(*slopes, rtol=1e-4, atol=1e-5)
        backward = [
            _repeated(kernels.activation_backward, d, z, out, activation, d_z=result)
            for activation in (own, name)
        ]
        yield name, "backward", *_compare(*backward, rounds)


def losses(dtype: str, rounds: int) -> Iterator[tuple[str, str, float, float]]:
    """The same of each loss with its gradient."""
    kernels = get_backend("numba")
    prediction, y = np.random.default_rng(0).normal(size=(2, *_SHAPE)).astype(dtype)
    result = np.empty_like(y)
    for name, functions in LOSSES.items():
        own = f"own_{name}"
        fm.register_loss(own, *functions)
        kernel = getattr(kernels, name)
        found = kernels.custom_loss(prediction, y, None, own)[0]
        np.testing.assert_allclose(found, kernel(prediction, y)[0], rtol=1e-4)
        gradient = "d_logits" if name == "sigmoid_cross_entropy" else "d_prediction"
        registered = _repeated(kernels.custom_loss, prediction, y, None, own, d_prediction=result)
        built_in = _repeated(kernel, prediction, y, **{gradient: result})
        yield name, "both", *_compare(registered, built_in, rounds)


def main(argv: list[str] | None = None) -> None:
    """Print a table of the ratios."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.custom_functions",
        description="Registered activations and losses beside the built-in ones of one formula.",
    )
    parser.add_argument("--rounds", type=int, default=15, metavar="N")
    arguments = parser.parse_args(argv)
    warnings.simplefilter("ignore", UserWarning)
    print("| function | dtype | direction | built in, us | registered, times that |")
    print("| --- | --- | --- | --- | --- |")
    for dtype in ("float32", "float64"):
        rows = chain(activations(dtype, arguments.rounds), losses(dtype, arguments.rounds))
        for name, direction, time, ratio in rows:
            print(f"| {name} | {dtype} | {direction} | {time:.3g} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
