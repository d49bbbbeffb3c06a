"""Formulas of declarations: Python expressions in which numbers stand by name, in braces."""

from __future__ import annotations

import ast
from collections.abc import Mapping


def with_numbers(formula: str, numbers: Mapping[str, object], digits: int) -> str:
    """Put numbers in the place of their names.

    Parameters
    ----------
    formula : str
        ``"z if z > 0 else {slope} * z"``.
    numbers : mapping of str to object
        What is no float among them is not used.
    digits : int
        As many as are significant.
    """
    texts = {k: f"{v:.{digits}g}" for k, v in numbers.items() if isinstance(v, float)}
    return formula.format(**texts)


def as_operand(formula: str) -> str:
    """Put brackets around an expression unless it is a product, a power, a call or one number."""
    top = ast.parse(formula, mode="eval").body
    is_sum = isinstance(top, ast.BinOp) and isinstance(top.op, ast.Add | ast.Sub)
    loose = is_sum or isinstance(top, ast.IfExp | ast.UnaryOp | ast.Compare | ast.BoolOp)
    return f"({formula})" if loose else formula


def names_in(formula: str) -> set[str]:
    """Return the names that an expression reads."""
    tree = ast.parse(formula, mode="eval")
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
