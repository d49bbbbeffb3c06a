"""The on-disk cache: what was edited is compiled again, what was not is only loaded."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
import sys

import pytest
from paths import ROOT

pytest.importorskip("numba")
from numba.core import caching

# Each function that Numba compiles, device functions and its own included, runs through passes.
COUNTING = """
import json
import sys
from numba.core import event

compiled = set()


class Listener(event.Listener):
    def on_start(self, event):
        compiled.add((event.data["module"], event.data["qualname"]))

    def on_end(self, event):
        pass


event.register("numba:run_pass", Listener())


def report(**results):
    print(json.dumps({"compiled": len(compiled), **results}))
    sys.stdout.flush()
"""

PREDICT = """
import fastmlp

model = fastmlp.Sequential([fastmlp.Dense(1, "tanh")], backend="numba").build(2)
model.parameters["0.weight"][...] = 1.0
report(value=float(model.predict([[0.5, 0.25]])[0, 0]))
"""

# An op of its own compiles in less than a second. What it calls is in another module.
HELPER = """
from .machine.options import device


@device
def factor():
    return 2.0
"""
OP = """
from .helper import factor
from .machine.arguments import Pointer
from .machine.intrinsics import cast
from .machine.op import op


@op()
def probe(variant, *, out: Pointer):
    out[0] = cast(variant, factor())
"""
CALL = """
import ctypes

import numpy as np

from fastmlp.kernels.compiled.machine.op import OPS
from fastmlp.kernels.compiled import probe


def call(dtype="float64"):
    out, args = np.zeros(1, dtype), np.zeros(1, dtype=np.int64)
    args[0] = out.ctypes.data
    numbers = [ctypes.c_int64, *[ctypes.c_void_p] * 4]
    function = ctypes.CFUNCTYPE(None, *numbers)(OPS["probe"].address(dtype))
    function(0, args.ctypes.data, 0, 0, 0)
    return float(out[0])
"""
PROBE = CALL + "report(value=call())"


def copy_package(folder):
    """The package's sources in a folder of their own, with an op that calls another module."""
    ignore = shutil.ignore_patterns("__pycache__")
    for name in ("fastmlp", "kernels"):
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignore)
    (folder / "kernels/compiled/helper.py").write_text(HELPER, encoding="utf-8")
    (folder / "kernels/compiled/probe.py").write_text(OP, encoding="utf-8")
    return folder


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    changed, count = re.subn(old, new, text)
    assert count == 1, f"{old!r} is {count} times in {path.name}"
    path.write_text(changed, encoding="utf-8")


def start(folder, code, cache, **environment):
    # Bytecode is tied to its source by seconds and size, and edits here keep both.
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",
        "NUMBA_CACHE_DIR": str(cache),
        **environment,
    }
    return subprocess.run(
        [sys.executable, "-W", "default", "-c", COUNTING + code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


def run(folder, code, cache, **environment):
    finished = start(folder, code, cache, **environment)
    assert finished.returncode == 0, finished.stderr
    return {**json.loads(finished.stdout), "warnings": finished.stderr}


@pytest.fixture
def package(tmp_path):
    return copy_package(tmp_path / "package")


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def test_what_was_not_edited_is_loaded(package, cache):
    before = sorted(package.rglob("*"))
    first, second = run(package, PROBE, cache), run(package, PROBE, cache)
    assert first["compiled"] > 0
    assert second["compiled"] == 0
    assert first["value"] == second["value"] == 2.0
    assert first["warnings"] == second["warnings"] == ""
    assert sorted(package.rglob("*")) == before
    with (package / "fastmlp/model/sequential.py").open("a", encoding="utf-8") as file:
        file.write("\n# a remark\n")
    # Older releases of Numba take sources of another time for others.
    if hasattr(caching, "_hash_source_file"):
        for path in (package / "kernels").rglob("*.py"):
            os.utime(path, (10**9, 10**9))
    assert run(package, PROBE, cache)["compiled"] == 0


def test_loading_does_not_set_up_the_compiler(package, cache):
    """Except in versions of Numba newer than those that this was tried with."""
    code = (
        CALL
        + """
from fastmlp.kernels.compiled.machine.cache import _LOADS_ALONE

value = call()
report(value=value, set_up="numba.np.arraymath" in sys.modules, set_up_first=not _LOADS_ALONE)
"""
    )
    first, second = run(package, code, cache), run(package, code, cache)
    assert first["set_up"]
    assert second["set_up"] == second["set_up_first"]


def test_an_edit_of_another_module_is_seen(package, cache):
    assert run(package, PROBE, cache)["value"] == 2.0
    edit(package / "kernels/compiled/helper.py", "return 2.0", "return 3.0")
    edited = run(package, PROBE, cache)
    assert edited["compiled"] > 0
    assert edited["value"] == 3.0
    assert run(package, PROBE, cache)["compiled"] == 0
    edit(package / "kernels/compiled/helper.py", "return 3.0", "return 2.0")
    assert run(package, PROBE, cache)["value"] == 2.0


@pytest.mark.parametrize("where", ["an option", "a new module"])
def test_an_edit_that_no_kernel_names_compiles_again(where, package, cache):
    run(package, PROBE, cache)
    if where == "an option":
        options = package / "kernels/compiled/machine/options.py"
        edit(options, '"boundscheck": False', '"boundscheck": True')
    else:
        (package / "kernels/reference/another.py").write_text("", encoding="utf-8")
    edited = run(package, PROBE, cache)
    assert edited["compiled"] > 0
    assert edited["value"] == 2.0


@pytest.mark.parametrize(
    "name",
    ["custom.py", "formats.py", "reference/math.py", "compiled/dense.py", "compiled/ops/rows.py"],
)
def test_an_edit_of_any_source_of_the_kernels_compiles_again(name, package, cache):
    run(package, PROBE, cache)
    with (package / "kernels" / name).open("a", encoding="utf-8") as file:
        file.write("\n# a remark\n")
    assert run(package, PROBE, cache)["compiled"] > 0


def test_a_moved_package_runs_its_own_kernels(package, cache, tmp_path):
    run(package, PROBE, cache)
    moved = package.rename(tmp_path / "moved")
    assert run(moved, PROBE, cache)["value"] == 2.0
    edit(moved / "kernels/compiled/helper.py", "return 2.0", "return 3.0")
    copy_package(package)
    assert run(moved, PROBE, cache)["value"] == 3.0
    assert run(package, PROBE, cache)["value"] == 2.0


def test_an_edit_while_a_process_runs_does_not_reach_the_cache(package, cache):
    """The process holds the old text; what it compiles later must not pass for the new one."""
    helper = package / "kernels/compiled/helper.py"
    code = f"""
from pathlib import Path

helper = Path({str(helper)!r})
helper.write_text(helper.read_text().replace("2.0", "3.0"))
report(value=call())
"""
    assert run(package, CALL + code, cache)["value"] == 2.0
    assert run(package, PROBE, cache)["value"] == 3.0


def test_an_edited_kernel_predicts_otherwise(package, cache):
    """The same with the network's own kernels: here exp takes the name of tanh."""
    first, second = run(package, PREDICT, cache), run(package, PREDICT, cache)
    assert first["compiled"] > 0
    assert second["compiled"] == 0
    assert first["value"] == second["value"] == pytest.approx(math.tanh(0.75), rel=1e-6)
    edit(
        package / "kernels/compiled/machine/math.py",
        r"_register\(tanh, \w+\)",
        "_register(tanh, _emit_exp)",
    )
    edited = run(package, PREDICT, cache)
    assert edited["compiled"] > 0
    assert edited["value"] == pytest.approx(math.exp(0.75), rel=1e-6)


def test_without_a_folder_to_write_everything_works_with_one_warning(package, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder can be made below a file", encoding="utf-8")
    # Numba's other places: beside the source, and the user's cache folder.
    (package / "kernels/compiled/__pycache__").write_text("", encoding="utf-8")
    home = str(blocked / "home")
    code = CALL + "report(value=call(), other=call('float32'))"
    finished = run(package, code, blocked / "cache", HOME=home, XDG_CACHE_HOME=home)
    assert finished["value"] == finished["other"] == 2.0
    assert finished["compiled"] > 0
    assert finished["warnings"].count("Warning") == 1
    assert "cannot be cached" in finished["warnings"]
    assert "Set NUMBA_CACHE_DIR to a folder that can be written" in finished["warnings"]


@pytest.mark.parametrize(("pattern", "content"), [("*.nbi", b""), ("*.nbc", b"no pickle")])
def test_damaged_files_of_the_cache_are_compiled_again(pattern, content, package, cache):
    """A full disk or a machine that went down leaves such files."""
    run(package, PROBE, cache)
    damaged = list(cache.rglob(pattern))
    assert damaged
    for path in damaged:
        path.write_bytes(content)
    finished = run(package, PROBE, cache)
    assert finished["compiled"] > 0
    assert finished["value"] == 2.0


def test_threads_that_name_an_op_at_once_share_it(package, cache):
    """A callback that is replaced may be freed while another thread holds its address."""
    code = """
from concurrent.futures import ThreadPoolExecutor

with ThreadPoolExecutor(4) as pool:
    found = list(pool.map(lambda _: OPS["probe"].compiled("float64"), range(8)))
report(different=len(set(map(id, found))), value=call())
"""
    assert run(package, CALL + code, cache)["different"] == 1


def test_processes_that_compile_at_once_agree(package, cache):
    environment = {
        **os.environ,
        "PYTHONPATH": str(package),
        "PYTHONDONTWRITEBYTECODE": "1",
        "NUMBA_CACHE_DIR": str(cache),
    }
    code = COUNTING + CALL + "report(values=[call('float32'), call('float64')])"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=package,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        output, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        assert json.loads(output)["values"] == [2.0, 2.0]
    again = run(package, CALL + "report(values=[call('float32'), call('float64')])", cache)
    assert again["values"] == [2.0, 2.0]
    assert again["compiled"] == 0


USE = """
import importlib.util

import numpy as np

import fastmlp as fm

activations = "relu leaky_relu tanh sigmoid softmax linear elu selu gelu silu mish softplus exp"
losses = {
    "linear": ["mse", "half_squared_error", "mae", "huber", "quantile"],
    "exp": ["poisson", "poisson_deviance", "mse"],
    "softplus": ["poisson"],
    "sigmoid": ["bce", "mse", "mae", "huber"],
    "softmax": ["cce", fm.CategoricalCrossentropy(label_smoothing=0.1)],
}
optimizers = [
    fm.SGD(),
    fm.SGD(momentum=0.9, nesterov=True),
    fm.RMSprop(),
    fm.Adam(fm.OneCycle(0.01, 2)),
    fm.AdamW(clip_norm=1.0),
    fm.AdaGrad(clip_value=0.5),
    fm.Nadam(fm.ExponentialDecay(0.01, 0.9)),
    fm.Ftrl(),
]
rng = np.random.default_rng(0)
x = rng.integers(0, 200, (10, 4))
y = np.arange(10) % 2
kinds = {
    "float32": x.astype(np.float32),
    "float64": x.astype(np.float64),
    "uint8": x.astype(np.uint8),
    "integers": x,
    "booleans": x > 100,
    "half": x.astype(np.float16),
    "list": x.tolist(),
    "strided": np.repeat(x.astype(np.float32), 2, axis=1)[:, ::2],
    "columns first": np.asfortranarray(x, np.float64),
}
network = [
    fm.Dense(20, "relu", l1=0.01, l2=0.01),
    fm.BatchNorm(),
    fm.Dropout(0.2),
    fm.Residual([fm.Dense(4, use_bias=False), fm.Activation("tanh")], shortcut=[fm.Dense(4)]),
    fm.Residual([fm.Dense(4)]),
    fm.WideAndDeep(3, "softmax", deep=[fm.Dense(2, "gelu")], wide=[0, 2]),
]
# Metrics are scikit-learn's.
evaluates = importlib.util.find_spec("sklearn") is not None
sparse = importlib.util.find_spec("scipy") is not None
if sparse:
    from scipy.sparse import csr_array


def use(model, x, y, **arguments):
    model.fit(x, y, epochs=2, batch_size=4, verbose=0, **arguments)
    model.train_step(x, y)
    model.predict(x)
    model.predict(tuple(part[:1] for part in x) if isinstance(x, tuple) else x[:1])
    for training in (True, False):
        model.gradients(x, y, training=training)
        model.activations(x, training=training)
    if evaluates:
        model.evaluate(x, y)
    predictor = model.freeze()
    predictor(x)
    predictor(tuple(part[0] for part in x) if isinstance(x, tuple) else x[0])


for dtype in ("float32", "float64"):
    scaled = kinds[dtype] / 200
    for kind, given in kinds.items():
        model = fm.Sequential(network, dtype=dtype, backend="numba", n_threads=2)
        use(model, given, np.arange(10) % 3, validation_split=0.3, class_weight="balanced")
        use(model, given, np.arange(10) % 3, sample_weight=np.arange(10), shuffle=False)
        model.predict_classes(given)
    # A BatchNorm with no Dense beside it.
    use(
        fm.Sequential(
            [fm.Dense(4, "relu"), fm.BatchNorm(), fm.Activation("tanh")],
            dtype=dtype,
            backend="numba",
        ),
        scaled,
        scaled,
    )
    use(model, kinds["float32"], np.eye(3)[np.arange(10) % 3])
    # What quasi-Newton solvers ask for.
    model = fm.Sequential([fm.Dense(1)], dtype=dtype, backend="numba").build(4)
    objective = model.runner.objective(scaled, np.ones((10, 1), dtype), None)
    objective.evaluate()
    objective.close()
    if evaluates:
        from sklearn.preprocessing import OneHotEncoder

        encoder = OneHotEncoder().fit(x % 2)
        width = len(encoder.get_feature_names_out())
        model = fm.Sequential([fm.Dense(1)], dtype=dtype, backend="numba").build(width)
        model.freeze(scaler=encoder)((x % 2).astype(dtype))
    layers = [fm.Embedding(256, 3, 0), fm.Branch([fm.Dense(3)], []), fm.Dense(1)]
    use(fm.Sequential(layers, dtype=dtype, backend="numba"), x, y)
    for first in (fm.PeriodicEmbedding(), fm.PiecewiseLinearEmbedding(3), fm.Scale()):
        layers = [first, fm.Dense(2), fm.Clip(-1.0, 1.0)]
        use(fm.Sequential(layers, dtype=dtype, backend="numba"), scaled, scaled[:, :2])
    bins = fm.PiecewiseLinearEmbedding(3, edges=[[-1.0, 0.0, 0.5, 1.0]] * 2)
    layers = [fm.Dense(2), bins, fm.Dense(1)]
    use(fm.Sequential(layers, dtype=dtype, backend="numba"), scaled, y)
    for kind in ("float32", "float64", "uint8") if sparse else ():
        for wide_optimizer in (None, "ftrl", "adagrad", "sgd"):
            layers = [fm.WideAndDeep(1, deep=[fm.Dense(2)], wide_optimizer=wide_optimizer)]
            model = fm.Sequential(layers, dtype=dtype, backend="numba")
            use(model, (csr_array(kinds[kind]), scaled), y, shuffle=kind == "uint8")
    for activation in activations.split():
        layers = [fm.Dense(3, activation), fm.Dense(1)]
        use(fm.Sequential(layers, dtype=dtype, backend="numba"), scaled, y)
        if activation != "softmax":
            layers = [fm.Dense(3), fm.ParametricActivation(activation), fm.Dense(1)]
            use(fm.Sequential(layers, dtype=dtype, backend="numba"), scaled, y)
    for activation, names in losses.items():
        for loss in names:
            layers = [fm.Dense(2, activation)]
            target = y if activation == "softmax" else np.stack([y, 1 - y], axis=1)
            use(fm.Sequential(layers, loss=loss, dtype=dtype, backend="numba"), scaled, target)
    for optimizer in optimizers:
        layers = [fm.Dense(40, "relu"), fm.Dense(1)]
        model = fm.Sequential(layers, optimizer=optimizer, dtype=dtype, backend="numba")
        use(model, scaled, y, sample_weight=np.arange(10))

from fastmlp.kernels.compiled.machine.op import OPS
from fastmlp.runners.compiled.all_kernels import all_kernels

report(
    after=sorted(compiled),
    named=[(op.name, *key) for op in OPS.values() for key in op._compiled],
    everything=list(all_kernels()),
)
"""
# What no program names: it is only called as a function, on plain arrays.
FUNCTIONS_ALONE = {"philox_words", "linear"}


@pytest.mark.slow
def test_after_a_warmup_nothing_is_compiled():
    """With the cache of all other tests, so that it is only slow where that is empty.

    The warm-up compiles all that networks of every layer, activation, loss, optimizer and dtype
    name, and nothing else.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    finished = []
    for code in ("import fastmlp\nfastmlp.warmup()", COUNTING + USE):
        command = [sys.executable, "-W", "error", "-c", code]
        finished.append(
            subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900
            )
        )
        assert finished[-1].returncode == 0, finished[-1].stderr
    found = json.loads(finished[-1].stdout)
    assert found["after"] == []
    named = {tuple(kernel) for kernel in found["named"]}
    warmed = {tuple(kernel) for kernel in found["everything"]} - {("run_steps", "", "")}
    assert named <= warmed
    assert {kernel for kernel in warmed - named if FUNCTIONS_ALONE.isdisjoint(kernel)} == set()
