"""The line on stderr that tells of compiling: when it has to be, once, and before the rest."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from paths import ROOT

pytest.importorskip("numba")

LINE = "fastmlp: compiling kernels for this network takes a few seconds"

FIT = """
import sys

import numpy as np

import fastmlp as fm

x = np.random.default_rng(0).standard_normal((20, 3)).astype(np.float32)


def fit(*layers, verbose=1, **arguments):
    model = fm.Sequential([*layers, fm.Dense(1)], optimizer="sgd", backend="numba", random_state=0)
    model.fit(x, x.sum(axis=1), epochs=1, batch_size=16, verbose=verbose, **arguments)
    return model
"""


def run(code, cache, **environment):
    """Run in a new process; stdout and stderr come as one, in the order of their lines."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "NUMBA_CACHE_DIR": str(cache),
        **environment,
    }
    finished = subprocess.run(
        [sys.executable, "-c", FIT + code],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert finished.returncode == 0, finished.stdout
    return finished.stdout.splitlines()


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A folder with the kernels of the plain network; what a test adds is its own."""
    folder = tmp_path_factory.mktemp("compiling") / "cache"
    line, epoch = run("fit()", folder)
    assert line == (
        f"{LINE}, once: they are kept below {folder} (`fastmlp warmup` compiles all beforehand)"
    )
    assert len({path.parent for path in folder.rglob("*.nbc")}) == 2
    assert epoch.startswith("epoch 1/1  loss")
    return folder


def test_nothing_is_said_of_what_is_loaded(cache):
    (epoch,) = run("fit()", cache)
    assert epoch.startswith("epoch")


def test_a_fit_that_is_silent_says_nothing(cache):
    assert run('fit(fm.Dense(2, "tanh"), verbose=0)', cache) == []


def test_each_fit_tells_once(cache):
    """Of all that it compiles; a fit that compiles nothing, before or after, does not."""
    code = 'fit(verbose=2)\nfit(fm.Dense(2, "gelu"), fm.Dense(2, "silu"))\nfit(fm.Dense(2, "elu"))'
    lines = run(code, cache)
    assert [line.startswith("epoch") for line in lines] == [True, False, True, False, True]
    assert all(line.startswith(LINE) for line in lines if not line.startswith("epoch"))


def test_what_validation_needs_is_compiled_before_the_first_epoch(cache):
    line, epoch = run("fit(validation_data=(x, x.sum(axis=1)))", cache)
    assert line.startswith(LINE)
    assert "val_loss" in epoch
    (epoch,) = run("fit(validation_data=(x, x.sum(axis=1)))", cache)
    assert "val_loss" in epoch


def test_other_calls_say_nothing(cache):
    code = """
model = fit(fm.Dense(2, "softplus"), verbose=0)
model.predict(x)
model.gradients(x, x.sum(axis=1))
model.train_step(x.astype(np.float64), x.sum(axis=1))
"""
    assert run(code, cache) == []


def test_the_line_comes_before_the_progress_bar(cache):
    pytest.importorskip("tqdm")
    code = 'sys.stderr.isatty = lambda: True\nfit(fm.Dense(2, "mish"), validation_split=0.5)'
    line, *bar = run(code, cache)
    assert line.startswith(LINE)
    assert line.endswith("beforehand)")
    assert not any("fastmlp" in part for part in bar)
    assert "100%" in bar[-1]


def test_without_stderr_a_fit_works(cache):
    (epoch,) = run('sys.stderr = None\nfit(fm.Dense(2, "selu"))', cache)
    assert epoch.startswith("epoch")


def test_where_nothing_can_be_kept_that_is_not_said(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder can be made below a file", encoding="utf-8")
    home = str(blocked / "home")
    code = """
from numba.core.caching import InTreeCacheLocator

InTreeCacheLocator.from_function = classmethod(lambda cls, function, file: None)
fit()
"""
    lines = run(code, blocked / "cache", HOME=home, XDG_CACHE_HOME=home)
    assert LINE in lines
    assert not any("kept" in line for line in lines)
    assert sum("CacheWarning: compiled kernels cannot be cached" in line for line in lines) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_full_disk_costs_no_fit(tmp_path):
    code = """
import resource

resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
fit(verbose=0)
"""
    lines = run(code, tmp_path / "cache")
    assert sum("CacheWarning: compiled kernels cannot be cached" in line for line in lines) == 1
    assert any("File too large" in line for line in lines)
