"""Pieces of C that all headers have: names, literals, arrays, and the checks of arguments.

Text from users (names of features, labels) enters the file as ASCII alone, escaped so that it can
neither end a comment nor a string.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

import numpy as np

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
