"""Activation functions in ONNX operators, in forms that keep their digits at every finite argument.

onnxruntime has neither ``Softplus``, ``Elu`` nor ``Erf`` for float64, and in float32 its
``Sigmoid``, ``Elu`` and ``Erf`` are accurate to 1e-7 of 1 only, not of a result near 0. What is
used in place of them is as accurate as the functions of the library.

Each function adds nodes that compute it of the value `z` and returns the name of the result, which
is the output of the last node.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

from ...declarations.activation_table import ActivationTable
from ...declarations.activations import Activation
from ...kernels.constants import SELU_ALPHA, SELU_SCALE
from ..formula import PARAMETER, UnwrittenError, parsed
from .graph import GraphWriter

# (1 + a) Phi(-a) e^(a^2 / 2), Phi the normal distribution function, as a polynomial in
# u = (a - c) / (a + c), which takes all a >= 0 to -1 <= u < 1: for each dtype c and coefficients.
# They interpolate in the Chebyshev points, computed with 60 digits, and are within 4e-7 and 6e-16
# of the value (the substitution is that of Shepherd and Laframboise, Mathematics of Computation
# 36, 1981).
_NORMAL_TAIL: dict[str, tuple[float, tuple[float, ...]]] = {
    "float32": (
        3.0,
        (
            0.4860559,
            -0.09652675,
            -0.01643863,
            0.04516358,
            -0.022676878,
            0.0011636234,
            0.002854604,
            -0.00036487204,
            -0.000323984,
            3.556133e-05,
        ),
    ),
    "float64": (
        4.0,
        (
            0.47205320650984467,
            -0.09670347732653004,
            0.013999634724425405,
            0.028600364053922668,
            -0.0321978374281112,
            0.017936097469979716,
            -0.005002378590232965,
            -0.00028562298101303336,
            0.0006948970947707169,
            -9.443103978255524e-05,
            -8.785312372562884e-05,
            2.125328162943444e-05,
            1.3626662814015744e-05,
            -3.440746153315607e-06,
            -2.6124967333130103e-06,
            4.1929772331445373e-07,
            5.515560739470104e-07,
            -1.5237426411594127e-08,
            -1.1080625850528999e-07,
            -8.145158452517461e-09,
            1.7688155162543822e-08,
            1.5735251488430456e-09,
            -1.590306022869017e-09,
        ),
    ),
}


def _relu(graph: GraphWriter, z: str) -> str:
    return graph.add("Relu", z)


def _softmax(graph: GraphWriter, z: str) -> str:
    return graph.add("Softmax", z, axis=1)


def _leaky_relu(graph: GraphWriter, z: str, slope: float) -> str:
    if graph.dtype == "float32":
        return graph.add("LeakyRelu", z, alpha=slope)
    negative = graph.add("Min", z, graph.number(0.0))
    return graph.add("Add", graph.add("Relu", z), graph.add("Mul", negative, graph.number(slope)))


def _sigmoid(graph: GraphWriter, z: str) -> str:
    """``1 / (1 + e^-z)``; where the sum is infinite, what is divided by it is 0."""
    one_and_exp = graph.add("Add", graph.number(1.0), graph.add("Exp", graph.add("Neg", z)))
    return graph.add("Reciprocal", one_and_exp)


def _scaled_elu(graph: GraphWriter, z: str, scale: float, alpha: float) -> str:
    """``scale z`` where ``z > 0``, else ``scale alpha (e^z - 1)``.

    ``e^z - 1 = 2 t / (1 - t)``, ``t = tanh(z / 2)``, subtracts nothing from a number close to it.
    """
    negative = graph.add("Min", z, graph.number(0.0))
    t = graph.add("Tanh", graph.add("Mul", negative, graph.number(0.5)))
    ratio = graph.add("Div", t, graph.add("Sub", graph.number(1.0), t))
    left = graph.add("Mul", ratio, graph.number(2.0 * scale * alpha))
    right = graph.add("Relu", z)
    if scale != 1.0:
        right = graph.add("Mul", right, graph.number(scale))
    return graph.add("Add", right, left)


def _elu(graph: GraphWriter, z: str, alpha: float) -> str:
    return _scaled_elu(graph, z, 1.0, alpha)


def _selu(graph: GraphWriter, z: str) -> str:
    return _scaled_elu(graph, z, SELU_SCALE, SELU_ALPHA)


def _softplus(graph: GraphWriter, z: str) -> str:
    """``max(z, 0) + log(1 + e)``, ``e = e^-|z|``.

    ``log(1 + e) = e log(u) / (u - 1)``, u being 1 + e as it is rounded, and e where that is 1
    (Goldberg, Computing Surveys 23, 1991, theorem 4).
    """
    if graph.dtype == "float32":
        return graph.add("Softplus", z)
    one = graph.number(1.0)
    e = graph.add("Exp", graph.add("Neg", graph.add("Abs", z)))
    u = graph.add("Add", one, e)
    ratio = graph.add("Div", graph.add("Log", u), graph.add("Sub", u, one))
    log1p = graph.add("Where", graph.add("Equal", u, one), e, graph.add("Mul", e, ratio))
    return graph.add("Add", graph.add("Relu", z), log1p)


def _mish(graph: GraphWriter, z: str) -> str:
    tanh = graph.add("Tanh", _softplus(graph, z))
    if graph.dtype == "float64":
        # The exp of older runtimes ends at 2e-308, which a z far below 0 would make large.
        z = graph.add("Max", z, graph.number(-1000.0))
    return graph.add("Mul", z, tanh)


def _gelu(graph: GraphWriter, z: str) -> str:
    """``z Phi(z) = max(z, 0) - |z| Phi(-|z|)``.

    The usual ``z (1 + erf(z / sqrt 2)) / 2`` has no digits left where z is far below 0.
    """
    center, (*rest, last) = _NORMAL_TAIL[graph.dtype]
    a, c = graph.add("Abs", z), graph.number(center)
    u = graph.add("Div", graph.add("Sub", a, c), graph.add("Add", a, c))
    polynomial = graph.number(last)
    for coefficient in reversed(rest):
        product = graph.add("Mul", polynomial, u)
        polynomial = graph.add("Add", product, graph.number(coefficient))
    square = graph.add("Mul", graph.add("Mul", a, a), graph.number(-0.5))
    share = graph.add("Div", a, graph.add("Add", a, graph.number(1.0)))
    tail = graph.add("Mul", graph.add("Mul", share, polynomial), graph.add("Exp", square))
    return graph.add("Sub", graph.add("Relu", z), tail)


_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "Add",
    ast.Sub: "Sub",
    ast.Mult: "Mul",
    ast.Div: "Div",
    ast.Pow: "Pow",
    ast.USub: "Neg",
    ast.Gt: "Greater",
    ast.Lt: "Less",
    ast.GtE: "GreaterOrEqual",
    ast.LtE: "LessOrEqual",
}
_FUNCTIONS = {
    "abs": "Abs",
    "exp": "Exp",
    "log": "Log",
    "sqrt": "Sqrt",
    "tanh": "Tanh",
    "max": "Max",
    "min": "Min",
}


def _nodes_of(node: ast.expr, graph: GraphWriter, values: Mapping[str, str | float]) -> str:
    """Add the nodes of a part of a formula and return the name of its value."""
    if isinstance(node, ast.Name):
        value = values[node.id]
        return value if isinstance(value, str) else graph.number(value)
    if isinstance(node, ast.Constant):
        return graph.number(float(node.value))  # type: ignore[arg-type]
    operator, parts = "Where", list[ast.expr]()
    if isinstance(node, ast.BinOp):
        operator, parts = _OPERATORS[type(node.op)], [node.left, node.right]
    elif isinstance(node, ast.UnaryOp):
        operator, parts = _OPERATORS[type(node.op)], [node.operand]
    elif isinstance(node, ast.Compare):
        operator, parts = _OPERATORS[type(node.ops[0])], [node.left, *node.comparators]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        operator, parts = _FUNCTIONS[node.func.id], node.args
    elif isinstance(node, ast.IfExp):
        parts = [node.test, node.body, node.orelse]
    return graph.add(operator, *(_nodes_of(part, graph, values) for part in parts))


def _from_formula(activation: Activation) -> Callable[..., str] | None:
    try:
        tree = parsed(activation)
    except UnwrittenError:
        return None
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    if not called <= _FUNCTIONS.keys():
        return None
    return lambda graph, z, parameter=0.0: _nodes_of(tree, graph, {"z": z, PARAMETER: parameter})


ACTIVATIONS: ActivationTable[Callable[..., str]] = ActivationTable(
    "written as an ONNX graph",
    "ACTIVATIONS in fastmlp/export/onnx/activations.py",
    {
        "relu": _relu,
        "leaky_relu": _leaky_relu,
        "sigmoid": _sigmoid,
        "softmax": _softmax,
        "elu": _elu,
        "selu": _selu,
        "gelu": _gelu,
        "mish": _mish,
        "softplus": _softplus,
    },
    derive=_from_formula,
)
"""From each activation whose formula would lose digits to the function that adds its nodes.

It takes the graph, the name of the value and the parameter, if the activation has one.
"""


def add_activation(graph: GraphWriter, z: str, activation: Activation, out: str) -> None:
    """Add nodes that compute an activation of the value `z` and name the result `out`.

    Raises
    ------
    ValueError
        `ACTIVATIONS` has no row for it.
    """
    if activation.traits.is_identity:
        graph.add("Identity", z, out=out)
        return
    parameters = () if activation.parameter is None else (activation.parameter,)
    ACTIVATIONS.row(activation)(graph, z, *parameters)
    graph.name_last(out)
