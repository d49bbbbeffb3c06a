"""What calls of everything public are made of: data, networks, and a table of the calls by name.

Data are harsh on purpose: subnormal and large numbers, units that saturate, so that arithmetic
overflows and underflows on the way where it can.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

import fastmlp as fm
from fastmlp.kernels import available_backends

Array = np.ndarray
Call = Callable[[Path], Any]

CALLS: dict[str, Call] = {}
BACKENDS = available_backends()
N, WIDTH = 60, 5
_RNG = np.random.default_rng(0)
# Squares of the first column underflow, units that read the last one saturate.
X = (_RNG.normal(size=(N, WIDTH)) * [1e-30, 1.0, 0.1, 1.0, 300.0]).astype("f4")
X[:3, 0] = [1e-42, -1e-40, 0.0]
with np.errstate(all="ignore"):
    NEAR = X / 300
    HALF = NEAR.astype("f2")
    LONG = X[:1].astype("g") * np.longdouble("1e-4000")
NUMBERS = X[:, 1] - X[:, 3] + 1e-30
WORDS = np.array(["low", "mid", "top"])[np.digitize(NUMBERS, [-0.7, 0.7])]
TWO = WORDS == "top"
COLUMNS = np.column_stack([X[:, 1] > 0, X[:, 3] > 0]).astype(int)
WEIGHTS = np.where(np.arange(N) % 7 == 0, 0.0, 10.0 ** _RNG.uniform(-40, 0, N))


def call(function: Callable[..., Any]) -> Callable[..., Any]:
    """Register a call under its name; of one with a backend, a call for each."""
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    for backend in BACKENDS if "backend" in names else ("",):
        given = {"backend": backend} if backend else {}
        CALLS[f"{function.__name__} {backend}".strip()] = functools.partial(function, **given)
    return function


def network(backend: str, last: Any = None, **arguments: Any) -> Any:
    """A network, its labels those of the output; not trained."""
    layers = [
        fm.Dense(8, "tanh", l2=1e-3),
        fm.BatchNorm(),
        fm.Residual([fm.Dense(8, "gelu"), fm.Dropout(0.2)]),
        fm.Branch([fm.Dense(4, "sigmoid")], [fm.Dense(4, "softplus", l1=1e-3)]),
        last or fm.Dense(3, "softmax"),
    ]
    return fm.Sequential(layers, backend=backend, random_state=0, **arguments)


TASKS: dict[str, tuple[Any, Array]] = {
    "multiclass": (fm.Dense(3, "softmax"), WORDS),
    "binary": (fm.Dense(1, "sigmoid"), TWO),
    "multilabel": (fm.Dense(2, "sigmoid"), COLUMNS),
    "regression": (fm.Dense(1), NUMBERS),
}


@functools.cache
def _trained(backend: str, task: str) -> Any:
    last, y = TASKS[task]
    model = network(backend, last)
    model.fit(X, y, epochs=2, batch_size=16, verbose=0)
    # Outputs near 0 and 1, so that logarithms and products of them underflow.
    with np.errstate(all="ignore"):
        model.parameters["4.weight"][...] *= 40.0
    return model


def trained(backend: str, task: str = "multiclass") -> Any:
    """A copy of a trained model, which a call may change."""
    import copy

    return copy.deepcopy(_trained(backend, task))


def files(folder: Path) -> dict[str, bytes]:
    """All files below a folder but pictures and those that hold times."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix not in (".png", ".safetensors")
    }


def without_seconds(history: Any) -> dict[str, Any]:
    return {name: values for name, values in history.to_dict().items() if name != "seconds"}


def said(function: Callable[[], Any]) -> tuple[Any, str, str]:
    """What a function returns and prints."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        result = function()
    return result, out.getvalue(), err.getvalue()
