"""Declared formulas in other languages, for activations that need no form of their own there."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from copy import deepcopy
from typing import ClassVar

from ..declarations.activations import TRAITS, Activation

PARAMETER = "parameter"
"""The name of an activation's parameter in the formulas of this module."""


class UnwrittenError(Exception):
    """A formula has something that cannot be written in a language."""


def parsed(activation: Activation) -> ast.expr:
    """Return a formula as a tree of ``z`` and, where it takes one, `PARAMETER`.

    Calls of other activations are written out, and products of numbers multiplied.

    Raises
    ------
    UnwrittenError
        There is no formula, it is one of whole rows, or it has more than arithmetic, comparisons
        and calls.
    """
    traits = activation.traits
    if not traits.formula or activation.is_rowwise:
        raise UnwrittenError("no formula of one element")
    names = {name: repr(number) for name, number in traits.constants.items()}
    if activation.parameter is not None:
        names |= dict.fromkeys(vars(activation), PARAMETER)
    tree = ast.parse(traits.formula.format(**names), mode="eval").body
    formula: ast.expr = _Simplified().visit(tree)
    for node in ast.walk(formula):
        chained = isinstance(node, ast.Compare) and len(node.ops) > 1
        if chained or not isinstance(node, _NODES):
            raise UnwrittenError(type(node).__name__)
    return formula


_NODES = (
    *(ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.UnaryOp, ast.USub),
    *(ast.IfExp, ast.Compare, ast.Gt, ast.Lt, ast.GtE, ast.LtE),
    *(ast.Call, ast.Name, ast.Constant, ast.expr_context),
)


class _Simplified(ast.NodeTransformer):
    """Puts formulas of other activations in the place of their calls, and folds products."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        # The functions exp and tanh are activations too.
        if name not in TRAITS or f"{name}(z)" == TRAITS[name].formula:
            return node
        [argument] = node.args
        inner = ast.parse(TRAITS[name].formula, mode="eval").body
        return _Substituted({"z": argument}).visit(_Simplified().visit(inner))  # type: ignore[no-any-return]

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        left, right = node.left, node.right
        if (
            isinstance(node.op, ast.Mult)
            and isinstance(left, ast.Constant)
            and isinstance(right, ast.Constant)
        ):
            return ast.Constant(left.value * right.value)  # type: ignore[operator]
        return node


class _Substituted(ast.NodeTransformer):
    def __init__(self, values: Mapping[str, ast.expr]) -> None:
        self._values = values

    def visit_Name(self, node: ast.Name) -> ast.AST:
        # Writers change trees in place: no two parts may be one.
        return deepcopy(self._values.get(node.id, node))


class Writer(ast.NodeTransformer):
    """Turns the tree of a formula into one that `ast.unparse` writes in another language.

    Attributes
    ----------
    functions : mapping of str to str
        What the functions of formulas are called there.
    """

    functions: ClassVar[Mapping[str, str]] = {}

    def write(self, activation: Activation) -> str:
        """Return the formula of an activation; errors as in `parsed`."""
        return ast.unparse(ast.fix_missing_locations(self.visit(parsed(activation))))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in self.functions:
            raise UnwrittenError(f"{name}()")
        return call(self.functions[name], *map(self.visit, node.args))


def call(name: str, *arguments: ast.expr) -> ast.Call:
    """Return the tree of a call."""
    return ast.Call(ast.Name(name), list(arguments), [])
