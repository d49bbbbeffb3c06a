"""Digests change with what a function does, and with nothing else."""

from __future__ import annotations

import functools
import math
import subprocess
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from paths import ROOT

import fastmlp as fm
from fastmlp.kernels.fingerprints import BYTECODE, SOURCE, digests

SLOPE = 0.25


def bent(z: float) -> float:
    return z if z > 0 else SLOPE * z


def test_a_digest_is_the_same_in_each_process_and_version_of_python() -> None:
    """What files hold: where this fails, models with functions of users are taken for others."""
    expected = "0e3bfd086db25e39b4a1ce5dfa513ca55a0515ba1c31bf91a9e8defbd154da29"
    assert digests(bent, None)[SOURCE] == expected


def test_each_process_makes_the_same_digests() -> None:
    code = (
        "from fastmlp.kernels.fingerprints import digests\n"
        "f = lambda z: z in {'a', 'b', 'c', 'd'} or z in WORDS\n"
        "WORDS = {'a', 'b', 'c', 'd'}\n"
        "print(digests(f))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(found) == 1


class Slope:
    """A function with a value of its own, which has no text."""

    def __init__(self, value: float) -> None:
        self.value = value

    def __call__(self, z: float) -> float:
        return self.value * z

    def of(self, z: float) -> float:
        return self.value * z


def in_module(value: Any) -> Callable[[float], Any]:
    module = ModuleType("settings")
    vars(module)["slope"] = value
    return lambda z: module.slope * z


def calling(value: float) -> Callable[[float], float]:
    helpers = ModuleType("helpers")
    vars(helpers)["slope"] = lambda z: value * z
    return lambda z: helpers.slope(z)


def around(value: Any) -> Callable[[float], Any]:
    return lambda z: value


WITH_A_VALUE: dict[str, Callable[[float], Any]] = {
    "closure": around,
    "default": lambda value: lambda z, slope=value: slope * z,
    "keyword": lambda value: lambda z, *, slope=value: slope * z,
    "module": in_module,
    "function of a module": calling,
    "function": lambda value: around(around(value)),
    "array": lambda value: around(np.r_[np.zeros(2000), value]),
    "array of objects": lambda value: around(np.array([value, "text"], object)),
    "number of NumPy": lambda value: around(np.float32(value)),
    "tuple": lambda value: around((1, (2, value))),
    "dictionary": lambda value: around({"slope": [value]}),
    "set": lambda value: around({value}),
    "object": lambda value: around(Slope(value)),
    "called object": Slope,
    "method": lambda value: Slope(value).of,
    "partial": lambda value: functools.partial(math.pow, value),
}


@pytest.mark.parametrize("name", WITH_A_VALUE)
def test_values_are_part_of_a_function(name: str) -> None:
    made = WITH_A_VALUE[name]
    found = [digests(made(value), None) for value in (1.5, 1.5, 1.75)]
    assert found[0] == found[1]
    for kind in found[0]:
        assert found[0][kind] != found[2][kind], kind


def test_functions_of_which_several_refer_to_one() -> None:
    def twice(z: float) -> float:
        return 2 * z

    def thrice(z: float) -> float:
        return 3 * z

    def both(f: Any, g: Any, h: Any) -> Any:
        return lambda z: f(z) + g(z) * h(z)

    found = {digests(both(twice, thrice, h))[SOURCE] for h in (twice, thrice)}
    assert len(found) == 2


def test_functions_that_call_themselves_and_such_as_are_not_there_yet() -> None:
    def outer(factor: float) -> Any:
        def f(z: float) -> float:
            return f(z / 2) if z > 1 else factor * later(z)

        found = digests(f)
        later = abs
        return found, later

    assert outer(1.0)[0] == outer(1.0)[0] != outer(2.0)[0]


def test_functions_of_libraries_are_their_names() -> None:
    found = [digests(f)[SOURCE] for f in (math.exp, np.exp, fm.math.exp, abs, np.clip, math.log)]
    assert len(set(found)) == len(found)
    assert digests(around(fm.math.exp)) == digests(around(fm.math.exp))
    assert digests(around(math.exp)) != digests(around(fm.math.exp))


def test_without_source_there_is_the_digest_of_the_bytecode_alone() -> None:
    made: dict[str, Any] = {"SLOPE": SLOPE}
    exec("def bent(z):\n    return z if z > 0 else SLOPE * z", made)
    found = digests(made["bent"], None)
    assert found == {BYTECODE: digests(bent, None)[BYTECODE]}
    assert SOURCE not in digests(around(made["bent"]))
