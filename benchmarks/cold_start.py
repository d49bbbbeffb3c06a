"""What users wait for before anything is trained, beside the targets.

``python -m benchmarks.cold_start``: imports, the first fit of a process with a filled and with an
empty cache of compiled kernels, what each further kind of operation takes to compile, and the
warm-up. Each number is of new processes. Those that are compared take turns.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable, Mapping
from statistics import median

from .shared.fresh_process import FIRST_FIT, Usage, run_after
from .shared.rounds import conditions, say, table

DTYPES = ("float32", "float64")

# Seconds, of all cores where that is said.
IMPORT = 0.1
WARM_FIT = 0.6
COLD_FIT = 6.0
KIND = 1.5
WARMUP = 120.0
WARMUP_AGAIN = 2.0

_PREPARED = """
import numpy as np
import fastmlp as fm

x = np.random.default_rng(0).standard_normal((640, 20), dtype="{dtype}")
numbers = np.arange(640) % 3


def fit(*layers, out="softmax", units=3, X=x, y=numbers, **arguments):
    layers = [*layers, fm.Dense(units, out)]
    model = fm.Sequential(layers, dtype="{dtype}", backend="numba", **arguments)
    model.fit(X, y, epochs=1, verbose=0)
    return model


hidden = fm.Dense(32, "relu")
fit(hidden).predict(x)
"""

_ACTIVATIONS = (
    *("linear", "leaky_relu", "tanh", "sigmoid", "elu", "selu"),
    *("gelu", "silu", "mish", "softplus", "exp"),
)
_LOSSES = {
    **{name: f'fit(hidden, out="linear", units=1, loss="{name}")' for name in ("mse", "mae")},
    **{
        name: f'fit(hidden, out="linear", units=1, loss="{name}")' for name in ("huber", "quantile")
    },
    "poisson": 'fit(hidden, out="exp", units=1, loss="poisson")',
    "binary_crossentropy": 'fit(hidden, out="sigmoid", units=1, y=numbers == 1)',
}
_OPTIMIZERS = ("SGD", "RMSprop", "AdamW", "AdaGrad", "Nadam", "Ftrl")

KINDS: Mapping[str, str] = {
    **{name: f'fit(fm.Dense(32, "{name}"))' for name in _ACTIVATIONS},
    "softmax, hidden": 'fit(fm.Dense(32, "softmax"))',
    **_LOSSES,
    **{name: f"fit(hidden, optimizer=fm.{name}())" for name in _OPTIMIZERS},
    "SGD with momentum": "fit(hidden, optimizer=fm.SGD(momentum=0.9))",
    "clip_value": "fit(hidden, optimizer=fm.Adam(clip_value=1.0))",
    "clip_norm": "fit(hidden, optimizer=fm.Adam(clip_norm=1.0))",
    "l2": 'fit(fm.Dense(32, "relu", l2=0.01))',
    "BatchNorm": "fit(hidden, fm.BatchNorm())",
    "BatchNorm, also to predict": "fit(hidden, fm.BatchNorm()).predict(x)",
    "Dropout": "fit(hidden, fm.Dropout(0.2))",
    "Residual": 'fit(hidden, fm.Residual([fm.Dense(32, "relu")]))',
    "WideAndDeep": 'fit(fm.WideAndDeep(8, "relu", deep=[hidden], wide=[0, 1]))',
    "X of uint8": "fit(hidden, X=(9 * abs(x)).astype(np.uint8))",
    "X of the other float": 'fit(hidden, X=x.astype("f8" if x.dtype == "f4" else "f4"))',
}
"""Code that uses one kind of operation beyond those of the standard network."""


class Compiling:
    """CPU seconds that kinds of operations take to compile, each in a new process.

    The process has loaded the standard network (dense, relu, softmax, Adam), trained and used. The
    number holds the start of the compiler, 0.3 s.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._filled: dict[str, str] = {}

    def __enter__(self) -> Compiling:
        return self

    def __exit__(self, *exception: object) -> None:
        self._folder.cleanup()

    def cpu_seconds(self, kind: str, dtype: str) -> float:
        prepared = _PREPARED.format(dtype=dtype)
        if dtype not in self._filled:
            self._filled[dtype] = tempfile.mkdtemp(dir=self._folder.name)
            run_after(prepared, "", self._filled[dtype])
        with tempfile.TemporaryDirectory() as cache:
            shutil.copytree(self._filled[dtype], cache, dirs_exist_ok=True)
            return run_after(prepared, KINDS[kind], cache).cpu_seconds


def cold_fit() -> Usage:
    """The first fit with an empty cache, beyond ``import numba``."""
    with tempfile.TemporaryDirectory() as cache:
        return run_after("import numba", FIRST_FIT, cache)


def warm_fit(cache: str) -> Usage:
    """The first fit of a process with a filled cache, beyond ``import numba``."""
    return run_after("import numba", FIRST_FIT, cache)


def imports(code: str) -> Usage:
    """What an import takes beyond ``import numpy``."""
    return run_after("import numpy", code)


def warmup(cache: str) -> Usage:
    """``fm.warmup()``, its worker processes included."""
    return run_after("import numba", "import fastmlp as fm; fm.warmup()", cache)


def warmups() -> tuple[Usage, Usage]:
    """A warm-up with an empty cache, and the next one."""
    with tempfile.TemporaryDirectory() as cache:
        return warmup(cache), warmup(cache)


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cold_start")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default: 5")
    rounds = parser.parse_args().rounds
    print(f"{conditions()}\n")
    say("imports and first fits")
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as cache:
        warm_fit(cache)
        measured: dict[str, Callable[[], float]] = {
            "import": lambda: imports("import fastmlp").seconds,
            "model": lambda: imports("from fastmlp import Sequential").seconds,
            "warm": lambda: warm_fit(cache).seconds,
            "cold": lambda: cold_fit().cpu_seconds,
        }
        for _ in range(rounds):
            for name, measure in measured.items():
                found.setdefault(name, []).append(measure())
    say("warm-up")
    first, again = zip(*(warmups() for _ in range(-(-rounds // 3))), strict=True)
    rows = [
        ("`import fastmlp`, beyond `import numpy`", found["import"], IMPORT),
        ("`from fastmlp import Sequential`, beyond `import numpy`", found["model"], IMPORT),
        ("first fit, filled cache, beyond `import numba`", found["warm"], WARM_FIT),
        ("first fit, empty cache, CPU, beyond `import numba`", found["cold"], COLD_FIT),
        ("warm-up, CPU", [usage.cpu_seconds for usage in first], WARMUP),
        ("warm-up, by the clock", [usage.seconds for usage in first], None),
        ("warm-up, filled cache", [usage.seconds for usage in again], WARMUP_AGAIN),
    ]
    print(table(["seconds", "median", "all", "at most"], [_row(*row) for row in rows]))
    print()
    kinds: dict[str, list[str]] = {}
    with Compiling() as compiling:
        for kind in KINDS:
            say(kind)
            seconds = [
                median(compiling.cpu_seconds(kind, dtype) for _ in range(-(-rounds // 3)))
                for dtype in DTYPES
            ]
            kinds[kind] = [*(f"{value:.2f}" for value in seconds), f"{KIND:g}"]
    head = ["CPU seconds of a further kind", *DTYPES, "at most"]
    print(table(head, [[kind, *values] for kind, values in kinds.items()]))


def _row(name: str, values: list[float], target: float | None) -> list[str]:
    every = ", ".join(f"{value:.3g}" for value in sorted(values))
    return [name, f"{median(values):.3g}", every, "" if target is None else f"{target:g}"]


if __name__ == "__main__":
    main()
