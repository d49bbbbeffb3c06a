"""A network as one readable Python file that needs only NumPy."""

from __future__ import annotations

import io
import os
import textwrap
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ... import __version__
from ...data.features import counted
from ...program.program import activations
from ..supported import check_supported
from ..words import in_words
from .activations import ACTIVATIONS, functions_of
from .beside import READER, READER_IMPORTS, digest_of, write_pair, write_python
from .forward import EXPRESSIONS, Forward
from .text import (
    WIDTH,
    array_of_columns,
    array_of_labels,
    arrays_inside,
    list_of,
    plain,
    quoted,
    wrapped,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...inference.predictor import Predictor
    from ...program.program import InferenceProgram

_SHORT_NAMES = {"weight": "W", "bias": "b", "tables": "E"}
_PLACES = ("inside", "beside")
_READ = "with read_weights(WEIGHTS, SHA256) as weights:"


def export_python(
    predictor: Predictor, path: str | os.PathLike[str], weights: str = "inside"
) -> None:
    """Write a network as one Python file that needs only NumPy.

    The file has ``predict(X)``, for a classifier ``predict_classes(X)``, and ``N_FEATURES``,
    ``FEATURES`` and ``LABELS`` where their names are known. Run as a program it reads rows of
    numbers from standard input and prints the outputs.

    Parameters
    ----------
    predictor : Predictor
    path : str or path-like
        Of the file; one that is there is replaced once the new one is complete.
    weights : {"inside", "beside"}
        Whether the weights stand in the file, short arrays as numbers and long ones in base64, or
        in an ``.npz`` file of the same name beside it. The Python file knows the digest of that
        file, and takes no other.

    Raises
    ------
    ValueError
        The network has an activation of the user's own, or `weights` is something else.
    OSError
        A file cannot be written.
    """
    if weights not in _PLACES:
        raise ValueError(f"weights must be 'inside' or 'beside', got {weights!r}")
    check_supported(predictor.program, "a Python file", EXPRESSIONS, ACTIVATIONS)
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(f"{target} is a folder; give the name of a file in it")
    names = _tensor_names(predictor.program)
    arrays = {name: predictor.weights[tensor] for tensor, name in names.items()}
    forward = Forward(predictor.program, names)
    if weights == "inside":
        source = _source(predictor, target.name, forward, arrays_inside(arrays))
        write_python(target, source.encode())
        return
    beside = target.with_suffix(".npz")
    if beside == target or beside.is_dir():
        raise ValueError(f"{beside} is where the weights go; give the Python file another name")
    data = io.BytesIO()
    np.savez(data, **cast("dict[str, Any]", arrays))
    weights_file = data.getvalue()
    lines = [f"WEIGHTS = {quoted(beside.stem)}", f'SHA256 = "{digest_of(weights_file)}"', _READ]
    lines += [f'    {name} = weights["{name}"]' for name in arrays] or ["    pass"]
    source = _source(predictor, target.name, forward, lines)
    write_pair(target, source.encode(), beside, weights_file)


def _tensor_names(program: InferenceProgram) -> dict[str, str]:
    """Short names for the tensors of the operations: W1, b1, E1, scale1, shift1."""
    names: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for op in program.ops:
        named = [(_SHORT_NAMES.get(field, field), tensor) for field, tensor in op.named_tensors]
        for short, tensor in named:
            if tensor.name not in names:
                # A bias has the number of its weight, a shift that of its scale.
                if short == named[0][0]:
                    number = 1 + max(counts[other] for other, _ in named)
                    counts |= dict.fromkeys((other for other, _ in named), number)
                names[tensor.name] = f"{short}{counts[short]}"
    return names


def _source(predictor: Predictor, name: str, forward: Forward, weights: list[str]) -> str:
    """The file's text; `weights` are the lines that make the arrays."""
    program = predictor.program
    functions = functions_of(activations(program))
    text = "\n".join(["# fmt: off", *_columns(forward), *weights, "# fmt: on"])
    in_base64 = " = decoded(" in text
    imports = [f"import {module}" for function in functions for module in function.imports]
    imports += ["import base64"] * in_base64
    is_beside = _READ in text
    imports += READER_IMPORTS * is_beside
    imports = sorted(imports) + ["from pathlib import Path"] * is_beside
    dtype = np.dtype(predictor.dtype)
    head = [*_docstring(predictor, name), "", *imports, *[""] * bool(imports), "import numpy as np"]
    rows = "rows" if program.wide is None else "(rows[:, :N_WIDE], rows[:, N_WIDE:])"
    blocks = [
        "\n".join([*head, "", *_constants(predictor)]),
        *(function.source for function in functions if function.source),
        _CHECKED.replace("DTYPE", dtype.name),
        *[_CODES] * forward.checks_codes,
        *[_ONE_HOT] * forward.has_levels,
        *[_WAVES] * forward.has_waves,
        *[_BINS] * forward.has_bins,
        "\n".join(_predict(program, forward)),
        *["\n".join(_predict_classes(predictor))] * (predictor.task != "regression"),
        *[_DECODED.replace("DTYPE", dtype.newbyteorder("<").str)] * in_base64,
        *[READER] * is_beside,
        text,
        # As many digits as read back to the same number.
        _MAIN.replace("ROWS", rows).replace("DIGITS", str({4: 9, 8: 17}[dtype.itemsize])),
    ]
    return "\n\n\n".join(block.strip("\n") for block in blocks) + "\n"


_CHECKED = '''
def checked(X, n_features, name="X"):
    """Return X as the network's numbers; a ValueError says what is wrong with it."""
    x = np.asarray(X)
    if x.dtype.kind not in "biuf":
        raise ValueError(f"{name} must be an array of numbers, got dtype {x.dtype}")
    if x.ndim not in (1, 2) or x.shape[-1] != n_features or not len(x):
        shapes = f"(n, {n_features}) or ({n_features},)"
        raise ValueError(f"{name} must have shape {shapes}, got {x.shape}")
    with np.errstate(over="ignore"):
        x = x.astype(np.DTYPE, copy=False)
    if not np.isfinite(x).all():
        raise ValueError(f"{name} has NaN, infinity or a number too large for DTYPE")
    return x
'''

_WAVES = '''
def as_waves(x, frequency, phase, weight, bias):
    """Return sums of waves of each number, each column with waves and weights of its own."""
    waves = np.cos(2 * np.pi * frequency * x[..., None] + phase)
    sums = np.einsum("...ch,chk->...ck", waves, weight) + bias
    return sums.reshape((*x.shape[:-1], -1))
'''

_BINS = '''
def through_bins(x, edges):
    """Return how far each number has come through each bin between the edges of its column."""
    low, width = edges[:, :-1], np.diff(edges)
    share = np.where(width > 0, x[..., None] - low, x[..., None] >= low)
    share = (share / np.where(width > 0, width, 1)).astype(x.dtype)
    share[..., 1:] = np.maximum(share[..., 1:], 0)
    share[..., :-1] = np.minimum(share[..., :-1], 1)
    return share.reshape((*x.shape[:-1], -1))
'''

_CODES = '''
def codes(values, n_categories, column):
    """Return values as row numbers of a table; a ValueError tells which is none."""
    wrong = (values < 0) | (values >= n_categories) | (values != np.floor(values))
    if wrong.any():
        given = np.extract(wrong, values)[0]
        limit = f"a whole number from 0 to {n_categories - 1}"
        raise ValueError(f"column {column} must be {limit}, got {given:g}")
    return values.astype(np.intp)
'''

_ONE_HOT = '''
def one_hot(values, levels, column=None):
    """Return 1 where a value is a level, else 0; with a column each must be one of them."""
    equal = values[..., np.newaxis] == levels
    if column is not None and not equal.any(axis=-1).all():
        given = np.extract(~equal.any(axis=-1), values)[0]
        raise ValueError(f"column {column} has the category {given:g}, which is none of training")
    return equal.astype(levels.dtype)
'''

_DECODED = '''
def decoded(shape, text):
    """Return the array whose little-endian bytes the text holds in base64."""
    return np.frombuffer(base64.b64decode(text), "DTYPE").reshape(shape)
'''

_MAIN = """
if __name__ == "__main__":
    import sys

    try:
        rows = np.loadtxt(sys.stdin, delimiter=",", ndmin=2)
        np.savetxt(sys.stdout, predict(ROWS), delimiter=",", fmt="%.DIGITSg")
    except ValueError as error:
        sys.exit(f"error: {error}")
"""


def _docstring(predictor: Predictor, name: str) -> list[str]:
    text = "\n".join(_description(predictor, name))
    return [("r" if "\\" in text else "") + f'"""{text}', '"""']


def _description(predictor: Predictor, name: str) -> Iterator[str]:
    program, units = predictor.program, predictor.n_outputs
    n, wide = program.input.width, program.wide
    given = counted(n, "number") if wide is None else f"{wide.width} and {counted(n, 'number')}"
    yield f"A trained network: {given} in, {_outputs(predictor)} out."
    yield ""
    yield f"Written by fastmlp {__version__}; it needs only NumPy. The network's operations:"
    yield ""
    for line in in_words(program):
        yield from textwrap.wrap(line, WIDTH, initial_indent="    ", subsequent_indent=" " * 8)
    yield ""
    if wide is None:
        rows, row = f"(n, {n}) gives (n, {units})", f"one row, ({n},), gives ({units},)"
        yield f"predict(X)           {rows}; {row}"
    else:
        yield "predict(X)           X is a tuple (X_wide, X_deep);"
        yield f"                     (n, {wide.width}) and (n, {n}) give (n, {units})"
    if predictor.task == "multilabel":
        yield f"predict_classes(X)   0 or 1 for each output, (n, {units})"
    elif predictor.task != "regression":
        yield "predict_classes(X)   the label of each row, (n,)"
    yield ""
    yield f"python {plain(name)} < rows.csv reads rows of numbers, separated by commas and without"
    yield "a line of names above them, and prints the outputs."
    if predictor.classes is not None:
        yield ""
        yield from wrapped("Labels: ", map(str, predictor.classes))
    if predictor.feature_names is not None:
        yield ""
        yield from wrapped("Features, in this order: ", predictor.feature_names)


def _outputs(predictor: Predictor) -> str:
    """The outputs in words."""
    units = predictor.n_outputs
    if predictor.task == "binary":
        return "the probability of the second label"
    if predictor.task == "multiclass":
        return f"the probabilities of {units} {'class' if units == 1 else 'classes'}"
    if predictor.task == "multilabel":
        return f"{units} probabilities"
    return counted(units, "number")


def _constants(predictor: Predictor) -> Iterator[str]:
    program = predictor.program
    if program.wide is None:
        yield f"N_FEATURES = {program.input.width}"
    else:
        yield f"N_WIDE, N_DEEP = N_FEATURES = {program.n_features}"
    if predictor.feature_names is not None:
        yield from list_of("FEATURES", list(map(quoted, predictor.feature_names)))
    if predictor.classes is not None:
        yield from array_of_labels("LABELS", predictor.classes)


def _predict(program: InferenceProgram, forward: Forward) -> Iterator[str]:
    units, n = program.output.width, program.input.width
    yield "def predict(X):"
    if program.wide is None:
        yield f'    """Return the outputs for rows, (n, {n}) to (n, {units}), or for one row."""'
        yield "    x = checked(X, N_FEATURES)"
    else:
        yield f'    """Return the outputs, (n, {units}), for X = (X_wide, X_deep)."""'
        yield "    if not isinstance(X, tuple) or len(X) != 2:"
        yield '        raise ValueError("X must be a tuple (X_wide, X_deep)")'
        yield '    x_wide, x = checked(X[0], N_WIDE, "X_wide"), checked(X[1], N_DEEP, "X_deep")'
        yield "    if x_wide.shape[:-1] != x.shape[:-1]:"
        yield '        shapes = f"{x_wide.shape} and {x.shape}"'
        yield '        raise ValueError(f"X_wide and X_deep must have as many rows, got {shapes}")'
    yield '    with np.errstate(all="ignore"):'
    yield from forward.lines


def _predict_classes(predictor: Predictor) -> Iterator[str]:
    known = predictor.classes is not None
    yield "def predict_classes(X):"
    if predictor.task == "multilabel":
        yield '    """Return 0 or 1 for each output of each row, or of one row."""'
        yield "    return (predict(X) >= 0.5).astype(np.int64)"
        return
    yield f'    """Return the {"label" if known else "class number"} of each row, or of one row."""'
    number = "predict(X).argmax(axis=-1)"
    if predictor.task == "binary":
        number = "(predict(X)[..., 0] >= 0.5).astype(np.int64)"
    yield f"    return LABELS[{number}]" if known else f"    return {number}"


def _columns(forward: Forward) -> Iterator[str]:
    for name, columns in forward.columns.items():
        yield from array_of_columns(name, columns)
