"""Where it is installed, and what it writes there: caches that processes share, or none at all."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .. import ROOT
from ..promise import Trial, promise

_FIT = """
import hashlib, json, sys
import numpy as np
import fastmlp as fm

X = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
layers = [fm.Dense(4, "tanh"), fm.Dense(1)]
sys.stdin.readline()
model = fm.Sequential(layers, backend="numba", random_state=0)
model.fit(X, X[:, :1], epochs=2, verbose=0)
print(hashlib.sha256(model.predict(X).tobytes()).hexdigest())
"""


def _process(environment: dict[str, str], *prefix: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*prefix, sys.executable, "-c", _FIT],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _environment(**more: str) -> dict[str, str]:
    paths = os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", "")))
    return {**os.environ, "PYTHONPATH": paths, **more}


@promise(
    "Two processes that compile into one empty cache at once give the same numbers, and what they "
    "leave there is loaded by a third, which gives them too.",
    unit="empty caches",
    full=50,
    quick=1,
)
def one_cache_for_two_processes(folder: Path) -> Iterator[Trial]:
    def trial(number: int) -> str:
        cache = folder / str(number)
        environment = _environment(NUMBA_CACHE_DIR=str(cache))
        both = [_process(environment), _process(environment)]
        for process in both:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        found = [process.communicate() for process in both]
        third, said = _process(environment).communicate("go\n")
        assert {numbers for numbers, _ in found} == {third} != {""}, (found, third, said)
        assert "compiling" not in said, said
        indices = list(cache.rglob("*.nbi"))
        assert indices
        assert [path for path in cache.rglob("*") if path.is_file() and path.suffix == ".tmp"] == []
        return "the same numbers"

    yield trial


# All that this process sees can only be read; it has no home, and nowhere to put a cache.
_READ_ONLY = """
places=$(awk '$3 ~ "^(ext4|xfs|btrfs|overlay|tmpfs)$" && $2 !~ "^/sys" {print $2}' /proc/mounts)
for place in $places; do
    mount --bind "$place" "$place" && mount -o remount,bind,ro "$place" || exit 77
done
exec env -u HOME -u NUMBA_CACHE_DIR -u XDG_CACHE_HOME "$@"
"""


@promise(
    "Where nothing can be written, and there is no home, fits and predictions work all the same; "
    "a warning says that kernels are compiled anew in each process.",
    unit="processes",
    full=3,
    quick=1,
)
def read_only_installations(folder: Path) -> Iterator[Trial]:
    namespace = ("unshare", "--mount", "bash", "-c", _READ_ONLY, "read-only")
    if subprocess.run([*namespace, "true"], capture_output=True).returncode != 0:
        pytest.skip("mounts that can only be read need root")
    written = _process(_environment(NUMBA_CACHE_DIR=str(folder / "cache"))).communicate("go\n")[0]

    def trial(number: int) -> str:
        process = _process(_environment(), *namespace)
        numbers, said = process.communicate("go\n")
        assert process.returncode == 0, said
        assert numbers == written
        assert said.count("cannot be cached") == 1, said
        return "the same numbers"

    yield trial
