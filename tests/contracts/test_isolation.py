"""What is imported when: NumPy alone runs the library, and nothing large comes along unasked."""

from __future__ import annotations

from importlib import import_module

import pytest
from blocked_imports import BLOCKS, output_of
from paths import ROOT

import fastmlp as fm

ALL_OF_IT = """
from pathlib import Path

import numpy as np

import fastmlp as fm

folder = Path({folder!r})
rng = np.random.default_rng(0)
X = rng.normal(size=(40, 4))
labels = np.where(X[:, 0] > 0, "yes", "no")
network = [
    fm.Dense(8, "gelu"),
    fm.BatchNorm(),
    fm.Dropout(0.1),
    fm.Residual([fm.Dense(8, "elu")]),
    fm.Dense(2, "softmax", l2=1e-3),
]
for backend in ("auto", "numpy"):
    model = fm.Sequential(network, backend=backend, random_state=0, optimizer=fm.Adam(0.01))
    history = model.fit(
        X,
        labels,
        epochs=30,
        validation_split=0.25,
        class_weight="balanced",
        callbacks=[fm.EarlyStopping(patience=100)],
        verbose=0,
    )
    assert model.backend == "numpy"
    assert history["loss"][-1] < history["loss"][0]
    assert (model.predict_classes(X) == labels).mean() > 0.8
    model.train_step(X, labels)
    model.gradients(X, labels)
    model.activations(X)
    model.summary()
    model.save(folder / "model")
    loaded = fm.load(folder / "model")
    assert np.array_equal(loaded.predict(X), model.predict(X))
    loaded.fit(X, labels, epochs=1, verbose=2)

predictions = fm.Sequential([fm.Dense(1)], random_state=0).build(4).predict(X)
assert predictions.shape == (40, 1)
assert fm.kernels.available_backends() == ("numpy",)
assert callable(fm.kernels.get_backend("numpy").dense_forward)
"""


@pytest.mark.parametrize("block", BLOCKS)
def test_everything_but_metrics_works_with_numpy_alone(block, tmp_path):
    output_of(BLOCKS[block] + ALL_OF_IT.format(folder=str(tmp_path)))


REFUSALS = """
import numpy as np

import fastmlp as fm


def refused(call, *words):
    try:
        call()
    except ImportError as error:
        for word in words:
            assert word in str(error), (word, str(error))
    else:
        raise AssertionError(f"{words} did not come")


missing = ["'numba' backend needs numba, llvmlite", "install", "'numpy'"]
refused(lambda: fm.Sequential([fm.Dense(1)], backend="numba"), *missing)
refused(lambda: fm.kernels.get_backend("numba"), *missing)
refused(fm.warmup, *missing)

model = fm.Sequential([fm.Dense(1, "sigmoid")], random_state=0)
X, y = np.eye(4), np.array([0, 1, 0, 1])
model.fit(X, y, epochs=1, verbose=0)
before = model.parameters["0.weight"].copy()
assert model.evaluate(X, y)["accuracy"] >= 0
model.save({path!r})
refused(lambda: fm.load({path!r}, backend="numba"), *missing)
assert np.array_equal(model.parameters["0.weight"], before)
"""


@pytest.mark.parametrize("block", BLOCKS)
def test_what_needs_more_says_what_to_install(block, tmp_path):
    output_of(BLOCKS[block] + REFUSALS.replace("{path!r}", repr(str(tmp_path / "model"))))


def test_numpy_runs_where_numba_must_not_compile(tmp_path):
    output_of(ALL_OF_IT.format(folder=str(tmp_path)), NUMBA_DISABLE_JIT="1")
    refusal = """
import fastmlp as fm

for call in (fm.warmup, lambda: fm.kernels.get_backend("numba")):
    try:
        call()
    except ImportError as error:
        assert "NUMBA_DISABLE_JIT=1" in str(error) and "unset it" in str(error), error
    else:
        raise AssertionError("it was not refused")
"""
    output_of(refusal, NUMBA_DISABLE_JIT="1")
    output_of("import fastmlp as fm; fm.kernels.get_backend('numba')", NUMBA_DISABLE_JIT="0")


LARGE = (
    *("numba", "llvmlite", "scipy", "sklearn", "pandas", "matplotlib", "torch", "jax"),
    *("safetensors", "threadpoolctl", "tqdm", "concurrent.futures", "asyncio", "unittest"),
)


def modules_after(code):
    return set(output_of(code + "\nimport sys\nprint(*sys.modules)").split())


def test_import_brings_nothing_large():
    assert modules_after("import fastmlp").isdisjoint(LARGE)


def test_import_of_the_names_brings_nothing_large():
    before = modules_after("import numpy, numpy.random")
    code = "import fastmlp\nfor name in fastmlp.__all__: getattr(fastmlp, name)"
    assert (modules_after(code) - before).isdisjoint(LARGE)


def test_a_fit_with_numpy_brings_nothing_large():
    before = modules_after("import numpy, numpy.random, numpy.linalg")
    code = """
import fastmlp as fm

model = fm.Sequential([fm.Dense(2, "softmax")], backend="numpy")
model.fit([[1.0], [2.0]], [0, 1], epochs=2, validation_split=0.0, verbose=2)
model.predict_classes([[1.0]])
"""
    assert (modules_after(code) - before).isdisjoint(LARGE)


def test_a_compiled_fit_brings_neither_scikit_learn_nor_pandas():
    pytest.importorskip("numba")
    before = modules_after("import numba")
    code = """
import fastmlp as fm

model = fm.Sequential([fm.Dense(2, "softmax")], backend="numba")
model.fit([[1.0], [2.0]], [0, 1], epochs=2, verbose=2)
model.predict_classes([[1.0]])
"""
    new = modules_after(code) - before
    unwanted = ("sklearn", "pandas", "matplotlib", "torch", "jax", "tqdm", "scipy", "threadpoolctl")
    assert new.isdisjoint(unwanted), sorted(new & set(unwanted))


def test_a_compiled_fit_brings_nothing_that_it_has_no_use_for():
    pytest.importorskip("numba")
    code = """
import fastmlp as fm

model = fm.Sequential([fm.Dense(2, "relu"), fm.Dense(2, "softmax")], backend="numba")
model.fit([[1.0], [2.0]], [0, 1], epochs=2, verbose=0)
"""
    # A first one may compile, and what compiles needs more.
    modules_after(code)
    brought = modules_after(code)
    assert "fastmlp.declarations.learning_rate" in brought
    # NumPy 1 brings its masked arrays by itself.
    brought -= modules_after("import numpy")
    unwanted = {
        *("fastmlp.declarations.schedules", "fastmlp.inference", "fastmlp.inspection"),
        *("fastmlp.runners.numpy_runner", "fastmlp.runners.reference_ops"),
        "numpy.ma",
    }
    assert brought.isdisjoint(unwanted), sorted(brought & unwanted)


def test_all_names_resolve_and_are_listed():
    assert len(set(fm.__all__)) == len(fm.__all__)
    for name in fm.__all__:
        assert getattr(fm, name) is not None
    assert set(fm.__all__) <= set(dir(fm))
    assert dir(fm) == sorted(dir(fm))
    namespace = {}
    exec("from fastmlp import *", namespace)
    assert set(fm.__all__) <= set(namespace)


def test_dir_of_a_fresh_import_lists_what_was_not_used_yet():
    names = output_of("import fastmlp\nprint(*dir(fastmlp))").split()
    assert {"Sequential", "Dense", "Adam", "load", "warmup", "kernels", "__version__"} <= set(names)


def test_names_that_there_are_not():
    with pytest.raises(AttributeError, match="module 'fastmlp' has no attribute 'Densse'"):
        _ = fm.Densse
    assert not hasattr(fm, "__path_to_nowhere__")
    with pytest.raises(ImportError, match="Densse"):
        exec("from fastmlp import Densse")


def test_type_checkers_see_the_same_names():
    """The names that are imported when used are written down a second time for them."""
    text = (ROOT / "fastmlp/__init__.py").read_text(encoding="utf-8")
    lines = [line.split() for line in text.splitlines() if line.startswith("    from .")]
    typed = {words[-1] for words in lines if "*" not in words}
    for words in lines:
        if "*" in words:
            typed |= set(import_module(f"fastmlp{words[1]}").__all__)
    assert typed == (set(fm.__all__) | ESTIMATORS) - {"__version__"}


# Not among ``__all__``: a star would import scikit-learn.
ESTIMATORS = {"MLPClassifier", "MLPRegressor", "TabularClassifier", "TabularRegressor"}


def test_estimators_are_there_where_scikit_learn_is():
    assert set(dir(fm)) >= ESTIMATORS
    assert ESTIMATORS.isdisjoint(fm.__all__)
    code = """
import sys

import fastmlp

assert "sklearn" not in sys.modules
sys.modules["sklearn"] = None
for name in ("MLPClassifier", "TabularClassifier", "TabularRegressor"):
    try:
        getattr(fastmlp, name)
    except ImportError as error:
        print(error)
"""
    told = "this needs scikit-learn, which is not installed: pip install"
    assert output_of(code).count(told) == 3


@pytest.mark.parametrize("option", ["-O", "-OO", "-I"])
def test_other_modes_of_python(option):
    code = f"""
import sys

sys.path.insert(0, {str(ROOT)!r})
import fastmlp as fm

model = fm.Sequential([fm.Dense(1)], backend="numpy", random_state=0)
model.fit([[1.0], [2.0]], [1.0, 2.0], verbose=0)
try:
    model.predict([[1.0, 2.0]])
except ValueError:
    print("refused")
"""
    assert output_of(code, option) == "refused\n"
