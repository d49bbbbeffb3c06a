"""Pieces of the Python files that `export_python` writes: text from users, labels, weights."""

from __future__ import annotations

import textwrap
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import numpy as np

from ...common.decimals import shortest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ...kernels.typing import Array

WIDTH = 100
_LONGEST_LITERAL = 128


def quoted(text: str | bytes) -> str:
    """A literal, in double quotes unless single ones need fewer escapes."""
    literal = repr(text)
    start = literal.index(literal[-1])
    inside = literal[start + 1 : -1]
    if literal[-1] == '"' or inside.count('"') > inside.count("\\'"):
        return literal
    inside = inside.replace("\\'", "'").replace('"', '\\"')
    return f'{literal[:start]}"{inside}"'


def plain(text: str) -> str:
    """Text from users as it may stand in a raw docstring."""
    return repr(text)[1:-1].replace('"', '\\"')


def wrapped(start: str, texts: Iterable[str]) -> list[str]:
    """Lines of a docstring that list texts from users."""
    listed = ", ".join(map(plain, texts))
    return textwrap.wrap(start + listed, WIDTH, break_long_words=False, break_on_hyphens=False)


def list_of(name: str, texts: Sequence[str]) -> list[str]:
    """Lines that give a list a name."""
    if len(line := f"{name} = [{', '.join(texts)}]") <= WIDTH:
        return [line]
    return [f"{name} = [", *(f"    {text}," for text in texts), "]"]


def call_of_list(start: str, texts: Sequence[str], more: str = "", indent: str = "") -> list[str]:
    """Lines of a call, ``start([texts], more)``, broken where it is too long for one."""
    inside = f"[{', '.join(texts)}]" + (f", {more}" if more else "")
    if len(whole := f"{indent}{start}({inside})") <= WIDTH:
        return [whole]
    lines = [f"    {inside}"]
    if len(indent + lines[0]) > WIDTH:
        comma = "," if more else ""
        lines = ["    [", *(f"        {text}," for text in texts), f"    ]{comma}"]
        lines += [f"    {more}{comma}"] if more else []
    return [f"{indent}{line}" for line in (f"{start}(", *lines, ")")]


def array_of_labels(name: str, labels: Array) -> list[str]:
    """Lines that make an array of labels, of their dtype."""
    kind = labels.dtype.kind
    if kind in "US":
        texts = [quoted(label) for label in labels.tolist()]
    elif kind == "M":
        texts = [f'"{label}"' for label in labels.astype(str)]
    else:
        numbers = labels.astype(np.int64) if kind == "m" else labels
        texts = [repr(label) for label in numbers.tolist()]
    # NumPy finds the dtype of strings and booleans by itself.
    dtype = "" if kind in "USb" else f'dtype="{labels.dtype.name}"'
    return call_of_list(f"{name} = np.array", texts, dtype)


def array_of_columns(name: str, columns: Sequence[int]) -> list[str]:
    """Lines that give a long list of column numbers a name."""
    return [f"{name} = [", *_filled(", ".join(map(str, columns)), "    ", ","), "]"]


def arrays_inside(arrays: Mapping[str, Array]) -> list[str]:
    """Lines that hold arrays: short ones as numbers, long ones in base64."""
    lines: list[str] = []
    for name, array in arrays.items():
        # NaN and infinity have no literals.
        if array.size <= _LONGEST_LITERAL and np.isfinite(array).all():
            lines += _literal(name, array)
            continue
        little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        text = b64encode(little.tobytes()).decode()
        lines.append(f'{name} = decoded({array.shape}, """')
        lines += [text[start : start + WIDTH] for start in range(0, len(text), WIDTH)]
        lines.append('""")')
    return lines


def _literal(name: str, array: Array) -> list[str]:
    """An array as numbers that read back bit for bit."""
    end = f"], dtype=np.{array.dtype.name})"
    if array.ndim != 2:
        row = ", ".join(map(_number, array.ravel()))
        end += "" if array.ndim == 1 else f".reshape{array.shape}"
        if len(line := f"{name} = np.array([{row}{end}") <= WIDTH:
            return [line]
        return [f"{name} = np.array([", *_filled(row, "    ", ","), end]
    lines = [f"{name} = np.array(["]
    for values in array:
        first, *rest = _filled(", ".join(map(_number, values)), "     ", "],")
        lines += [f"    [{first.lstrip()}", *rest]
    return [*lines, end]


def _number(value: Any) -> str:
    """The shortest decimal that is read as this number, through double precision too."""
    text = shortest(value)
    return text if value.dtype.type(float(text)) == value else repr(float(value))


def _filled(text: str, indent: str, end: str) -> list[str]:
    width = WIDTH - len(end)
    lines = textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent)
    return [*lines[:-1], lines[-1] + end]
