"""A trained network as one C99 header: `export_c`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...common.checks import describe
from ...common.dispatch import DispatchTable
from ...program.column_ops import PeriodicOp, PiecewiseLinearOp
from ...program.operation import Slot, Tensor
from ...program.ops import (
    ActivationOp,
    AddOp,
    ClipOp,
    ConcatOp,
    DenseOp,
    EmbeddingOp,
    OneHotOp,
    ParametricOp,
    ScaleOp,
    SelectOp,
)
from ..costs import multiply_adds
from ..supported import check_supported
from ..words import in_words
from . import activations as c_activations
from . import functions as c_functions
from . import math as c_math
from .frame import Header, labels_of, total_features, version_line, write_header
from .memory import Place, plan
from .source import (
    ARGUMENT_ERRORS,
    C_TYPES,
    array,
    check_prefix,
    finite_check,
    literal,
    predict_function,
)

if TYPE_CHECKING:
    from ...inference.predictor import Predictor

MATH = ("math.h", "inline")
_NO_CODE = "a category's code is no whole number in its range"


def export_c(
    predictor: Predictor,
    path: str | os.PathLike[str],
    prefix: str = "model",
    math: str = "math.h",
) -> None:
    """Write a predictor as a C99 header, in the predictor's dtype.

    See `fastmlp.inference.predictor.Predictor.export_c`.

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
    hint = ", or export_c(..., quantize='int8'), which makes a table of it"
    check_supported(predictor.program, "C", EMITTERS, c_activations.ACTIVATIONS, hint)
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

    See `fastmlp.inference.predictor.Predictor.export_c`; errors as in `export_c`.
    """
    check_prefix(prefix)
    _check_math(math)
    if quantize is None:
        raise ValueError(
            "calibration rows are for quantize='int8'; leave them out or add quantize='int8'"
        )
    if not isinstance(quantize, str) or quantize != "int8":
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


@dataclass
class _Source:
    """Functions and arrays that the operations of a network add to its header.

    Statements are templates as `c_math.render` takes them; arrays have their final names.
    """

    predictor: Predictor
    prefix: str
    c_type: str
    places: dict[Slot, Place]
    templates: dict[str, None] = field(default_factory=dict)
    arrays: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    n_bytes: int = 0

    def at(self, slot: Slot, offset: int = 0) -> str:
        """The place of a slot, as C has it."""
        place = self.places[slot]
        total = place.offset + offset
        return place.base if total == 0 else f"{place.base} + {total}"

    def call(self, template: str, arguments: str) -> str:
        """Call the function of a template; it will be in the header."""
        self.templates[template] = None
        name = re.search(r"\bP_(\w+)\(", template)
        assert name is not None
        return f"P_{name[1]}({arguments});"

    def tensor(self, tensor: Tensor) -> str:
        """The name of the array of a tensor."""
        if tensor.name not in self.names:
            name = tensor.name.replace(".", "_")
            note = " x ".join(map(str, tensor.shape))
            values = self.predictor.weights[tensor.name]
            self.names[tensor.name] = self._add(self.c_type, name, values, note)
        return self.names[tensor.name]

    def columns(self, columns: tuple[int, ...]) -> str:
        """The name of an array of column numbers."""
        key = str(columns)
        if key not in self.names:
            name = f"columns_{len(self.names)}"
            self.names[key] = self._add("int", name, np.asarray(columns), "column numbers")
        return self.names[key]

    def numbers(self, values: tuple[float, ...]) -> str:
        """The name of an array of bounds."""
        name = f"bounds_{len(self.names)}"
        if (key := f"bounds {values}") not in self.names:
            rounded = np.asarray(values, self.predictor.dtype)
            self.names[key] = self._add(self.c_type, name, rounded, "bounds")
        return self.names[key]

    def _add(self, c_type: str, name: str, values: Any, note: str) -> str:
        self.arrays += [*array(c_type, f"{self.prefix}_{name}", values, note), ""]
        self.n_bytes += np.size(values) * (8 if c_type == "double" else 4)
        return f"P_{name}"


def _move(x: Slot, out: Slot, source: _Source) -> list[str]:
    """Copy a slot where the operation cannot work in place."""
    if source.places[x] == source.places[out]:
        return []
    return [source.call(c_functions.COPY, f"{source.at(x)}, {source.at(out)}, {out.width}")]


def _dense(op: DenseOp, source: _Source) -> list[str]:
    weight, bias = source.tensor(op.weight), source.tensor(op.bias) if op.bias else "0"
    places = f"{source.at(op.x)}, {weight}, {bias}, {source.at(op.out)}"
    return [source.call(c_functions.DENSE, f"{places}, {op.x.width}, {op.out.width}")]


def _activation(op: ActivationOp, source: _Source) -> list[str]:
    lines = _move(op.x, op.out, source)
    if op.activation.traits.is_identity:
        return lines
    arguments = f"{source.at(op.out)}, {op.out.width}"
    if op.activation.parameter is not None:
        arguments += f", {literal(op.activation.parameter, source.c_type)}"
    return [*lines, source.call(c_activations.template(op.activation), arguments)]


def _parametric(op: ParametricOp, source: _Source) -> list[str]:
    lines = _move(op.x, op.out, source)
    if op.activation.traits.is_identity:
        return lines
    arguments = f"{source.at(op.out)}, {source.tensor(op.weight)}, {op.out.width}"
    if op.activation.parameter is not None:
        arguments += f", {literal(op.activation.parameter, source.c_type)}"
    return [*lines, source.call(c_activations.mixed_template(op.activation), arguments)]


def _scale(op: ScaleOp, source: _Source) -> list[str]:
    scale, shift = source.tensor(op.scale), source.tensor(op.shift)
    call = source.call(c_functions.SCALE, f"{source.at(op.out)}, {scale}, {shift}, {op.out.width}")
    return [*_move(op.x, op.out, source), call]


def _clip(op: ClipOp, source: _Source) -> list[str]:
    low, high = source.numbers(op.low), source.numbers(op.high)
    call = source.call(c_functions.CLIP, f"{source.at(op.out)}, {low}, {high}, {op.out.width}")
    return [*_move(op.x, op.out, source), call]


def _add(op: AddOp, source: _Source) -> list[str]:
    # One of the two may lie where the sum goes.
    x, y = (op.y, op.x) if source.places[op.y] == source.places[op.out] else (op.x, op.y)
    call = source.call(c_functions.ADD, f"{source.at(y)}, {source.at(op.out)}, {op.out.width}")
    return [*_move(x, op.out, source), call]


def _select(op: SelectOp, source: _Source) -> list[str]:
    places, columns = f"{source.at(op.x)}, {source.at(op.out)}", source.columns(op.columns)
    return [source.call(c_functions.SELECT, f"{places}, {columns}, {op.out.width}")]


def _concat(op: ConcatOp, source: _Source) -> list[str]:
    lines, start = [f"/* {op.description} */"], 0
    for part in op.parts:
        to = source.at(op.out, start)
        lines.append(source.call(c_functions.COPY, f"{source.at(part)}, {to}, {part.width}"))
        start += part.width
    return lines


def _passthrough(op: EmbeddingOp | OneHotOp, source: _Source) -> list[str]:
    if not op.passthrough:
        return []
    places, columns = f"{source.at(op.x)}, {source.at(op.out)}", source.columns(op.passthrough)
    return [source.call(c_functions.SELECT, f"{places}, {columns}, {len(op.passthrough)}")]


def _one_hot(op: OneHotOp, source: _Source) -> list[str]:
    lines, start = [f"/* {op.description} */", *_passthrough(op, source)], len(op.passthrough)
    x = source.places[op.x]
    for column, levels in zip(op.columns, op.levels, strict=True):
        value = f"{x.base}[{x.offset + column}]"
        arguments = f"{value}, {source.tensor(levels)}, {source.at(op.out, start)}, {levels.size}"
        call = source.call(c_functions.ONE_HOT, arguments)
        if column in op.strict:
            lines += [f"code = {call}", "if (code == 0)", "    return M_ERROR_CATEGORY;"]
        else:
            lines.append(f"(void){call}")
        start += levels.size
    return lines


def _embedding(op: EmbeddingOp, source: _Source) -> list[str]:
    lines, start = [f"/* {op.description} */", *_passthrough(op, source)], len(op.passthrough)
    for column, table in zip(op.columns, op.tables, strict=True):
        n_categories, dim = table.shape
        x = source.places[op.x]
        value = f"{x.base}[{x.offset + column}]"
        lines.append(f"code = {source.call(c_functions.CODE, f'{value}, {n_categories}')}")
        lines.append("if (code < 0)")
        lines.append("    return M_ERROR_CATEGORY;")
        row = f"{source.tensor(table)} + code * {dim}"
        lines.append(source.call(c_functions.COPY, f"{row}, {source.at(op.out, start)}, {dim}"))
        start += dim
    return lines


def _periodic(op: PeriodicOp, source: _Source) -> list[str]:
    tensors = ", ".join(map(source.tensor, op.tensors))
    sizes = ", ".join(map(str, op.sizes))
    arguments = f"{source.at(op.x)}, {tensors}, {source.at(op.out)}, {sizes}"
    return [source.call(c_functions.PERIODIC, arguments)]


def _piecewise(op: PiecewiseLinearOp, source: _Source) -> list[str]:
    (columns, bins), edges = op.sizes, source.tensor(op.edges)
    arguments = f"{source.at(op.x)}, {edges}, {source.at(op.out)}, {columns}, {bins}"
    return [source.call(c_functions.PIECEWISE, arguments)]


EMITTERS: DispatchTable[Callable[[Any, _Source], list[str]]] = DispatchTable(
    "EMITTERS",
    __name__,
    {
        DenseOp: _dense,
        ActivationOp: _activation,
        ParametricOp: _parametric,
        ScaleOp: _scale,
        ClipOp: _clip,
        AddOp: _add,
        SelectOp: _select,
        ConcatOp: _concat,
        EmbeddingOp: _embedding,
        PeriodicOp: _periodic,
        OneHotOp: _one_hot,
        PiecewiseLinearOp: _piecewise,
    },
)
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
        statements.append(source.call(c_functions.COPY, arguments))
    errors = dict(ARGUMENT_ERRORS)
    if any(op.can_fail for op in program.ops):
        is_one_hot = any(isinstance(op, OneHotOp) for op in program.ops)
        what = "a category is none of training" if is_one_hot else _NO_CODE
        errors["ERROR_CATEGORY"] = what
    functions, uses_library = _body(source, statements, library)
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
        body=[*source.arrays, *functions],
    )


def _body(source: _Source, statements: list[str], library: bool) -> tuple[list[str], bool]:
    """Lines of all functions, and whether they need ``math.h``."""
    prefix, c_type = source.prefix, source.c_type
    used = {name for template in source.templates for name in c_math.used_functions(template)}
    if any(line.startswith("code = ") for line in statements):
        statements = ["int code;", *statements]
    templates = [finite_check(c_type), *source.templates, predict_function(c_type, statements)]
    lines = c_math.definitions(used, prefix, c_type, library)
    for template in templates:
        text = c_math.render(template.strip("\n"), prefix, c_type, library)
        lines += [*text.splitlines(), ""]
    return lines[:-1], library and bool(used - {"choose"})
