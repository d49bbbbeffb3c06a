"""The activation functions of Python files that `export_python` writes, as source text."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import ClassVar, NamedTuple

from ...declarations.activation_table import ActivationTable
from ...declarations.activations import Activation
from ...kernels.constants import SELU_ALPHA, SELU_SCALE
from ..formula import PARAMETER, UnwrittenError, Writer, call


class Function(NamedTuple):
    """The source of an activation, and what else a file must hold to call it.

    Attributes
    ----------
    call : str
        The function's name there.
    source : str
        Its definition; empty where NumPy has it.
    needs : tuple of str
        Activations that it calls.
    imports : tuple of str
        Modules of the standard library.
    """

    call: str
    source: str = ""
    needs: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()


_ROWS = {
    "relu": Function(
        "relu",
        '''
def relu(z):
    """Return max(z, 0)."""
    return np.maximum(z, 0)
''',
    ),
    "leaky_relu": Function(
        "leaky_relu",
        '''
def leaky_relu(z, slope):
    """Return z where z > 0, else slope z."""
    return np.where(z > 0, z, slope * z)
''',
    ),
    "sigmoid": Function(
        "sigmoid",
        '''
def sigmoid(z):
    """Return 1 / (1 + e^-z); no exponent is positive, so that nothing overflows."""
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)
''',
    ),
    "softmax": Function(
        "softmax",
        '''
def softmax(z):
    """Return e^z_j / sum_k e^z_k over each row, shifted by its largest entry."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
''',
    ),
    "elu": Function(
        "elu",
        '''
def elu(z, alpha):
    """Return z where z > 0, else alpha (e^z - 1)."""
    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))
''',
    ),
    "selu": Function(
        "selu",
        '''
def selu(z):
    """Return scale z where z > 0, else scale alpha (e^z - 1)."""
    scale, alpha = SCALE, ALPHA
    return scale * np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))
'''.replace("SCALE", repr(SELU_SCALE)).replace("ALPHA", repr(SELU_ALPHA)),
    ),
    "gelu": Function(
        "gelu",
        '''
# NumPy has no error function; this calls Python's for each element, some 0.1 us.
erfc = np.frompyfunc(math.erfc, 1, 1)


def gelu(z):
    """Return z Phi(z), Phi(z) = erfc(-z / sqrt 2) / 2, the normal distribution function."""
    return z * (erfc(z * -math.sqrt(0.5)).astype(z.dtype) / 2)
''',
        imports=("math",),
    ),
    "silu": Function(
        "silu",
        '''
def silu(z):
    """Return z sigmoid(z)."""
    return z * sigmoid(z)
''',
        needs=("sigmoid",),
    ),
    "softplus": Function(
        "softplus",
        '''
def softplus(z):
    """Return log(1 + e^z) = max(z, 0) + log(1 + e^-|z|)."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))
''',
    ),
    "mish": Function(
        "mish",
        '''
def mish(z):
    """Return z tanh(softplus(z))."""
    return z * np.tanh(softplus(z))
''',
        needs=("softplus",),
    ),
}


class _Writer(Writer):
    """Writes formulas as NumPy expressions."""

    functions: ClassVar[Mapping[str, str]] = {
        **{name: f"np.{name}" for name in ("abs", "exp", "expm1", "log", "log1p", "sqrt", "tanh")},
        "max": "np.maximum",
        "min": "np.minimum",
    }

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        return call("np.where", *map(self.visit, (node.test, node.body, node.orelse)))


def _from_formula(activation: Activation) -> Function | None:
    try:
        text = _Writer().write(activation)
    except UnwrittenError:
        return None
    # A function of NumPy's own.
    if text.endswith("(z)") and text.count("(") == 1:
        return Function(text.removesuffix("(z)"))
    name, more = activation.name, "" if activation.parameter is None else f", {PARAMETER}"
    return Function(
        name, f'\ndef {name}(z{more}):\n    """Return {name}(z)."""\n    return {text}\n'
    )


ACTIVATIONS = ActivationTable(
    "written as a Python file",
    "ACTIVATIONS in fastmlp/export/python/activations.py",
    _ROWS,
    derive=_from_formula,
)
"""From each activation whose formula is not what NumPy should compute to its function."""


def functions_of(activations: Iterable[Activation]) -> list[Function]:
    """The functions of these activations and those that they call, each once, called ones first.

    Raises
    ------
    ValueError
        `ACTIVATIONS` has no row for one.
    """
    found: dict[str, Function] = {}
    for activation in sorted(activations, key=lambda each: each.name):
        row = ACTIVATIONS.row(activation)
        for name in row.needs:
            found.setdefault(name, ACTIVATIONS[name])
        found.setdefault(activation.name, row)
    return list(found.values())
