"""Which module of the library imports which, read from the sources; nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from paths import ROOT

# Modules by their names as they lie in the tree: those of `kernels/` are "kernels.…".
_FOLDERS = {"fastmlp": ROOT / "fastmlp", "kernels": ROOT / "kernels"}


class Import(NamedTuple):
    """One module that imports another, anywhere in its text."""

    source: str
    target: str
    line: int
    within_a_function: bool


def modules() -> dict[str, Path]:
    """Each module of the library and its file."""
    found = {}
    for prefix, folder in _FOLDERS.items():
        for path in sorted(folder.rglob("*.py")):
            parts = (prefix, *path.relative_to(folder).with_suffix("").parts)
            if prefix == "fastmlp" and parts[1] == "kernels":
                continue
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports() -> list[Import]:
    """All imports between modules of the library, those for type checking included."""
    known = modules()
    return [found for name in known for found in _imports_of(name, known)]


def _imports_of(name: str, known: Mapping[str, Path]) -> Iterator[Import]:
    path = known[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package.split(".")
            base = base[: len(base) - (node.level - 1)]
            module = ".".join([*base, *((node.module or "").split(".") if node.module else [])])
            module = module.replace("fastmlp.kernels", "kernels", 1)
            for alias in node.names:
                full = f"{module}.{alias.name}".replace("fastmlp.kernels", "kernels", 1)
                target = full if full in known else module
                yield Import(name, target, node.lineno, id(node) in inside)


def circles(arrows: Iterable[tuple[str, str]]) -> list[list[str]]:
    """The groups of names that reach each other (Tarjan's strongly connected components)."""
    following: dict[str, set[str]] = {}
    for source, target in arrows:
        if source != target:
            following.setdefault(source, set()).add(target)
            following.setdefault(target, set())
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        number[name] = lowest[name] = len(number)
        stack.append(name)
        for other in sorted(following[name]):
            if other not in number:
                visit(other)
                lowest[name] = min(lowest[name], lowest[other])
            elif other in stack:
                lowest[name] = min(lowest[name], number[other])
        if lowest[name] == number[name]:
            group = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(group) > 1:
                found.append(sorted(group))

    for name in following:
        if name not in number:
            visit(name)
    return found
