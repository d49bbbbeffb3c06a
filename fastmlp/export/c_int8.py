"""An int8 network as one C99 header: the arithmetic of `integer_kernels`, bit for bit.

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

import numpy as np

from ..int8.constants import Constant, constants
from ..int8.fixed_point import (
    CODE_MAX,
    CODE_MIN,
    CURVE_BITS,
    CURVE_INTERVALS,
    INPUT_BITS,
    INPUT_LIMIT,
    POWER_BITS,
    SOFTMAX_BITS,
    SOFTMAX_LIMIT,
)
from ..int8.program import (
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
from .c_source import (
    Header,
    array,
    check_prefix,
    in_words,
    labels_of,
    literal,
    multiply_adds,
    version_line,
    write_header,
)

if TYPE_CHECKING:
    from ..int8.predictor import QuantizedPredictor
    from ..kernels.typing import Array

_IS_FINITE = """
/* 1 where all n numbers are finite. */
static inline int P_is_finite(const float *x, int n)
{
    int finite = 1;
    for (int i = 0; i < n; ++i)
        finite &= (x[i] >= -LARGEST) & (x[i] <= LARGEST);
    return finite;
}
"""

_CODE = f"""
static inline signed char P_code(int64_t value)
{{
    return (signed char)(value < {CODE_MIN} ? {CODE_MIN} : value > {CODE_MAX} ? {CODE_MAX} : value);
}}
"""

_SHIFTED = """
/* floor(value / 2^shift) */
static inline int64_t P_shifted(int64_t value, int shift)
{
    return value >= 0 ? value >> shift : ~(~value >> shift);
}
"""

_ENCODE = f"""
/* The code of x * inverse / {1 << INPUT_BITS} + zero_point, halves up. */
static inline signed char P_encode(float x, float inverse, int32_t zero_point)
{{
    const float scaled = x * inverse;
    const float low = scaled < -{INPUT_LIMIT}.0f ? -{INPUT_LIMIT}.0f : scaled;
    const int32_t whole = (int32_t)(low > {INPUT_LIMIT}.0f ? {INPUT_LIMIT}.0f : low);
    return P_code(P_shifted((int64_t)whole + {1 << (INPUT_BITS - 1)}, {INPUT_BITS}) + zero_point);
}}
"""

_DOT = """
static inline int32_t P_dot(const int8_t *weight, const signed char *codes, int n)
{
    int32_t sum = 0;
    for (int i = 0; i < n; ++i)
        sum += weight[i] * codes[i];
    return sum;
}
"""

_RESCALE = """
/* acc * multiplier / 2^shift, halves up */
static inline int64_t P_rescale(int32_t acc, int32_t multiplier, int shift)
{
    return P_shifted((int64_t)acc * multiplier + ((int64_t)1 << (shift - 1)), shift);
}
"""

_LAST = (CURVE_INTERVALS << CURVE_BITS) - 1

_POSITION = f"""
static inline int32_t P_position(int64_t position)
{{
    return (int32_t)(position < 0 ? 0 : position > {_LAST} ? {_LAST} : position);
}}
"""


def _curve(c_type: str) -> str:
    """Interpolation: the upper bits of a position choose a node, the lower ones go on from it."""
    return f"""
    const int32_t place = P_position(position), part = place & {(1 << CURVE_BITS) - 1};
    const {c_type} *node = table + (place >> {CURVE_BITS});
    const int32_t step = (int32_t)node[1] - (int32_t)node[0];
    const int32_t value = {1 << CURVE_BITS} * (int32_t)node[0] + step * part;
""".strip("\n")


_CURVE_CODE = f"""
/* The code of a curve, between its nodes on a line. */
static inline signed char P_curve_code(const uint16_t *table, int64_t position)
{{
{_curve("uint16_t")}
    return P_code(((value + {1 << (2 * CURVE_BITS - 1)}) >> {2 * CURVE_BITS}) - {-CODE_MIN});
}}
"""

_CURVE = f"""
/* {1 << CURVE_BITS} times a curve, between its nodes on a line. */
static inline int32_t P_curve(const int32_t *table, int64_t position)
{{
{_curve("int32_t")}
    return value;
}}
"""

_POWER = f"""
/* z as a whole number, and 2^(31 - below / {1 << SOFTMAX_BITS}). */
static inline int32_t P_whole(float z)
{{
    const float low = z < -{SOFTMAX_LIMIT}.0f ? -{SOFTMAX_LIMIT}.0f : z;
    return (int32_t)(low > {SOFTMAX_LIMIT}.0f ? {SOFTMAX_LIMIT}.0f : low);
}}

static inline uint32_t P_power(int32_t below)
{{
    const int32_t halvings = below >> {SOFTMAX_BITS}, rest = below & {(1 << SOFTMAX_BITS) - 1};
    const uint32_t *node = P_powers + (rest >> {POWER_BITS});
    const uint32_t part = (uint32_t)(rest & {(1 << POWER_BITS) - 1});
    const uint32_t power = node[0] * ({1 << POWER_BITS}u - part) + node[1] * part;
    return halvings < 32 ? power >> halvings : 0;
}}

static inline int32_t P_largest(const float *z, int n)
{{
    int32_t largest = P_whole(z[0]);
    for (int j = 1; j < n; ++j)
        largest = P_whole(z[j]) > largest ? P_whole(z[j]) : largest;
    return largest;
}}

static inline int64_t P_total(const float *z, int n, int32_t largest)
{{
    int64_t total = 0;
    for (int j = 0; j < n; ++j)
        total += P_power(largest - P_whole(z[j]));
    return total;
}}
"""

_SOFTMAX = """
/* z, log2(e) of the logits in units of 2^-BITS, becomes probabilities. */
static inline void P_softmax(float *z, int n)
{
    const int32_t largest = P_largest(z, n);
    const int64_t total = P_total(z, n, largest);
    for (int j = 0; j < n; ++j)
        z[j] = (float)P_power(largest - P_whole(z[j])) / (float)total;
}
""".replace("BITS", str(SOFTMAX_BITS))

_SOFTMAX_CODES = f"""
/* The same in steps of 1/255. */
static inline void P_softmax_codes(const float *z, signed char *codes, int n)
{{
    const int32_t largest = P_largest(z, n);
    const int64_t total = P_total(z, n, largest);
    for (int j = 0; j < n; ++j) {{
        const int64_t power = P_power(largest - P_whole(z[j]));
        codes[j] = P_code((510 * power + total) / (2 * total) - {-CODE_MIN});
    }}
}}
"""

# In the order in which they use each other.
_FUNCTIONS = (
    *(_IS_FINITE, _CODE, _SHIFTED, _ENCODE, _DOT, _RESCALE),
    *(_POSITION, _CURVE_CODE, _CURVE, _POWER, _SOFTMAX, _SOFTMAX_CODES),
)


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
        """Where a slot begins."""
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
        errors={
            "ERROR_NULL": "x, y or scratch is a null pointer",
            "ERROR_NOT_FINITE": "x holds NaN or infinity",
        },
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
    predict = [
        "/* Predict one row: x to y. Returns M_OK, or an error with y untouched. */",
        "static inline int P_predict(const float *x, float *y, float *scratch)",
        "{",
        "    signed char *codes = (signed char *)scratch;",
        "    if (!x || !y || !scratch)",
        "        return M_ERROR_NULL;",
        "    if (!P_is_finite(x, M_N_FEATURES))",
        "        return M_ERROR_NOT_FINITE;",
        *(f"    {line}".replace("+ -", "- ") for line in statements),
        "    return M_OK;",
        "}",
    ]
    text = "\n".join(predict)
    for template in reversed(_FUNCTIONS):
        names = re.findall(r"\b(P_\w+)\([^)]*\)\n\{", template)
        if any(f"{name}(" in text for name in names):
            text = template.strip("\n") + "\n\n" + text
    largest = literal(float(np.finfo(np.float32).max), "float")
    text = text.replace("LARGEST", largest)
    text = re.sub(r"\bM_", f"{prefix.upper()}_", re.sub(r"\bP_", f"{prefix}_", text))
    return text.splitlines()
