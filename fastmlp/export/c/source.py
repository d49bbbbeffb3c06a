"""What all exported C has in common: names, literals, comments and the frame of a header.

Text from users (names of features, labels) enters the file as ASCII alone, escaped so that it can
neither end a comment nor a string.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from ... import __version__
from ...common.atomic_file import atomic_file
from ...common.checks import describe
from ...kernels.typing import Array

WIDTH = 100

C_TYPES = {"float32": "float", "float64": "double"}
_NUMPY_TYPES = {c_type: dtype for dtype, c_type in C_TYPES.items()}

# What `predict_function` returns for arguments that it refuses.
ARGUMENT_ERRORS = {
    "ERROR_NULL": "x, y or scratch is a null pointer",
    "ERROR_NOT_FINITE": "x holds NaN or infinity",
}

_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*")

_KEYWORDS = """
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl const
    constexpr const_cast continue decltype default delete do double dynamic_cast else enum explicit
    export extern false float for friend goto if inline int long mutable namespace new noexcept not
    not_eq nullptr operator or or_eq private protected public register reinterpret_cast restrict
    return short signed sizeof static static_assert static_cast struct switch template this
    thread_local throw true try typedef typeid typename union unsigned using virtual void volatile
    wchar_t while xor xor_eq
"""


def check_prefix(prefix: object) -> str:
    """Check what the names in a header begin with and return it.

    Raises
    ------
    TypeError
        It is no string.
    ValueError
        It is no C identifier, a keyword of C or C++, or makes names that C or C++ reserves (those
        with two underscores in a row, or one in front).
    """
    if not isinstance(prefix, str):
        raise TypeError(f"prefix must be a string, got {describe(prefix)}")
    if prefix in _KEYWORDS.split():
        raise ValueError(f"prefix must not be a keyword of C or C++, got {prefix!r}")
    if not _PREFIX.fullmatch(prefix):
        raise ValueError(
            "prefix must be a C identifier: ASCII letters, digits and single underscores between "
            f"them, a letter first; got {prefix!r}"
        )
    return prefix


def literal(value: float, c_type: str) -> str:
    """Write a finite number so that a compiler reads back exactly its bits.

    `c_type` is ``"float"``, ``"double"`` or an integer type.
    """
    if c_type not in ("float", "double"):
        return str(int(value))
    text = f"{float(value):.9g}" if c_type == "float" else f"{float(value):.17g}"
    if "." not in text and "e" not in text:
        text += ".0"
    return text + ("f" if c_type == "float" else "")


def array(c_type: str, name: str, values: Array, note: str = "") -> list[str]:
    """Lines that define a constant array with all elements of `values` in C order.

    Raises
    ------
    ValueError
        An element is NaN or infinite.
    """
    values = np.asarray(values)
    if not np.isfinite(values).all():
        raise ValueError(
            f"the numbers for {name} hold NaN or infinity, which C cannot spell; train the network "
            "anew or reload it from a sound checkpoint"
        )
    texts = [literal(value, c_type) for value in values.ravel().tolist()]
    longest = max(map(len, texts))
    in_line = max(1, (WIDTH - 4 + 1) // (longest + 2))
    lines = [f"/* {note} */"] if note else []
    lines.append(f"static const {c_type} {name}[{len(texts)}] = {{")
    for start in range(0, len(texts), in_line):
        line = ", ".join(text.rjust(longest) for text in texts[start : start + in_line])
        lines.append(f"    {line},")
    return [*lines, "};"]


def quoted(text: str) -> str:
    """Write text for a comment: a JSON string without anything that means something to C there."""
    return json.dumps(text).replace("*/", "\\u002a/").replace("/*", "/\\u002a")


def string(text: str) -> str:
    """Write text as a C string literal in UTF-8.

    Raises
    ------
    ValueError
        The text has a NUL character.
    """
    if "\0" in text:
        raise ValueError(f"label {text!r} has a NUL character, which no C string can hold")
    # Octal escapes end after three digits, hexadecimal ones only where no digit follows; "??"
    # begins a trigraph.
    return '"' + "".join(_escape(byte) for byte in text.encode(errors="backslashreplace")) + '"'


def _escape(byte: int) -> str:
    character = chr(byte)
    if character in '"\\?':
        return "\\" + character
    return character if 32 <= byte < 127 else f"\\{byte:03o}"


def with_prefix(template: str, prefix: str) -> str:
    """Put the header's prefix in the place of ``P_``, and in capitals of ``M_``."""
    prefixes = {"P": prefix, "M": prefix.upper()}
    return re.sub(r"\b([PM])_", lambda match: f"{prefixes[match[1]]}_", template)


def finite_check(c_type: str) -> str:
    """The template of ``P_is_finite(x, n)``."""
    largest = literal(float(np.finfo(_NUMPY_TYPES[c_type]).max), c_type)
    return f"""
/* 1 where all n numbers are finite. */
static inline int P_is_finite(const {c_type} *x, int n)
{{
    int finite = 1;
    for (int i = 0; i < n; ++i)
        finite &= (x[i] >= -{largest}) & (x[i] <= {largest});
    return finite;
}}
"""


def predict_function(c_type: str, statements: Iterable[str]) -> str:
    """The template of ``P_predict``, which checks its arguments before the statements."""
    lines = "\n".join(f"    {statement}" for statement in statements)
    return f"""
/* Predict one row: x to y. Returns M_OK, or an error with y untouched. */
static inline int P_predict(const {c_type} *x, {c_type} *y, {c_type} *scratch)
{{
    if (!x || !y || !scratch)
        return M_ERROR_NULL;
    if (!P_is_finite(x, M_N_FEATURES))
        return M_ERROR_NOT_FINITE;
{lines}
    return M_OK;
}}
"""


def comment(lines: Iterable[str]) -> list[str]:
    """Lines of a block comment; text from users must be `quoted` in them."""
    return ["/*", *(f" * {line}".rstrip() for line in lines), " */"]


@dataclass
class Header:
    """A header for one network; `text` writes it.

    Attributes
    ----------
    prefix : str
        Checked by `check_prefix`.
    c_type : str
        Of ``x``, ``y`` and ``scratch``: ``"float"`` or ``"double"``.
    title : list of str
        The first lines of the comment at the top.
    layers : list of str
        The network in words.
    sizes : list of (str, str)
        What is said of weights, scratch and work: a name and a value each.
    n_features, n_outputs, n_scratch : int
    task : str
        ``"binary"``, ``"multiclass"``, ``"multilabel"`` or ``"regression"``; the first two get a
        function that finds the class.
    feature_names : tuple of str or None
    labels : list of str
        One for each class; empty where there are none.
    errors : dict of str to str
        What ``predict`` may return beside ``OK``: the end of a macro's name, and when.
    includes : list of str
        Such as ``"math.h"``.
    body : list of str
        Lines of the weights and of the functions.
    """

    prefix: str
    c_type: str
    title: list[str]
    layers: list[str]
    sizes: list[tuple[str, str]]
    n_features: int
    n_outputs: int
    n_scratch: int
    task: str
    feature_names: tuple[str, ...] | None
    labels: list[str]
    errors: dict[str, str]
    includes: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)

    @property
    def macro(self) -> str:
        """What macros begin with."""
        return self.prefix.upper()

    @property
    def has_classes(self) -> bool:
        """Tell whether each row has one class."""
        return self.task in ("binary", "multiclass")

    def text(self) -> str:
        """The whole file."""
        guard = f"{self.macro}_FASTMLP_H"
        lines = [
            *comment(self._about()),
            f"#ifndef {guard}",
            f"#define {guard}",
            "",
            *(f"#include <{name}>" for name in self.includes),
            *([""] if self.includes else []),
            *self._restrict(),
            "",
            *self._macros(),
            "",
            "#ifdef __cplusplus",
            'extern "C" {',
            "#endif",
            "",
            *self._labels(),
            *self.body,
            "",
            *self._class_function(),
            "#ifdef __cplusplus",
            "}",
            "#endif",
            "",
            f"#endif /* {guard} */",
        ]
        return "\n".join(lines) + "\n"

    def _about(self) -> list[str]:
        aligned = max(len(name) for name, _ in self.sizes)
        lines = [*self.title, "", "Layers", *(f"  {line}" for line in self.layers)]
        lines += ["", "Sizes", *(f"  {name.ljust(aligned)}  {text}" for name, text in self.sizes)]
        lines += ["", "Features", *self._features(), "", "Outputs", *self._outputs()]
        return [*lines, "", "Use", *self._use()]

    def _features(self) -> list[str]:
        if self.feature_names is None:
            last = self.n_features - 1
            return ["  x[0]: without a name"] if last == 0 else [f"  x[0] to x[{last}]: no names"]
        return [f"  x[{i}]  {quoted(name)}" for i, name in enumerate(self.feature_names)]

    def _outputs(self) -> list[str]:
        if self.has_classes and self.n_outputs == 1:
            low, high = [f", {quoted(label)}" for label in self.labels] or ["", ""]
            return [
                f"  y[0]  probability of class 1{high}",
                f"        (below one half: class 0{low})",
            ]
        if self.labels:
            return [f"  y[{j}]  {quoted(label)}" for j, label in enumerate(self.labels)]
        last = self.n_outputs - 1
        return ["  y[0]"] if last == 0 else [f"  y[0] to y[{last}]"]

    def _use(self) -> list[str]:
        macro, p, t = self.macro, self.prefix, self.c_type
        result = f"{p}_predict_class(y)" if self.has_classes else "y[0]"
        result = f"{p}_labels[{result}]" if self.has_classes and self.labels else result
        return [
            f"  {t} x[{macro}_N_FEATURES], y[{macro}_N_OUTPUTS], scratch[{macro}_SCRATCH];",
            f"  if ({p}_predict(x, y, scratch) == {macro}_OK) {{ ... {result} ... }}",
            "",
            "Nothing is allocated, nothing global changes: threads may predict side by side, each",
            "with its own y and scratch. x, y and scratch must not overlap. The check for NaN and",
            "infinity in x needs IEEE arithmetic: compile without -ffast-math.",
        ]

    def _restrict(self) -> list[str]:
        name = f"{self.macro}_RESTRICT"
        return [
            "/* C++ has no restrict, but compilers have their own. */",
            "#if !defined(__cplusplus)",
            f"#define {name} restrict",
            "#elif defined(__GNUC__) || defined(_MSC_VER)",
            f"#define {name} __restrict",
            "#else",
            f"#define {name}",
            "#endif",
        ]

    def _macros(self) -> list[str]:
        values = {
            "N_FEATURES": (self.n_features, f"{self.c_type}s in x"),
            "N_OUTPUTS": (self.n_outputs, f"{self.c_type}s in y"),
            "SCRATCH": (self.n_scratch, f"{self.c_type}s in scratch"),
        }
        if self.labels:
            values["N_LABELS"] = (len(self.labels), f"strings in {self.prefix}_labels")
        values["OK"] = (0, f"what {self.prefix}_predict returns when y is written")
        for code, (name, when) in enumerate(self.errors.items(), 1):
            values[name] = (code, when)
        lines = [f"#define {self.macro}_{name} {value}" for name, (value, _) in values.items()]
        aligned = max(map(len, lines))
        notes = [note for _, note in values.values()]
        return [
            f"{line.ljust(aligned)} /* {note} */" for line, note in zip(lines, notes, strict=True)
        ]

    def _labels(self) -> list[str]:
        if not self.labels:
            return []
        return [
            "/* The labels of the classes, as text in UTF-8. */",
            f"static const char *const {self.prefix}_labels[{self.macro}_N_LABELS] = {{",
            *(f"    {string(label)}," for label in self.labels),
            "};",
            "",
        ]

    def _class_function(self) -> list[str]:
        if not self.has_classes:
            return []
        head = f"static inline int {self.prefix}_predict_class(const {self.c_type} *y)"
        if self.n_outputs == 1:
            half = literal(0.5, self.c_type)
            return [
                "/* The number of the class that y tells. */",
                head,
                "{",
                f"    return y[0] >= {half} ? 1 : 0;",
                "}",
                "",
            ]
        return [
            "/* The number of the class that y tells; of equal ones the first. */",
            head,
            "{",
            "    int best = 0;",
            f"    for (int j = 1; j < {self.macro}_N_OUTPUTS; ++j)",
            "        best = y[j] > y[best] ? j : best;",
            "    return best;",
            "}",
            "",
        ]


def labels_of(classes: Array | None) -> list[str]:
    """The labels of a predictor as text."""
    return [] if classes is None else [str(label) for label in classes.tolist()]


def total_features(n_features: int | tuple[int, int]) -> int:
    """Numbers in one row: of two inputs the wide ones, then the deep ones."""
    return n_features if isinstance(n_features, int) else sum(n_features)


def version_line(prefix: str, what: str) -> str:
    """The first line of a header."""
    return f"{prefix}: {what}, written by fastmlp {__version__}."


def write_header(path: str | os.PathLike[str], header: Header) -> None:
    """Write a header; the file appears only once it is complete.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    text = header.text()
    with atomic_file(path, "h") as file:
        file.write(text.encode("ascii"))
