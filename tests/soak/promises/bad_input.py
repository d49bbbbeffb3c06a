"""Bad input: every argument of everything public gets values that hardly anyone thinks of."""

from __future__ import annotations

import contextlib
import copy
import math
import random
import re
import shutil
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
from bad_values import SPELLINGS, SPOILED, THINGS
from valid_calls import VALID, Valid, arguments_of, public

from ..promise import Trial, promise

SECONDS = 10.0
# Arguments that messages call by what they name.
SUBJECTS = {
    "wide_optimizer": ("optimizer",),
    "layers": ("layer",),
    "sample_weight_val": ("x_val and y_val",),
    "frame": ("columns", "array of two dimensions"),
    "target": ("unknown column",),
}
# Scikit-learn's checks stand before ours in the estimators, and NumPy's are those of elementary
# functions: they refuse as well, in words of theirs that name no argument.
NOT_PROMISED = ("MLP", "math.")
NAMED = {
    "Activation": "unknown activation",
    "ParametricActivation": "unknown activation",
    "kernels.get_backend": "unknown backend",
    "kernels.check_backend": "unknown backend",
}
SURPRISES = re.compile(
    "unsupported operand|object is not|object has no|ambiguous|broadcast|unpack|argument must be"
    "|positional argument|could not convert|invalid literal"
)


@promise(
    "An argument of anything public that is not what it should be is refused with a ValueError or "
    "TypeError that names it, or works; inputs and models stay as they were.",
    unit="calls",
    full=40000,
    quick=400,
)
def bad_arguments(folder: Path) -> Iterator[Trial]:
    places = [
        (name, argument)
        for name, function in public().items()
        if name in VALID and not name.startswith(NOT_PROMISED)
        for argument in arguments_of(function)
    ]

    def trial(number: int) -> str:
        rng = random.Random(number)
        name, argument = rng.choice(places)
        shutil.rmtree(folder)
        folder.mkdir()
        valid = VALID[name](folder)
        return called(name, valid, argument, rng, folder)

    yield trial


def called(name: str, valid: Valid, argument: str, rng: random.Random, folder: Path) -> str:
    """Call with one bad value, and judge what came of it."""
    right = valid.arguments.get(argument)
    kinds: list[str] = list(THINGS)
    if isinstance(right, np.ndarray):
        kinds += [*SPOILED, *SPELLINGS] * 2
    kind = rng.choice(kinds)
    as_good = isinstance(right, np.ndarray) and kind in SPELLINGS
    expected = None
    if as_good:
        value = SPELLINGS[kind](right, folder)
        twin = copy.deepcopy(valid.model)
        expected = made(valid)
        if twin is not None:
            # The valid call may have trained it.
            set_bits(valid.model, twin)
    elif isinstance(right, np.ndarray) and kind in SPOILED:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            value = SPOILED[kind](right)
    else:
        value = THINGS[kind]()
    before, weights = bits_of(value), weights_of(valid.model)
    what = f"{name}({argument}={kind})"
    try:
        with limited(what):
            result = valid.function(**{**valid.arguments, argument: value})
    except (ValueError, TypeError, OSError) as error:
        told = f"{what}: {type(error).__name__}: {error}"
        if weights_of(valid.model) != weights:
            raise AssertionError(f"the model that refused it has changed: {told}") from error
        judge(name, argument, error, told)
        if as_good:
            raise AssertionError(told) from error
        return "refused"
    except Exception as error:
        raise AssertionError(f"{what}: {type(error).__name__}: {error}") from error
    finally:
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")
        assert bits_of(value) == before, f"{what}: the input has changed"
    if as_good:
        assert same(result, expected), f"{what} is not the result of the valid spelling"
        return "as good"
    return "taken"


def judge(name: str, argument: str, error: Exception, told: str) -> None:
    """A refusal is the library's own, about the argument, and no surprise of Python's."""
    text = str(error)
    # Of what is no path at all, Python says itself what it has to be.
    assert raised_by_us(error) or argument == "path", told
    assert names(text, argument) or NAMED.get(name, "?") in text, f"names no argument: {told}"
    assert argument == "path" or not SURPRISES.search(text), told


def raised_by_us(error: BaseException) -> bool:
    """Whether a statement of the library has raised an error, not what it calls."""
    trace = error.__traceback__
    assert trace is not None
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    return "fastmlp" in Path(code.co_filename).parts


def names(text: str, argument: str) -> bool:
    """Whether a message is about an argument, by its name or in words."""
    text = text.lower()
    words = argument.lower().replace("_", " ")
    called = (argument.lower(), words, *SUBJECTS.get(argument, ()))
    return argument == "path" or any(each in text for each in called)


def made(valid: Valid) -> Any:
    return valid.function(**copy.deepcopy(valid.arguments))


def set_bits(model: Any, twin: Any) -> None:
    vars(model).clear()
    vars(model).update(vars(twin))


def bits_of(value: Any) -> bytes | None:
    is_plain = isinstance(value, np.ndarray) and value.dtype != object
    return np.asarray(value).tobytes() if is_plain else None


def weights_of(model: Any) -> list[bytes]:
    return [value.tobytes() for value in getattr(model, "parameters", {}).values()]


def same(a: Any, b: Any) -> bool:
    """Whether results are equal, as far as they are numbers."""
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, float):
        return isinstance(b, float) and (a == b or (math.isnan(a) and math.isnan(b)))
    if isinstance(a, np.ndarray) and a.dtype != object:
        return a.shape == b.shape and bool(np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))
    return type(a) is type(b)


@contextlib.contextmanager
def limited(what: str) -> Iterator[None]:
    """Hangs become errors, and warnings too."""

    def late(signum: int, frame: FrameType | None) -> None:
        raise AssertionError(f"{what} took more than {SECONDS:g} s")

    on_main = threading.current_thread() is threading.main_thread()
    before: Callable[..., Any] | int | None = None
    if on_main:
        before = signal.signal(signal.SIGALRM, late)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # NumPy's inner workings warn so.
            warnings.simplefilter("error", RuntimeWarning)
            yield
    finally:
        if on_main:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
