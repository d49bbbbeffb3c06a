"""The same numbers every time: a seed, versions and a machine, and nothing else."""

from __future__ import annotations

import ast
import multiprocessing
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from .. import ROOT
from ..children.numbers import at_once, digests
from ..promise import Trial, promise

_NUMBERS, _SWITCH = ("1", "2", "5", "16"), ("TRUE", "FALSE")
# Of other libraries' threads and instructions, on none of which what is promised may depend.
_VARIABLES = {
    "OMP_NUM_THREADS": _NUMBERS,
    "OPENBLAS_NUM_THREADS": _NUMBERS,
    "MKL_NUM_THREADS": _NUMBERS,
    "OMP_DYNAMIC": _SWITCH,
    "MKL_DYNAMIC": _SWITCH,
    "OMP_WAIT_POLICY": ("ACTIVE", "PASSIVE"),
    "OPENBLAS_CORETYPE": ("Prescott", "Haswell", "SkylakeX", "Zen"),
    "MKL_CBWR": ("COMPATIBLE", "AVX2"),
    "LOKY_MAX_CPU_COUNT": ("1", "2", "4"),
    "PYTHONHASHSEED": ("0", "1", "12345"),
    "PYTHONMALLOC": ("malloc", "pymalloc"),
    "MALLOC_ARENA_MAX": ("1", "8"),
    "LC_ALL": ("C", "C.UTF-8"),
}
_WAYS = ("variables", "spawn", "fork", "loky", "threads at once")


def _child(*arguments: str, **variables: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak.children.numbers", *arguments],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return ast.literal_eval(done.stdout)


@contextmanager
def _busy(processes: int) -> Iterator[None]:
    """Others that want the cores."""
    command = [sys.executable, "-c", "while True: pass"]
    others = [subprocess.Popen(command) for _ in range(processes)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


@promise(
    "With the backend numba a seed gives the same bits for any number of threads, under any load "
    "and any variable of OpenMP, OpenBLAS, MKL and Python, in processes by spawn, fork and loky, "
    "and in 16 threads that fit and predict at once.",
    unit="surroundings",
    full=300,
    quick=5,
)
def same_numbers(folder: Path) -> Iterator[Trial]:
    expected = digests()

    def trial(number: int) -> str:
        rng = random.Random(number)
        way = _WAYS[number // 60]
        n_threads = rng.choice(["auto", 1, 2, 3, 4])
        if way == "variables":
            names = rng.sample(sorted(_VARIABLES), 5)
            variables = {name: rng.choice(_VARIABLES[name]) for name in names}
            with _busy(rng.choice([0, 0, 3])):
                assert _child("fit", str(n_threads), **variables) == expected, variables
        elif way == "loky":
            found = Parallel(2, backend="loky")(delayed(digests)(n_threads) for _ in range(2))
            assert found == [expected] * 2
        elif way == "threads at once":
            assert at_once(16) == [digests(1, seed) for seed in range(16)]
        else:
            with multiprocessing.get_context(way).Pool(1) as pool:
                assert pool.apply(digests, (n_threads,)) == expected
        return way

    yield trial


# What a compiler may know of a processor: its vectors are of 16, 32 or 64 bytes.
_PROCESSORS = {
    "haswell": "+avx,+avx2,+fma",
    "nehalem": "+sse4.2",
    "skylake-avx512": "+avx,+avx2,+fma,+avx512f,+avx512dq,+avx512bw,+avx512vl,+avx512cd",
}
_CLOSE = {"float32": 1e-5, "float64": 1e-13}


@promise(
    "Across processors results agree to rounding: of a short fit to 1e-5 in float32 and to 1e-13 "
    "in float64, relative to the largest number of an array.",
    unit="processors and dtypes",
    full=6,
    quick=1,
)
def other_processors(folder: Path) -> Iterator[Trial]:
    from llvmlite.binding import get_host_cpu_features

    has = get_host_cpu_features()

    def trial(number: int) -> str:
        processor = list(_PROCESSORS)[number // 2]
        dtype, features = ("float32", "float64")[number % 2], _PROCESSORS[processor]
        if not all(has.get(feature[1:]) for feature in features.split(",")):
            return f"not on this machine: {processor}"
        found = []
        for name, variables in (
            ("here", {}),
            (processor, {"NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": features}),
        ):
            path, cache = folder / f"{number}.{name}.npz", folder / name
            cache.mkdir(exist_ok=True)
            environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache), **variables}
            command = [sys.executable, "-m", "tests.soak.children.numbers", "small", dtype]
            subprocess.run([*command, str(path)], cwd=ROOT, env=environment, check=True)
            with np.load(path) as arrays:
                found.append(dict(arrays))
        here, there = found
        for name, values in here.items():
            most = _CLOSE[dtype] * np.abs(values).max()
            assert np.abs(values - there[name]).max() <= most, name
        same = all(values.tobytes() == there[name].tobytes() for name, values in here.items())
        return "the same bits" if same else "to rounding"

    yield trial
