"""No function of the library depends on how its caller has set NumPy, Python or another package.

Nor does one change such a setting. Every public function is called as it would be in a fresh
process, and again under settings that turn each floating-point event and each warning into an
error, shorten what is printed, and change the default types of other packages.
"""

from __future__ import annotations

import decimal
import inspect
import locale
import os
import random
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("torch")

import matplotlib
import pandas
import sklearn
import torch
from matplotlib import pyplot
from paths import ROOT
from public_calls import BACKENDS, CALLS, N, X, network

import fastmlp as fm
from fastmlp import datasets
from fastmlp.common.decimals import shortest
from fastmlp.inspection.explanation import Explanation
from fastmlp.inspection.gradient_check import GradientCheck
from fastmlp.inspection.range_test import RangeTest
from fastmlp.int8.report import QuantizationReport
from fastmlp.kernels import get_backend
from fastmlp.training import metrics

matplotlib.use("Agg")

pytestmark = pytest.mark.filterwarnings(
    # Keras converts PyTorch's tensors in a way that NumPy 2 warns of.
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning",
)

PRINTING: dict[str, Any] = {
    "precision": 2,
    "threshold": 3,
    "edgeitems": 1,
    "linewidth": 20,
    "suppress": True,
    "nanstr": "?",
    "infstr": "!",
    "sign": "+",
    "floatmode": "fixed",
    "formatter": {"all": lambda value: "x"},
}
PICTURES = {"lines.linewidth": 7.0, "image.cmap": "gray", "axes.grid": True, "font.size": 5.0}


@contextmanager
def hostile(legacy: Any = "1.13") -> Iterator[None]:
    """Settings under which code that depends on them fails or gives something else."""
    grad = torch.is_grad_enabled()
    with ExitStack() as stack:
        stack.enter_context(np.errstate(all="raise"))
        stack.enter_context(np.printoptions(**PRINTING, legacy=legacy))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        stack.enter_context(decimal.localcontext(decimal.Context(prec=2)))
        stack.enter_context(sklearn.config_context(transform_output="pandas", assume_finite=True))
        options = {"display.precision": 1, "display.max_colwidth": 5, "display.max_columns": 1}
        options |= {"display.width": 10, "display.max_rows": 1, "mode.string_storage": "python"}
        stack.enter_context(
            pandas.option_context(*(part for option in options.items() for part in option))
        )
        stack.enter_context(matplotlib.rc_context(PICTURES))
        stack.callback(torch.set_default_dtype, torch.get_default_dtype())
        torch.set_default_dtype(torch.float64)
        stack.callback(torch.set_default_device, torch.get_default_device())
        torch.set_default_device("meta")
        stack.callback(torch.set_grad_enabled, grad)
        torch.set_grad_enabled(False)
        stack.enter_context(torch.inference_mode())
        stack.enter_context(torch.autocast("cpu", dtype=torch.bfloat16))
        yield


def settings() -> dict[str, Any]:
    """What a function of the library must leave as it is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pictures = dict(matplotlib.rcParams)
    return {
        "NumPy's error state": np.geterr(),
        "NumPy's error handler": np.geterrcall(),
        "print options": np.get_printoptions(),
        "warnings": list(warnings.filters),
        "how warnings are shown": warnings.showwarning,
        "NumPy's generator": repr(np.random.get_state()),  # noqa: NPY002
        "Python's generator": random.getstate(),
        "PyTorch's generator": torch.get_rng_state().tolist(),
        "PyTorch's dtype": torch.get_default_dtype(),
        "PyTorch's device": str(torch.get_default_device()),
        "gradients": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        "autocast": torch.is_autocast_enabled("cpu"),
        "decimal": repr(decimal.getcontext()),
        "locale": locale.setlocale(locale.LC_ALL),
        "pictures": pictures,
        "figures": pyplot.get_fignums(),
        "backend of pictures": matplotlib.get_backend(),
        "scikit-learn": sklearn.get_config(),
        "display": {
            name: pandas.get_option(name) for name in ("display.precision", "display.width")
        },
        "Ctrl-C": signal.getsignal(signal.SIGINT),
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "streams": (sys.stdout, sys.stderr, sys.excepthook),
        "recursion": sys.getrecursionlimit(),
    }


def differences(found: Any, expected: Any, path: str = "") -> Iterator[str]:
    """Where two results differ in a bit."""
    if isinstance(expected, dict) and isinstance(found, dict):
        if list(found) != list(expected):
            yield f"{path}: {list(found)} for {list(expected)}"
        for name in found.keys() & expected.keys():
            yield from differences(found[name], expected[name], f"{path}[{name!r}]")
    elif isinstance(expected, list | tuple) and isinstance(found, list | tuple):
        if len(found) != len(expected):
            yield f"{path}: {len(found)} for {len(expected)} parts"
        for number, parts in enumerate(zip(found, expected, strict=False)):
            yield from differences(*parts, f"{path}[{number}]")
    elif isinstance(expected, np.ndarray) and expected.dtype.kind != "O":
        alike = found.dtype == expected.dtype and found.shape == expected.shape
        if not alike or found.tobytes() != expected.tobytes():
            yield f"{path}: {found.dtype}{found.shape}, {expected.dtype}{expected.shape}"
    elif isinstance(expected, np.ndarray):
        yield from differences(found.tolist(), expected.tolist(), path)
    elif isinstance(expected, float | np.floating):
        if type(found) is not type(expected) or not (found == expected or found != found):
            yield f"{path}: {float(found)!r} for {float(expected)!r}"
    elif found != expected:
        yield f"{path}: {found!r:.2000}\n  for\n{expected!r:.2000}"


def plainly(name: str, folder: Path) -> Any:
    folder.mkdir()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return CALLS[name](folder)


@pytest.mark.parametrize("name", CALLS)
def test_results_do_not_depend_on_the_callers_settings(name: str, tmp_path: Path) -> None:
    expected = plainly(name, tmp_path / "plain")
    folder = tmp_path / "hostile"
    folder.mkdir()
    before = settings()
    with hostile():
        before_inside = settings()
        found = CALLS[name](folder)
        changed_inside = list(differences(settings(), before_inside))
    assert not changed_inside
    assert not list(differences(settings(), before))
    assert not list(differences(found, expected))


# What is called


def functions_of(owner: Any) -> Iterator[tuple[str, CodeType]]:
    """The public functions of a module or class that the library has written, with their code."""
    for name in getattr(owner, "__all__", None) or dir(owner):
        value = inspect.getattr_static(owner, name)
        value = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
        value = inspect.unwrap(value) if callable(value) else value
        written = getattr(value, "__module__", None) or ""
        is_public = not name.startswith("_") or name in ("__call__", "__str__", "__getitem__")
        if owner is metrics and written != metrics.__name__:
            continue
        if inspect.isfunction(value) and is_public and written.startswith("fastmlp"):
            yield f"{getattr(owner, '__name__', owner)}.{name}", value.__code__


def public_functions() -> dict[str, CodeType]:
    owners = [fm, fm.math, datasets, metrics, fm.preprocessing.CrossedColumns, RangeTest]
    owners += [GradientCheck, Explanation, QuantizationReport]
    owners += [get_backend(backend) for backend in BACKENDS]
    owners += [value for value in map(fm.__dict__.get, fm.__all__) if isinstance(value, type)]
    return {name: code for owner in owners for name, code in functions_of(owner)}


@pytest.mark.slow
def test_every_public_function_is_called(tmp_path: Path) -> None:
    called: set[CodeType] = set()

    def note(frame: Any, event: str, argument: Any) -> None:
        if event == "call":
            called.add(frame.f_code)

    for name in fm.__all__:
        getattr(fm, name)
    expected = public_functions()
    assert {"fastmlp.load", "Sequential.fit", "Predictor.__call__"} < set(expected)
    sys.setprofile(note)
    try:
        for number, name in enumerate(CALLS):
            plainly(name, tmp_path / str(number))
    finally:
        sys.setprofile(None)
    assert [name for name, code in expected.items() if code not in called] == []


# What the library calls of its caller's


class Asked(fm.Callback):
    """Notes the error state in which it is called."""

    def __init__(self) -> None:
        self.states: list[Any] = []

    def note(self, *arguments: Any) -> None:
        self.states.append(np.geterr())

    on_fit_data = on_fit_begin = on_epoch_begin = on_progress = on_epoch_end = on_fit_end = note


class Chunks:
    """Rows that are worked out when they are asked for."""

    def __init__(self) -> None:
        self.states: list[Any] = []

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        self.states.append(np.geterr())
        for half in (slice(0, 30), slice(30, None)):
            self.states.append(np.geterr())
            yield X[half], np.arange(N)[half] % 3


@pytest.mark.parametrize("backend", BACKENDS)
def test_callbacks_and_chunks_run_under_the_callers_error_state(backend: str) -> None:
    wanted = {"divide": "print", "over": "raise", "under": "warn", "invalid": "ignore"}
    asked, chunks = Asked(), Chunks()
    with np.errstate(**wanted):
        model = network(backend)
        model.fit(chunks, epochs=2, callbacks=[asked], verbose=0)
        assert np.geterr() == wanted
    assert len(asked.states) > 5
    assert len(chunks.states) > 5
    assert all(state == wanted for state in asked.states + chunks.states)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_fit_within_a_callback(backend: str) -> None:
    inner = Asked()

    def train(model: Any, epoch: int, logs: Any) -> None:
        network(backend).fit(X, np.arange(N) % 3, epochs=1, callbacks=[inner], verbose=0)
        inner.note()

    outer = fm.LambdaCallback(on_epoch_end=train)
    with np.errstate(all="raise"):
        network(backend).fit(X, np.arange(N) % 3, epochs=2, callbacks=[outer], verbose=0)
        state = np.geterr()
    assert all(found == state for found in inner.states)


def test_an_error_leaves_the_settings_as_they_were() -> None:
    model = network("numpy").build(X.shape[1])
    with hostile():
        before = settings()
        for refused in (
            lambda: model.predict("x"),
            lambda: model.fit(X, "x"),
            lambda: model.freeze()("x"),
            lambda: model.freeze().quantize("x"),
            lambda: get_backend("numpy").dense_forward(X, X, None),
        ):
            with pytest.raises((TypeError, ValueError)):
                refused()
        assert not list(differences(settings(), before))


def test_threads_keep_error_states_of_their_own() -> None:
    """One thread's prediction does not change what another thread has set."""
    predictor = network("numpy").build(X.shape[1]).freeze()

    def work(kind: str) -> bool:
        with np.errstate(all=kind):
            expected = np.geterr()
            for _ in range(50):
                predictor(X)
                if np.geterr() != expected:
                    return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, ["raise", "ignore", "warn", "print"] * 5))


STARTED = """
import sys, warnings
sys.path[:0] = {paths}
import numpy as np
np.seterr(all="raise")
np.set_printoptions(precision=2, legacy="1.13", suppress=True)
warnings.simplefilter("error")
from pathlib import Path
import public_calls as calls
for name in ("int8", "exports", "models_in_use numpy", "predictors numpy"):
    folder = Path({folder!r}) / name
    folder.mkdir()
    calls.CALLS[name](folder)
assert set(np.geterr().values()) == {{"raise"}}
"""


def test_settings_may_be_made_before_anything_is_imported(tmp_path: Path) -> None:
    paths = [str(path) for path in (ROOT / "tests/helpers", ROOT, ROOT / "benchmarks/shared")]
    code = STARTED.format(paths=paths, folder=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


# The texts of numbers


def test_the_shortest_decimal_is_read_as_the_number() -> None:
    rng = np.random.default_rng(0)
    for dtype, bits in (("f4", "u4"), ("f8", "u8")):
        limit = np.iinfo(bits).max
        values = rng.integers(0, limit, 20_000, bits, endpoint=True).view(dtype)
        with hostile():
            for value in values[np.isfinite(values)]:
                text = shortest(value)
                assert value.dtype.type(text) == value
                assert len(text.lstrip("-").replace(".", "").split("e")[0].strip("0")) <= 17
    assert [shortest(np.float32(x)) for x in (0.1, -1.0, 1e-5)] == ["0.1", "-1.0", "1e-05"]
