"""Activations as C functions: templates, which `math.render` fills in."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from ...declarations.activation_table import ActivationTable
from ...kernels.constants import MISH_MAXIMUM, ROOT_HALF
from ..formula import PARAMETER, UnwrittenError, Writer, call
from .math import ELEMENTARY
from .source import literal

if TYPE_CHECKING:
    from ...declarations.activations import Activation


class _Writer(Writer):
    """Writes formulas as C templates."""

    functions: ClassVar[Mapping[str, str]] = {name: f"P_{name}" for name in (*ELEMENTARY, "abs")}

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name({"z": "v", PARAMETER: "p"}[node.id])

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        # Whole numbers are real ones too.
        return ast.Name(literal(float(node.value), "double"))  # type: ignore[arg-type]

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        return call("P_choose", *map(self.visit, (node.test, node.body, node.orelse)))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if not isinstance(node.func, ast.Name) or node.func.id not in ("max", "min"):
            return super().visit_Call(node)
        is_max, (first, second) = node.func.id == "max", map(self.visit, node.args)
        # NaN, with which no comparison is true, must come out: it is in the second, if in one.
        if isinstance(node.args[1], ast.Constant):
            first, second = second, first
        greater = ast.Compare(first, [ast.Gt() if is_max else ast.Lt()], [second])
        return call("P_choose", greater, first, second)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        if isinstance(node.op, ast.Pow):
            raise UnwrittenError("**")
        return self.generic_visit(node)


def _from_formula(activation: Activation) -> str | None:
    try:
        return f"v = {_Writer().write(activation)};"
    except UnwrittenError:
        return None


ACTIVATIONS = ActivationTable(
    "written as C",
    "ACTIVATIONS in fastmlp/export/c/activations.py",
    {
        "relu": "v = v < 0.0 ? 0.0 : v;",
        "softmax": """
real largest = z[0], sum = 0.0;
for (int j = 1; j < n; ++j)
    largest = z[j] > largest ? z[j] : largest;
for (int j = 0; j < n; ++j)
    z[j] = P_exp(z[j] - largest);
for (int j = 0; j < n; ++j)
    sum += z[j];
for (int j = 0; j < n; ++j)
    z[j] /= sum;
""",
        "gelu": f"v = 0.5 * v * P_erfc(-{ROOT_HALF:.17g} * v);",
        "mish": f"""
/* tanh(log(1 + e^v)), which rounds to 1 long before {MISH_MAXIMUM:g} */
const real e = P_exp(P_choose(v < {MISH_MAXIMUM}, v, {MISH_MAXIMUM}));
const real m = e * (e + 2.0);
v = v * (m / (m + 2.0));
""",
        "softplus": "v = P_choose(v > 0.0, v, 0.0) + P_log1p(P_exp(-P_abs(v)));",
    },
    derive=_from_formula,
)
"""From each activation whose formula is not what C should compute to statements.

Those of an elementwise function replace one element, v, where `p` is the parameter; those of a
function of whole rows replace the numbers ``z[0]`` to ``z[n - 1]``.
"""


def template(activation: Activation) -> str:
    """The template of a function that applies an activation to n numbers.

    Raises
    ------
    ValueError
        `ACTIVATIONS` has no row for it.
    """
    statements = ACTIVATIONS.row(activation).strip().splitlines()
    parameter = "" if activation.parameter is None else ", real p"
    lines = statements if activation.is_rowwise else _loop(statements)
    head = f"static inline void P_apply_{activation.name}(real *z, int n{parameter})"
    body = "\n".join(f"    {line}" for line in lines)
    return f"\n{head}\n{{\n{body}\n}}\n"


def mixed_template(activation: Activation) -> str:
    """The template of a function that mixes an elementwise activation with the identity."""
    parameter = "" if activation.parameter is None else ", real p"
    statements = ACTIVATIONS.row(activation).strip().splitlines()
    return "\n".join(
        [
            f"\n/* z = z + weight * ({activation.name}(z) - z) */",
            f"static inline void P_mix_{activation.name}(real *z, const real *weight, int n"
            f"{parameter})",
            "{",
            "    for (int j = 0; j < n; ++j) {",
            "        real v = z[j];",
            *(f"        {statement}" for statement in statements),
            "        z[j] += weight[j] * (v - z[j]);",
            "    }",
            "}\n",
        ]
    )


def _loop(statements: list[str]) -> list[str]:
    """A loop over all elements."""
    inner = ["    " + re.sub(r"\bv\b", "z[j]", line) for line in statements]
    head = "for (int j = 0; j < n; ++j)"
    return [head, *inner] if len(inner) == 1 else [f"{head} {{", *inner, "}"]
