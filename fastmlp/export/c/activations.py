"""Activations as C functions: templates, which `math.render` fills in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...declarations.activation_table import ActivationTable
from ...kernels.constants import MISH_MAXIMUM, ROOT_HALF, SELU_ALPHA, SELU_SCALE

if TYPE_CHECKING:
    from ...declarations.activations import Activation


def _number(value: float) -> str:
    return f"{value:.17g}"


ACTIVATIONS = ActivationTable(
    "written as C",
    "ACTIVATIONS in fastmlp/export/c/activations.py",
    {
        "relu": "v = v < 0.0 ? 0.0 : v;",
        "leaky_relu": "v = P_choose(v > 0.0, v, p * v);",
        "tanh": "v = P_tanh(v);",
        "sigmoid": "v = 1.0 / (1.0 + P_exp(-v));",
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
        "elu": "v = P_choose(v > 0.0, v, p * P_expm1(v));",
        "selu": (
            f"v = P_choose(v > 0.0, {_number(SELU_SCALE)} * v, "
            f"{_number(SELU_SCALE * SELU_ALPHA)} * P_expm1(v));"
        ),
        "gelu": f"v = 0.5 * v * P_erfc(-{_number(ROOT_HALF)} * v);",
        "silu": "v = v / (1.0 + P_exp(-v));",
        "mish": f"""
/* tanh(log(1 + e^v)), which rounds to 1 long before {MISH_MAXIMUM:g} */
const real e = P_exp(P_choose(v < {MISH_MAXIMUM}, v, {MISH_MAXIMUM}));
const real m = e * (e + 2.0);
v = v * (m / (m + 2.0));
""",
        "softplus": "v = P_choose(v > 0.0, v, 0.0) + P_log1p(P_exp(-P_abs(v)));",
        "exp": "v = P_exp(v);",
    },
)
"""From each activation but linear, which needs none, to statements.

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


def _loop(statements: list[str]) -> list[str]:
    """A loop over all elements."""
    inner = ["    " + re.sub(r"\bv\b", "z[j]", line) for line in statements]
    head = "for (int j = 0; j < n; ++j)"
    return [head, *inner] if len(inner) == 1 else [f"{head} {{", *inner, "}"]
