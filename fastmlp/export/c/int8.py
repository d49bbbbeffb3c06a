"""An int8 network as one C99 header: the arithmetic of `int8.kernels`, bit for bit.

Only these float operations occur: one product of each input, and of each output one conversion and
one product or quotient. None is followed by a sum of floats, so that a compiler has nothing to
merge. Signed numbers are shifted to the right only where they are not negative, and slots of codes
lie in the caller's scratch as ``signed char``, which may alias anything.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...int8.constants import Constant, constants
from ...int8.program import (
    Codes,
    CurveToCodes,
    CurveToFloat,
    DenseSource,
    IntegerProgram,
    Join,
    SoftmaxToCodes,
    SoftmaxToFloat,
    Step,
    ToCodes,
    ToFloat,
    offsets,
)
from ..costs import multiply_adds
from ..words import in_words
from .frame import Header, labels_of, version_line, write_header
from .int8_functions import FUNCTIONS
from .source import ARGUMENT_ERRORS, array, check_prefix, literal, predict_function, with_prefix

if TYPE_CHECKING:
    from ...int8.predictor import QuantizedPredictor
    from ...kernels.typing import Array


def export_c_int8(
    predictor: QuantizedPredictor, path: str | os.PathLike[str], prefix: str = "model"
) -> None:
    """Write an int8 network as a C99 header.

    See `fastmlp.int8.predictor.QuantizedPredictor.export_c`.

    Raises
    ------
    TypeError, ValueError
        `prefix` is no C identifier.
    OSError
        The file cannot be written.
    """
    check_prefix(prefix)
    write_header(path, _header(predictor, prefix))


@dataclass
class _Writer:
    """Writes the statements of steps.

    `places` has the byte at which each slot begins, `floats` the first float behind them all.
    """

    program: IntegerProgram
    places: dict[Codes, int]
    floats: int
    stored: set[str] = field(default_factory=set)

    def at(self, codes: Codes, index: str) -> str:
        """A code of a slot."""
        place = self.places[codes]
        return f"codes[{index}]" if place == 0 else f"codes[{place} + {index}]"

    def start(self, codes: Codes) -> str:
        """The place at which a slot begins."""
        place = self.places[codes]
        return "codes" if place == 0 else f"codes + {place}"

    def number(self, kind: str, place: int | None, values: Array, c_type: str) -> str:
        """Element j of a constant, or the number that all of its elements are."""
        constant = Constant(kind, place, c_type, values)
        if constant.name in self.stored:
            return f"P_{constant.name}[j]"
        return literal(values.flat[0].item(), c_type)

    def encode(self) -> list[str]:
        """Codes of x."""
        entry = self.program.encode.out
        inverse = self.number("inverse", None, self.program.encode.inverse, "float")
        zero_point = self.number("zero_point", None, entry.zero_point, "int32_t")
        return [
            "/* the input in codes */",
            f"for (int j = 0; j < {entry.width}; ++j)",
            f"    {self.at(entry, 'j')} = P_encode(x[j], {inverse}, {zero_point});",
        ]

    def join(self, step: Join, place: int) -> list[str]:
        """Columns of other slots."""
        if step.columns is not None:
            source = self.at(step.inputs[0], f"P_columns_{place}[j]")
            return _loop(step.out.width, f"{self.at(step.out, 'j')} = {source};")
        lines, start = [], 0
        for codes in step.inputs:
            target = self.at(step.out, f"{start} + j" if start else "j")
            lines += _loop(codes.width, f"{target} = {self.at(codes, 'j')};")
            start += codes.width
        return lines

    def step(self, step: Step, place: int) -> list[str]:
        """Accumulators and what becomes of them."""
        acc, n = self._accumulator(step, place)
        statement, after = self._finish(step, place, n)
        return [
            f"for (int j = 0; j < {n}; ++j) {{",
            f"    const int32_t acc = {acc};",
            f"    {statement}",
            "}",
            *after,
        ]

    def _accumulator(self, step: Step, place: int) -> tuple[str, int]:
        """The accumulator of column j, and how many columns there are."""
        source = step.source
        bias = self.number("bias", place, source.bias, "int32_t")
        if isinstance(source, DenseSource):
            n_out, n_in = source.weight.shape
            row = f"P_weight_{place} + {n_in} * j"
            return f"P_dot({row}, {self.start(source.x)}, {n_in}) + {bias}", n_out
        terms = []
        for k, (codes, factor) in enumerate(zip(source.inputs, source.factors, strict=True)):
            number = self.number(f"factor{k}", place, factor, "int32_t")
            terms.append(f"(int32_t){self.at(codes, 'j')} * {number}")
        return " + ".join([*terms, bias]), len(source.bias)

    def _finish(self, step: Step, place: int, n: int) -> tuple[str, list[str]]:
        """The statement that takes accumulator j on, and what follows the loop."""
        finish = step.finish
        if isinstance(finish, ToFloat | SoftmaxToFloat | SoftmaxToCodes):
            scale = self.number("scale", place, finish.scale, "float")
            if isinstance(finish, ToFloat):
                acc = "(acc > 0 ? acc : 0)" if finish.relu else "acc"
                return f"y[j] = (float){acc} * {scale};", []
            if isinstance(finish, SoftmaxToFloat):
                return f"y[j] = (float)acc * {scale};", [f"P_softmax(y, {n});"]
            call = f"P_softmax_codes(scratch + {self.floats}, {self.start(_out(step))}, {n});"
            return f"scratch[{self.floats} + j] = (float)acc * {scale};", [call]
        multiplier = self.number("multiplier", place, finish.multiplier, "int32_t")
        rescaled = f"P_rescale(acc, {multiplier}, {finish.shift})"
        if isinstance(finish, CurveToFloat):
            curve = f"P_curve(P_table_{place}, {rescaled} + {finish.offset})"
            return f"y[j] = (float){curve} * {literal(finish.scale, 'float')};", []
        if isinstance(finish, CurveToCodes):
            value = f"P_curve_code(P_table_{place}, {rescaled} + {finish.offset})"
        else:
            value = f"P_code({rescaled} + {finish.zero_point})"
        return f"{self.at(_out(step), 'j')} = {value};", []


def _out(step: Step) -> Codes:
    if step.out is None:
        raise TypeError(f"{type(step.finish).__name__} makes codes, but its step has no slot")
    return step.out


def _loop(n: int, statement: str) -> list[str]:
    return [f"for (int j = 0; j < {n}; ++j)", f"    {statement}"]


def _header(predictor: QuantizedPredictor, prefix: str) -> Header:
    program, report = predictor.integers, predictor.report
    places, n_bytes = offsets(program)
    n_floats = max(
        (step.out.width for step in program.steps if _is_hidden_softmax(step) and step.out),
        default=0,
    )
    first_float = -(-n_bytes // 4)
    stored = constants(program)
    writer = _Writer(program, places, first_float, {constant.name for constant in stored})
    statements = writer.encode()
    for place, step in enumerate(program.steps):
        lines = writer.join(step, place) if isinstance(step, Join) else writer.step(step, place)
        statements += [f"/* {_about(step, place)} */", *lines]
    n_scratch = first_float + n_floats
    float_program = predictor.predictor.program
    return Header(
        prefix=prefix,
        c_type="float",
        title=[
            version_line(prefix, "a neural network in integers of 8 bits"),
            "Values are scale * (code - zero point); weights and values are int8, sums int32.",
        ],
        layers=in_words(float_program),
        sizes=[
            (
                "weights",
                f"{report.weight_bytes} bytes; {report.int8_bytes} bytes of constants in all",
            ),
            ("scratch", f"{n_scratch} floats, {4 * n_scratch} bytes"),
            ("work", f"{multiply_adds(float_program)} multiply-adds in dense layers"),
        ],
        n_features=predictor.n_features,
        n_outputs=predictor.n_outputs,
        n_scratch=n_scratch,
        task=predictor.task,
        feature_names=predictor.feature_names,
        labels=labels_of(predictor.classes),
        errors=ARGUMENT_ERRORS,
        includes=["stdint.h"],
        body=[*_arrays(stored, prefix), *_code(statements, prefix)],
    )


def _is_hidden_softmax(step: Step | Join) -> bool:
    return isinstance(step, Step) and isinstance(step.finish, SoftmaxToCodes)


_WORDS = {
    ToCodes: "codes",
    CurveToCodes: "codes of a curve",
    SoftmaxToCodes: "codes of a softmax",
    ToFloat: "floats",
    CurveToFloat: "floats of a curve",
    SoftmaxToFloat: "a softmax in floats",
}


def _about(step: Step | Join, place: int) -> str:
    if isinstance(step, Join):
        return f"step {place}: {step.out.width} columns"
    if isinstance(step.source, DenseSource):
        n_out, n_in = step.source.weight.shape
        return f"step {place}: dense {n_in} -> {n_out}, then {_WORDS[type(step.finish)]}"
    width, inputs = step.source.inputs[0].width, len(step.source.inputs)
    kind = "sum of two" if inputs == 2 else "column by column"
    return f"step {place}: {width}, {kind}, then {_WORDS[type(step.finish)]}"


def _arrays(stored: list[Constant], prefix: str) -> list[str]:
    lines: list[str] = []
    for constant in stored:
        shape = "".join(f"[{length}]" for length in constant.values.shape)
        note = f"{shape}, step {constant.place}" if constant.place is not None else shape
        name = f"{prefix}_{constant.name}"
        lines += [*array(constant.c_type, name, constant.values, note), ""]
    return lines


def _code(statements: list[str], prefix: str) -> list[str]:
    """Lines of all functions that are called, and of ``predict``."""
    lines = (line.replace("+ -", "- ") for line in statements)
    predict = predict_function("float", ["signed char *codes = (signed char *)scratch;", *lines])
    text = predict.strip("\n")
    for template in reversed(FUNCTIONS):
        names = re.findall(r"\b(P_\w+)\([^)]*\)\n\{", template)
        if any(f"{name}(" in text for name in names):
            text = template.strip("\n") + "\n\n" + text
    return with_prefix(text, prefix).splitlines()
