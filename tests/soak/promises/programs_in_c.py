"""Exported C keeps to its memory, and to what the language defines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from c_harness import run_sanitized
from hypothesis import HealthCheck, Phase, given, seed, settings
from random_predictors import Network, networks

from ..promise import Trial, promise


def drawn(number: int) -> Network:
    """The network of this number."""
    found: list[Network] = []

    @seed(number)
    @settings(
        # The first of all is the simplest there is.
        max_examples=3,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(networks())
    def draw(network: Network) -> None:
        found.append(network)

    draw()
    return found[-1]


@promise(
    "Programs in C read and write within their arrays, read nothing that nobody wrote, and do "
    "nothing that the language leaves undefined, whatever the rows.",
    unit="random networks under ASan, UBSan and MSan",
    full=300,
    quick=2,
)
def programs_in_c(folder: Path) -> Iterator[Trial]:
    def trial(number: int) -> str:
        network = drawn(number)
        dtype = ("float32", "float64")[number % 2]
        rows = network.rows(40, dtype)
        x = np.concatenate(rows, axis=1) if isinstance(rows, tuple) else rows
        wild = np.random.default_rng(number).choice([np.nan, np.inf, -np.inf, 1e30, 0], x.shape)
        x = np.concatenate([x, np.where(np.arange(len(x))[:, None] % 3, x, wild)]).astype(dtype)
        header = folder / f"model_{number}.h"
        network.model(dtype).freeze().export_c(header, prefix="model")
        for compiler in ("gcc", "clang"):
            _, codes = run_sanitized(header, x, dtype=dtype, compiler=compiler)
        assert len(codes) == len(x)
        return "clean"

    yield trial
