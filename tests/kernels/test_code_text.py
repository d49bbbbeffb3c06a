"""The text of a function is that of what it does, not of where it stands or what is said of it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fastmlp.kernels.code_text import bytecode_text, names, source_text

Functions = Callable[[str], Any]


@pytest.fixture
def loaded(tmp_path: Path) -> Functions:
    """Makes the function ``f`` of a source, in a file of its own each time."""
    made: list[Path] = []

    def load(source: str) -> Any:
        made.append(tmp_path / f"m{len(made)}.py")
        made[-1].write_text(source)
        spec = importlib.util.spec_from_file_location(made[-1].stem, made[-1])
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.f

    return load


SAME = [
    ("def f(z):\n    return 2 * z\n", 'def f(z: float) -> float:\n    """Text."""\n    return 2*z'),
    ("f = lambda z: z + 1\n", "# A comment.\n\n\nx, f = 3, (\n    lambda z:\n    z + 1\n)\n"),
    ("def f(z, a=1):\n    return a * z\n", "def g(): return 0\ndef f(z, a=2): return a * z\n"),
    ("def f(z):\n    x = z\n    return x", "def f(z):\n    x = z\n    'text'\n    return x"),
    ("def f(z):\n    return 1.0", "from __future__ import annotations\ndef f(z):\n  return 1.0"),
    (
        "def f(z):\n    return sum([z for _ in (1, 2)])",
        "def g():\n    def f(z):\n        return sum([z for _ in (1, 2)])\n    return f\nf = g()",
    ),
]


@pytest.mark.parametrize("pair", SAME)
def test_same_text(pair: tuple[str, str], loaded: Functions) -> None:
    first, second = map(source_text, map(loaded, pair))
    assert first is not None
    assert first == second


DIFFERENT = [
    ("f = lambda z: z", "f = lambda z: -z"),
    ("f = lambda z: 1", "f = lambda z: 1.0"),
    ("f = lambda z: 1", "f = lambda z: True"),
    ("f = lambda z: None", "f = lambda z: 'None'"),
    ("f = lambda z, y: z", "f = lambda y, z: z"),
    ("f = lambda z: abs(z)", "f = lambda z: int(z)"),
    ("def f(z):\n    return (lambda t=1: t)()", "def f(z):\n    return (lambda t=2: t)()"),
    ("f, g = lambda z: 2 * z, lambda z: 3 * z", "g, f = lambda z: 2 * z, lambda z: 3 * z"),
    ("def f(z):\n    if z > 0: return 1\n    return 2", "def f(z):\n    return 2 if z else 1"),
]


@pytest.mark.parametrize("pair", DIFFERENT)
def test_different_text(pair: tuple[str, str], loaded: Functions) -> None:
    functions = list(map(loaded, pair))
    first, second = map(source_text, functions)
    assert first is not None
    assert second is not None
    assert first != second
    assert bytecode_text(functions[0].__code__) != bytecode_text(functions[1].__code__)


def test_the_text_is_the_same_in_each_version_of_python() -> None:
    # Worked by hand from the grammar of module ast, which all versions share.
    expected = "(arguments(args=[arg(arg='z')])) [Return(value=BinOp(left=Constant(value=2), "
    assert source_text(lambda z: 2 * z) == expected + "op=Mult(), right=Name(id='z')))]"


def test_functions_without_their_source(loaded: Functions, tmp_path: Path) -> None:
    made: dict[str, Any] = {}
    exec("def f(z):\n    return 2 * z", made)
    assert source_text(made["f"]) is None
    # The file has become another one since, longer or no Python at all.
    f = loaded("def f(z):\n    return 2 * z")
    for text in ("def f(z):\n    return 3 * z  # longer\n", "def f(z: no Python any more\n", ""):
        (tmp_path / "m0.py").write_text(text)
        assert source_text(f) is None
    (tmp_path / "m0.py").write_text("# Further down.\n" * 9 + "def f(z):\n    return 2 * z\n")
    assert source_text(f) is not None


def test_bytecode_tells_handlers_of_exceptions_and_sets_apart(loaded: Functions) -> None:
    one = (
        "def f(z):\n    try:\n        return 1 / z\n    except ZeroDivisionError:\n        return 0"
    )
    other = one.replace("ZeroDivisionError", "TypeError")
    assert bytecode_text(loaded(one).__code__) != bytecode_text(loaded(other).__code__)
    text = bytecode_text(loaded("f = lambda z: z in {'a', 'b', 'c'}").__code__)
    assert "{'a', 'b', 'c'}" in text, "in the order of the alphabet, not of their hashes"


def test_names_of_a_function_and_of_those_in_it() -> None:
    def f(z: Any) -> Any:
        return [pytest.raises(t) for t in abs(z).parts]

    assert {"pytest", "raises", "abs", "parts"} <= set(names(f.__code__))
