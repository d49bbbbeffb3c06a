"""A trained network as one C99 header: `export_c`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..custom import CustomActivation
from ..names import describe
from ..program import (
    ActivationOp,
    AddOp,
    ConcatOp,
    DenseOp,
    EmbeddingOp,
    ScaleOp,
    SelectOp,
    Slot,
    Tensor,
)
from . import c_math
from .c_memory import Place, plan
from .c_source import (
    C_TYPES,
    Header,
    array,
    check_prefix,
    in_words,
    labels_of,
    literal,
    multiply_adds,
    op_in_words,
    total_features,
    version_line,
    write_header,
)

if TYPE_CHECKING:
    from ..predictor import Predictor

MATH = ("math.h", "inline")

_IS_FINITE = """
/* 1 where all n numbers are finite. */
static inline int P_is_finite(const real *x, int n)
{
    int finite = 1;
    for (int i = 0; i < n; ++i)
        finite &= (x[i] >= -LARGEST) & (x[i] <= LARGEST);
    return finite;
}
"""

_COPY = """
static inline void P_copy(const real *x, real *z, int n)
{
    for (int j = 0; j < n; ++j)
        z[j] = x[j];
}
"""

_DENSE = """
/* z = bias + x * weight; the weights of one input lie side by side, [n_in][n_out]. Four inputs at
   once, so that z is loaded and stored a quarter as often. */
static inline void P_dense(const real *x, const real *weight, const real *bias,
                           real *M_RESTRICT z, int n_in, int n_out)
{
    const real *w = weight;
    const int fours = n_in - n_in % 4;
    for (int j = 0; j < n_out; ++j)
        z[j] = bias ? bias[j] : 0.0;
    for (int i = 0; i < fours; i += 4, w += 4 * n_out) {
        const real *w1 = w + n_out, *w2 = w1 + n_out, *w3 = w2 + n_out;
        const real x0 = x[i], x1 = x[i + 1], x2 = x[i + 2], x3 = x[i + 3];
        for (int j = 0; j < n_out; ++j)
            z[j] += (x0 * w[j] + x1 * w1[j]) + (x2 * w2[j] + x3 * w3[j]);
    }
    for (int i = fours; i < n_in; ++i, w += n_out)
        for (int j = 0; j < n_out; ++j)
            z[j] += x[i] * w[j];
}
"""

_SCALE = """
/* z = z * scale + shift */
static inline void P_scale(real *z, const real *scale, const real *shift, int n)
{
    for (int j = 0; j < n; ++j)
        z[j] = z[j] * scale[j] + shift[j];
}
"""

_ADD = """
/* z = z + x */
static inline void P_add(const real *x, real *z, int n)
{
    for (int j = 0; j < n; ++j)
        z[j] += x[j];
}
"""

_SELECT = """
/* z[j] = x[columns[j]] */
static inline void P_select(const real *x, real *z, const int *columns, int n)
{
    for (int j = 0; j < n; ++j)
        z[j] = x[columns[j]];
}
"""

_CODE = """
/* A whole number from 0 to n - 1 as an int, -1 where x is none. */
static inline int P_code(real x, int n)
{
    const int code = x >= 0.0 && x < (real)n ? (int)x : -1;
    return (real)code < x ? -1 : code;
}
"""

_SOFTMAX = """
static inline void P_apply_softmax(real *z, int n)
{
    real largest = z[0], sum = 0.0;
    for (int j = 1; j < n; ++j)
        largest = z[j] > largest ? z[j] : largest;
    for (int j = 0; j < n; ++j)
        z[j] = P_exp(z[j] - largest);
    for (int j = 0; j < n; ++j)
        sum += z[j];
    for (int j = 0; j < n; ++j)
        z[j] /= sum;
}
"""

# Each activation as statements on one element, v; `p` is its parameter.
_ELEMENTWISE = {
    "relu": "v = v < 0.0 ? 0.0 : v;",
    "leaky_relu": "v = P_choose(v > 0.0, v, p * v);",
    "tanh": "v = P_tanh(v);",
    "sigmoid": "v = 1.0 / (1.0 + P_exp(-v));",
    "elu": "v = P_choose(v > 0.0, v, p * P_expm1(v));",
    "selu": ("v = P_choose(v > 0.0, 1.0507009873554805 * v, 1.7580993408473766 * P_expm1(v));"),
    "gelu": "v = 0.5 * v * P_erfc(-0.70710678118654757 * v);",
    "silu": "v = v / (1.0 + P_exp(-v));",
    "mish": """
/* tanh(log(1 + e^v)), which rounds to 1 long before 20 */
const real e = P_exp(P_choose(v < 20.0, v, 20.0));
const real m = e * (e + 2.0);
v = v * (m / (m + 2.0));
""",
    "softplus": "v = P_choose(v > 0.0, v, 0.0) + P_log1p(P_exp(-P_abs(v)));",
    "exp": "v = P_exp(v);",
}


def export_c(
    predictor: Predictor,
    path: str | os.PathLike[str],
    prefix: str = "model",
    math: str = "math.h",
) -> None:
    """Write a predictor as a C99 header, in the predictor's dtype.

    See `fastmlp.predictor.Predictor.export_c`.

    Parameters
    ----------
    predictor : Predictor
    path : str or path-like
        The header; its folder must exist.
    prefix : str
        What all names in it begin with.
    math : str
        ``"math.h"``, or ``"inline"`` for functions of the header's own.

    Raises
    ------
    TypeError
        `prefix` or `math` is no string.
    ValueError
        `prefix` is no C identifier, `math` is unknown, the network has a registered activation, or
        a weight is not finite.
    OSError
        The file cannot be written.
    """
    check_prefix(prefix)
    _check_math(math)
    _refuse_registered(predictor)
    write_header(path, _header(predictor, prefix, math == "math.h"))


def export_quantized(
    predictor: Predictor,
    path: str | os.PathLike[str],
    prefix: str,
    math: str,
    quantize: str | None,
    calibration: object,
) -> None:
    """Write a predictor as a C99 header that computes with integers.

    See `fastmlp.predictor.Predictor.export_c`; errors as in `export_c`.
    """
    check_prefix(prefix)
    _check_math(math)
    if quantize is None:
        raise ValueError(
            "calibration rows are for quantize='int8'; leave them out or add quantize='int8'"
        )
    if quantize != "int8":
        raise ValueError(f"quantize must be None or 'int8', got {describe(quantize)}")
    if calibration is None:
        raise ValueError(
            "quantize='int8' takes the ranges of all activations from rows of X, such as the "
            "training rows: pass calibration=X"
        )
    predictor.quantize(calibration).export_c(path, prefix)


def _check_math(math: object) -> None:
    if not isinstance(math, str):
        raise TypeError(f"math must be a string, got {describe(math)}")
    if math not in MATH:
        raise ValueError(f"math must be one of {', '.join(map(repr, MATH))}, got {math!r}")


def _refuse_registered(predictor: Predictor) -> None:
    """Raise a ValueError where an activation is a registered function: C has none of it."""
    for op in predictor.program.ops:
        if isinstance(op, ActivationOp) and isinstance(op.activation, CustomActivation):
            raise ValueError(
                f"activation {op.activation.name!r} is a registered Python function, which cannot "
                "be written in C; use one of fastmlp's own activations, or export_c(..., "
                "quantize='int8'), which makes a table of it"
            )


@dataclass
class _Source:
    """What the operations of a network add to its header."""

    predictor: Predictor
    prefix: str
    c_type: str
    places: dict[Slot, Place]
    templates: dict[str, None] = field(default_factory=dict)
    arrays: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    n_bytes: int = 0

    def at(self, slot: Slot, offset: int = 0) -> str:
        """Where a slot lies."""
        place = self.places[slot]
        total = place.offset + offset
        return place.base if total == 0 else f"{place.base} + {total}"

    def call(self, template: str, arguments: str) -> str:
        """Call the function of a template; it will be in the header."""
        self.templates[template] = None
        name = re.search(r"\bP_(\w+)\(", template)
        assert name is not None
        return f"{self.prefix}_{name[1]}({arguments});"

    def tensor(self, tensor: Tensor) -> str:
        """The name of the array of a tensor."""
        if tensor.name not in self.names:
            name = f"{self.prefix}_{tensor.name.replace('.', '_')}"
            note = " x ".join(map(str, tensor.shape))
            values = self.predictor.weights[tensor.name]
            self.names[tensor.name] = self._add(self.c_type, name, values, note)
        return self.names[tensor.name]

    def columns(self, columns: tuple[int, ...]) -> str:
        """The name of an array of column numbers."""
        key = str(columns)
        if key not in self.names:
            name = f"{self.prefix}_columns_{len(self.names)}"
            self.names[key] = self._add("int", name, np.asarray(columns), "column numbers")
        return self.names[key]

    def _add(self, c_type: str, name: str, values: Any, note: str) -> str:
        self.arrays += [*array(c_type, name, values, note), ""]
        self.n_bytes += np.size(values) * (8 if c_type == "double" else 4)
        return name


def _move(x: Slot, out: Slot, source: _Source) -> list[str]:
    """Copy a slot where the operation cannot work in place."""
    if source.places[x] == source.places[out]:
        return []
    return [source.call(_COPY, f"{source.at(x)}, {source.at(out)}, {out.width}")]


def _dense(op: DenseOp, source: _Source) -> list[str]:
    weight, bias = source.tensor(op.weight), source.tensor(op.bias) if op.bias else "0"
    places = f"{source.at(op.x)}, {weight}, {bias}, {source.at(op.out)}"
    return [source.call(_DENSE, f"{places}, {op.x.width}, {op.out.width}")]


def _activation(op: ActivationOp, source: _Source) -> list[str]:
    name, parameter = op.activation.name, op.activation.parameter
    lines = _move(op.x, op.out, source)
    if name == "linear":
        return lines
    arguments = f"{source.at(op.out)}, {op.out.width}"
    if name == "softmax":
        return [*lines, source.call(_SOFTMAX, arguments)]
    if parameter is not None:
        arguments += f", {literal(parameter, source.c_type)}"
    return [*lines, source.call(_elementwise(name, parameter is not None), arguments)]


def _elementwise(name: str, has_parameter: bool) -> str:
    """The template of a function that applies an activation to n numbers."""
    statements = _ELEMENTWISE[name].strip().splitlines()
    body = "\n".join(f"        {line}" for line in statements)
    body = re.sub(r"\bv\b", "z[j]", body)
    if len(statements) == 1 and "z[j]" in body:
        loop = f"    for (int j = 0; j < n; ++j)\n{body}"
    else:
        loop = f"    for (int j = 0; j < n; ++j) {{\n{body}\n    }}"
    parameter = ", real p" if has_parameter else ""
    head = f"static inline void P_apply_{name}(real *z, int n{parameter})"
    return f"\n{head}\n{{\n{loop}\n}}\n"


def _scale(op: ScaleOp, source: _Source) -> list[str]:
    scale, shift = source.tensor(op.scale), source.tensor(op.shift)
    call = source.call(_SCALE, f"{source.at(op.out)}, {scale}, {shift}, {op.out.width}")
    return [*_move(op.x, op.out, source), call]


def _add(op: AddOp, source: _Source) -> list[str]:
    # One of the two may lie where the sum goes.
    x, y = (op.y, op.x) if source.places[op.y] == source.places[op.out] else (op.x, op.y)
    call = source.call(_ADD, f"{source.at(y)}, {source.at(op.out)}, {op.out.width}")
    return [*_move(x, op.out, source), call]


def _select(op: SelectOp, source: _Source) -> list[str]:
    places, columns = f"{source.at(op.x)}, {source.at(op.out)}", source.columns(op.columns)
    return [source.call(_SELECT, f"{places}, {columns}, {op.out.width}")]


def _concat(op: ConcatOp, source: _Source) -> list[str]:
    lines, start = [f"/* {op_in_words(op)} */"], 0
    for part in op.parts:
        to = source.at(op.out, start)
        lines.append(source.call(_COPY, f"{source.at(part)}, {to}, {part.width}"))
        start += part.width
    return lines


def _embedding(op: EmbeddingOp, source: _Source) -> list[str]:
    lines, start = [f"/* {op_in_words(op)} */"], len(op.kept)
    if op.kept:
        arguments = f"{source.at(op.x)}, {source.at(op.out)}, {source.columns(op.kept)}, {start}"
        lines.append(source.call(_SELECT, arguments))
    for column, table in zip(op.columns, op.tables, strict=True):
        n_categories, dim = table.shape
        x = source.places[op.x]
        value = f"{x.base}[{x.offset + column}]"
        lines.append(f"code = {source.call(_CODE, f'{value}, {n_categories}')}")
        lines.append("if (code < 0)")
        lines.append(f"    return {source.prefix.upper()}_ERROR_CATEGORY;")
        row = f"{source.tensor(table)} + code * {dim}"
        lines.append(source.call(_COPY, f"{row}, {source.at(op.out, start)}, {dim}"))
        start += dim
    return lines


EMITTERS: dict[type, Callable[[Any, _Source], list[str]]] = {
    DenseOp: _dense,
    ActivationOp: _activation,
    ScaleOp: _scale,
    AddOp: _add,
    SelectOp: _select,
    ConcatOp: _concat,
    EmbeddingOp: _embedding,
}
"""The statements of each operation of a frozen program."""


def _header(predictor: Predictor, prefix: str, library: bool) -> Header:
    program = predictor.program
    c_type = C_TYPES[program.dtype]
    places, n_scratch = plan(program)
    source = _Source(predictor, prefix, c_type, places)
    statements: list[str] = []
    for op in program.ops:
        statements += EMITTERS[type(op)](op, source)
    if places[program.output].base != "y":
        arguments = f"{source.at(program.output)}, y, {program.output.width}"
        statements.append(source.call(_COPY, arguments))
    errors = {
        "ERROR_NULL": "x, y or scratch is a null pointer",
        "ERROR_NOT_FINITE": "x holds NaN or infinity",
    }
    if any(isinstance(op, EmbeddingOp) for op in program.ops):
        errors["ERROR_CATEGORY"] = "a category's code is no whole number in its range"
    functions, uses_library = _functions(source, library)
    title = [version_line(prefix, f"a neural network ({c_type})")]
    if program.wide is not None:
        n_wide, n_deep = program.wide.width, program.input.width
        title.append(f"x holds the {n_wide} columns of X_wide, then the {n_deep} of X_deep.")
    return Header(
        prefix=prefix,
        c_type=c_type,
        title=title,
        layers=in_words(program),
        sizes=[
            ("constants", f"{source.n_bytes} bytes: weights and column numbers"),
            ("scratch", f"{n_scratch * np.dtype(program.dtype).itemsize} bytes"),
            ("work", f"{multiply_adds(program)} multiply-adds in dense layers"),
        ],
        n_features=total_features(predictor.n_features),
        n_outputs=predictor.n_outputs,
        n_scratch=n_scratch,
        task=predictor.task,
        feature_names=predictor.feature_names,
        labels=labels_of(predictor.classes),
        errors=errors,
        includes=["math.h"] if uses_library else [],
        body=[*source.arrays, *functions, *_predict(source, statements)],
    )


def _functions(source: _Source, library: bool) -> tuple[list[str], bool]:
    """Lines of the functions that the network calls, and whether they need ``math.h``."""
    templates = [_IS_FINITE, *source.templates]
    used = {name for template in templates for name in c_math.used_functions(template)}
    lines = c_math.definitions(used, source.prefix, source.c_type, library)
    largest = literal(float(np.finfo(source.predictor.dtype).max), source.c_type)
    for template in templates:
        text = template.strip("\n").replace("LARGEST", largest)
        lines += [*c_math.render(text, source.prefix, source.c_type, library).splitlines(), ""]
    return lines, library and bool(used - {"choose"})


def _predict(source: _Source, statements: list[str]) -> list[str]:
    p, t = source.prefix, source.c_type
    macro = p.upper()
    head = f"static inline int {p}_predict("
    head += f"const {t} *x, {t} *y, {t} *scratch)"
    code = ["int code;"] if any(line.startswith("code = ") for line in statements) else []
    body = [
        *code,
        "if (!x || !y || !scratch)",
        f"    return {macro}_ERROR_NULL;",
        f"if (!{p}_is_finite(x, {macro}_N_FEATURES))",
        f"    return {macro}_ERROR_NOT_FINITE;",
        *statements,
        f"return {macro}_OK;",
    ]
    about = f"/* Predict one row: x to y. Returns {macro}_OK, or an error with y untouched. */"
    return [about, head, "{", *(f"    {line}" for line in body), "}"]
