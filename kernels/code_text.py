"""What the code of a function says, as text: by its source, and by its bytecode.

The text of the source is the same in every version of Python, and wherever the function stands:
comments, docstrings, annotations, defaults (values, which others describe) and places are no part
of it. Where no source is to be had, or the file has been edited since, there is the bytecode, which
each version of Python has its own of.
"""

from __future__ import annotations
import __future__

import ast
import functools
import inspect
import linecache
import types
from collections.abc import Iterator
from typing import Any

# What does not change the result, or is the same in all that can be read.
_LEFT_OUT = frozenset({"annotation", "returns", "type_comment", "kind", "ctx"})
_DEFAULTS = frozenset({"defaults", "kw_defaults"})
_FUTURE = functools.reduce(
    lambda flags, name: flags | int(getattr(__future__, name).compiler_flag),
    __future__.all_feature_names,
    0,
)

_Function = ast.FunctionDef | ast.Lambda


def names(code: types.CodeType) -> Iterator[str]:
    """The names of globals and attributes in a function and in those that stand in it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from names(constant)


def bytecode_text(code: types.CodeType) -> str:
    """The text of a function's bytecode; equal for equal code of one version of Python."""
    kinds = code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS)
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, kinds)
    variables = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    # Where the handlers of exceptions are, since Python 3.11.
    handlers = getattr(code, "co_exceptiontable", b"")
    constants = ", ".join(map(_constant, code.co_consts))
    return f"{code.co_code.hex()} {handlers.hex()} {counts} {variables} ({constants})"


def _constant(value: Any) -> str:
    if isinstance(value, types.CodeType):
        return bytecode_text(value)
    if isinstance(value, tuple):
        return f"({', '.join(map(_constant, value))})"
    if isinstance(value, frozenset):
        # In the order of their hashes, which texts have new ones of in each process.
        return f"{{{', '.join(sorted(map(_constant, value)))}}}"
    if isinstance(value, str):
        # Before Python 3.11 a function that stands in another has the other's name in its own.
        value = value.rpartition(".<locals>.")[2]
    return repr(value)


def source_text(function: types.FunctionType) -> str | None:
    """The text of a function's source; None where no source is to be had that gives its code."""
    code = function.__code__
    linecache.checkcache(code.co_filename)
    lines = linecache.getlines(code.co_filename, function.__globals__)
    wanted = bytecode_text(code)
    # Several lambdas may stand in a line, and lines may have moved since.
    for node in sorted(_functions(lines), key=lambda node: abs(node.lineno - code.co_firstlineno)):
        own = "<lambda>" if isinstance(node, ast.Lambda) else node.name
        if own == code.co_name and any(bytecode_text(c) == wanted for c in _compiled(node, code)):
            body = node.body if isinstance(node, ast.FunctionDef) else [ast.Return(node.body)]
            return f"({_text(node.args, _DEFAULTS)}) {_text(body)}"
    return None


def _functions(lines: list[str]) -> list[_Function]:
    try:
        tree = _parsed("".join(lines))
    except (RecursionError, SyntaxError, ValueError):
        # What is there is no Python any more.
        return []
    return [node for node in ast.walk(tree) if isinstance(node, _Function)]


@functools.lru_cache(maxsize=2)
def _parsed(source: str) -> ast.Module:
    return ast.parse(source)


def _compiled(node: _Function, like: types.CodeType) -> Iterator[types.CodeType]:
    """A function's code, compiled where the names that `like` has from around it are such."""
    around = ast.parse(f"def around({', '.join(like.co_freevars)}): pass")
    (outer,) = around.body
    assert isinstance(outer, ast.FunctionDef)
    outer.body = [ast.Return(node) if isinstance(node, ast.Lambda) else node]
    ast.fix_missing_locations(around)
    flags = like.co_flags & _FUTURE
    module = compile(around, "<source>", "exec", flags=flags, dont_inherit=True)
    for code in filter(_is_code, module.co_consts):
        for inner in filter(_is_code, code.co_consts):
            if inner.co_name == like.co_name:
                yield inner


def _is_code(value: Any) -> bool:
    return isinstance(value, types.CodeType)


def _text(node: Any, left_out: frozenset[str] = frozenset()) -> str:
    if isinstance(node, list):
        kept = [item for item in node if not _does_nothing(item)]
        return f"[{', '.join(map(_text, kept))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    # Later versions of Python have further fields, which are empty for what others can read.
    fields = [
        f"{name}={_text(value)}"
        for name, value in ast.iter_fields(node)
        if name not in _LEFT_OUT | left_out and value is not None and value != []
    ]
    return f"{type(node).__name__}({', '.join(fields)})"


def _does_nothing(node: Any) -> bool:
    """Tell whether a statement is a docstring or another constant that nobody reads."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
