"""What a fit allocates beside X: no copy of X, of its parts, or of y where it can be read as is."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.kernels import available_backends
from fastmlp.kernels.typing import Array

BACKENDS = available_backends()
ROWS = 400_000
# Of each row: where it stands in the epoch.
ORDER = 8
# What does not grow with the rows: the workspace of a batch, Python; a block for validation.
FIXED, BLOCK = 1_300_000, 1_000_000


def model_for(y: Array, backend: str, hidden: int = 2) -> fm.Sequential:
    units = 5 if y.ndim == 2 or y.dtype.kind in "iU" else 1
    layers = [fm.Dense(hidden, "relu"), fm.Dense(units, "softmax" if units > 1 else "linear")]
    return fm.Sequential(layers, backend=backend, random_state=0)


def rows_of_x(rows: int, columns: int = 4) -> Array:
    return np.random.default_rng(0).standard_normal((rows, columns), dtype=np.float32)


def targets(kind: str, rows: int) -> Array:
    codes = np.arange(rows) % 5
    if kind == "one-hot":
        return np.eye(5, dtype=np.float32)[codes]
    if kind == "strings":
        return np.array(["a", "b", "c", "d", "e"])[codes]
    return codes.astype(kind)


def peak_of_fit(x: Array, y: Array, backend: str, **arguments: Any) -> int:
    """Bytes that a fit had at most, by a model whose kernels are loaded."""
    few = slice(200)
    weight, given = arguments.get("sample_weight"), arguments.get("validation_data")
    small = dict(arguments)
    if weight is not None:
        small["sample_weight"] = weight[few]
    if given is not None:
        small["validation_data"] = tuple(part[few] for part in given)
    settings = {"epochs": 2, "batch_size": 512, "verbose": 0}
    model_for(y, backend).fit(x[few], y[few], **settings, **small)
    model = model_for(y, backend)
    tracemalloc.start()
    model.fit(x, y, **settings, **arguments)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("kind", "bytes_a_row"),
    [
        ("int64", ORDER),
        ("float32", ORDER),
        ("one-hot", ORDER),
        ("float64", ORDER + 4),
        ("int32", ORDER + 8),
        ("strings", ORDER + 8),
    ],
)
def test_targets_are_copied_only_to_be_converted(kind: str, bytes_a_row: int, backend: str) -> None:
    peak = peak_of_fit(rows_of_x(ROWS), targets(kind, ROWS), backend)
    assert peak < ROWS * bytes_a_row + FIXED


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("arguments", "bytes_a_row"),
    [
        ({"shuffle": False}, 0),
        ({"sample_weight": np.ones(ROWS, np.float32)}, ORDER),
        ({"sample_weight": np.ones(ROWS)}, ORDER + 4),
        ({"class_weight": "balanced"}, ORDER + 4),
        # Beside the rows for training those for validation, and for a while who is which.
        ({"validation_split": 0.2}, ORDER + 2),
        ({"validation_split": 0.2, "shuffle": False}, ORDER + 2),
    ],
    ids=[
        "in order",
        "float32 weights",
        "float64 weights",
        "class weights",
        "split",
        "ordered split",
    ],
)
def test_arguments_take_few_bytes_a_row(
    arguments: dict[str, Any], bytes_a_row: int, backend: str
) -> None:
    peak = peak_of_fit(rows_of_x(ROWS), targets("int64", ROWS), backend, **arguments)
    fixed = FIXED + BLOCK * ("validation_split" in arguments)
    assert peak < ROWS * bytes_a_row + fixed


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("batch_size", [64, 512])
def test_rows_for_validation_are_not_copied(backend: str, batch_size: int) -> None:
    rows, columns = 60_000, 100
    x, y = rows_of_x(rows, columns), targets("float32", rows)
    split = peak_of_fit(x, y, backend, validation_split=0.2)
    data = peak_of_fit(x[:1000], y[:1000], backend, validation_data=(x, y))
    bound = 20 * rows + 2_500_000
    assert bound < 0.2 * x.nbytes
    assert split < bound
    assert data < bound


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_fit_changes_nothing_that_it_is_given(backend: str) -> None:
    rows = 3000
    x, y, weight = rows_of_x(rows), targets("int64", rows), np.ones(rows, np.float32)
    weight[::7] = 0.5
    x_before, y_before, weight_before = x.copy(), y.copy(), weight.copy()
    model_for(y, backend).fit(
        *(x, y),
        sample_weight=weight,
        class_weight={0: 2.0},
        validation_split=0.3,
        epochs=3,
        verbose=0,
    )
    np.testing.assert_array_equal(x, x_before)
    np.testing.assert_array_equal(y, y_before)
    np.testing.assert_array_equal(weight, weight_before)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("split", [0.0, 0.3])
def test_a_read_only_memory_map_trains_like_an_array(
    backend: str, split: float, tmp_path: Path
) -> None:
    rows = 2000
    x, y = rows_of_x(rows), targets("int64", rows)
    weight = np.linspace(0.5, 1.5, rows, dtype=np.float32)
    trained = []
    arrays = [x, y, weight]
    for number, array in enumerate(arrays):
        np.save(tmp_path / f"{number}.npy", array)
    maps = [np.load(tmp_path / f"{number}.npy", mmap_mode="r") for number in range(3)]
    for given in (arrays, maps):
        model = model_for(y, backend)
        model.fit(
            *given[:2],
            sample_weight=given[2],
            validation_split=split,
            validation_data=None if split else tuple(given),
            epochs=2,
            verbose=0,
        )
        trained.append(model)
    for name, expected in trained[0].parameters.items():
        np.testing.assert_array_equal(trained[1].parameters[name], expected)
    assert trained[0].history["val_loss"] == trained[1].history["val_loss"]


# A process that may have as much data as before its fits, and what the fits are allowed: less than
# a quarter of the file.
UNDER_A_LIMIT = """
import re, resource, sys
from pathlib import Path

import numpy as np

import fastmlp as fm

path, backend = sys.argv[1:]
x = np.load(path, mmap_mode="r")
y = np.arange(len(x), dtype=np.float32) % 3

def fit(rows, **arguments):
    model = fm.Sequential([fm.Dense(1)], optimizer="sgd", backend=backend, random_state=0)
    history = model.fit(x[:rows], y[:rows], epochs=1, batch_size=256, verbose=0, **arguments)
    assert np.isfinite(history["loss"][0])

fit(1000, validation_split=0.5)
data = re.search(r"^VmData:\\s+(\\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
limit = 1024 * int(data[1]) + 64 * 2**20 + 16 * len(x)
assert x.nbytes > limit
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
fit(None)
fit(None, validation_split=0.2)
fit(1000, validation_data=(x, y))
try:
    x[: len(x) // 4].copy()
except MemoryError:
    print("trained")
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits what is mapped")
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_file_larger_than_the_memory_trains(backend: str, tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    # Sparse: nothing of it is on the disk.
    np.lib.format.open_memmap(path, "w+", np.float32, (500_000, 256)).flush()
    environment = {**os.environ, "PYTHONPATH": str(Path(fm.__file__).parent.parent)}
    done = subprocess.run(
        [sys.executable, "-c", UNDER_A_LIMIT, str(path), backend],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "trained\n", done.stderr
