"""``fastmlp export``: make of a model's file one that other programs use."""

from __future__ import annotations

import argparse
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from ..data.features import counted
from ..int8.quantize import quantize, refuse_layers
from . import frozen as cli_frozen
from .inputs import check_folder, check_outputs, read_table, tell, undecided
from .options_model import EXPORT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..tables.columns import Column
    from .frozen import Frozen

_MOST_SHOWN = 20


def export(arguments: argparse.Namespace) -> None:
    """Write the file, and print its inputs, outputs and use."""
    kind, output = arguments.format, arguments.output
    _check_options(arguments)
    written = [Path(output)]
    if arguments.weights == "beside":
        written.append(Path(output).with_suffix(".npz"))
    check_outputs([arguments.model, arguments.calibration], written)
    check_folder(output)
    frozen = cli_frozen.read(arguments.model)
    predictor = frozen.predictor
    prefix = "model" if arguments.prefix is None else arguments.prefix
    given = EXPORT.passed(arguments, "exporter")
    report, notes = "", list(cli_frozen.notes(frozen))
    if kind == "c":
        predictor.export_c(output, **given)
    elif kind == "c-int8":
        refuse_layers(predictor.program)
        table = read_table(arguments.calibration, arguments)
        X, y, told = frozen.rows(table, arguments.calibration)
        tell(undecided(told, arguments), arguments.strict)
        small = quantize(predictor, X, y)
        small.export_c(output, **given)
        report, notes = str(small.report), [*small.report.warnings, *notes]
    elif kind == "onnx":
        predictor.export_onnx(output, **given)
    else:
        predictor.export_python(output, **given)
    for path in written:
        print(f"written: {path} ({os.path.getsize(path):,} bytes)")
    print(f"\ninputs: {_inputs(frozen)}", *_first(_inputs_by_name(frozen)), sep="\n")
    print(*_outputs(frozen), sep="\n")
    print(*_use(kind, Path(output), prefix, frozen), sep="\n")
    if report:
        print(f"\n{report}")
    for note in notes:
        print(f"\nnote: {note}")


def _check_options(arguments: argparse.Namespace) -> None:
    kind = arguments.format
    for option in EXPORT.options:
        if option.only_for and option.is_given(arguments) and kind not in option.only_for:
            formats = " and ".join(option.only_for)
            raise ValueError(f"--{option.name} is for --format {formats}, not for {kind}")
    if kind == "c-int8" and arguments.calibration is None:
        raise ValueError(
            "--format c-int8 needs --calibration FILE.csv: rows like those of the training, from "
            "which the ranges of all activations are taken"
        )


def _inputs(frozen: Frozen) -> str:
    predictor, preparation = frozen.predictor, frozen.preparation
    n = predictor.n_features
    if isinstance(n, tuple):
        return f"{n[0]} and {n[1]} {predictor.dtype} numbers, X_wide and X_deep"
    text = counted(n, f"{predictor.dtype} number")
    if preparation is None:
        return f"{text}, as the network has read them in training"
    return f"{text}, as in the table; what training did to them is part of the network"


def _inputs_by_name(frozen: Frozen) -> list[str]:
    if frozen.preparation is not None:
        columns = frozen.preparation.columns
        return _numbered([pair for column in columns for pair in _of_column(column)])
    return _numbered([(name, "") for name in frozen.predictor.feature_names or ()])


def _of_column(column: Column) -> Iterator[tuple[str, str]]:
    yield from zip(column.features, column.meanings, strict=True)


def _numbered(pairs: list[tuple[str, str]]) -> list[str]:
    width = max((len(name) for name, _ in pairs), default=0)
    return [
        f"  {place:>{len(str(len(pairs)))}}  {' '.join(name.split()):{width}}  {text}".rstrip()
        for place, (name, text) in enumerate(pairs)
    ]


def _first(lines: list[str]) -> list[str]:
    if len(lines) <= _MOST_SHOWN:
        return lines
    return [*lines[:_MOST_SHOWN], f"  ... and {len(lines) - _MOST_SHOWN} more"]


def _outputs(frozen: Frozen) -> Iterator[str]:
    predictor, preparation = frozen.predictor, frozen.preparation
    units = predictor.n_outputs
    labels = [] if predictor.classes is None else [str(label) for label in predictor.classes]
    yield f"\noutputs: {counted(units, f'{predictor.dtype} number')}"
    if predictor.task == "binary":
        second, first = (f"{labels[1]!r}", f"{labels[0]!r}") if labels else ("1", "0")
        yield f"  0  the probability of {second}; below 0.5 the class is {first}"
    elif predictor.task == "multiclass" and labels:
        yield from _first(_numbered([(f"the probability of {label!r}", "") for label in labels]))
    elif predictor.task != "regression":
        yield "  the probability of each class"
    elif preparation is not None:
        yield f"  0  {preparation.target.name}, in its own units"


def _use(kind: str, path: Path, prefix: str, frozen: Frozen) -> Iterator[str]:
    predictor, name = frozen.predictor, prefix.upper()
    is_pair = isinstance(predictor.n_features, tuple)
    has_classes = predictor.task in ("binary", "multiclass")
    yield "\nuse"
    if kind in ("c", "c-int8"):
        number = "double" if predictor.dtype == "float64" and kind == "c" else "float"
        yield f'  #include "{path.name}"'
        yield f"  {number} x[{name}_N_FEATURES], y[{name}_N_OUTPUTS], scratch[{name}_SCRATCH];"
        yield f"  if ({prefix}_predict(x, y, scratch) == {name}_OK) ..."
        if has_classes:
            number_of_class = f"{prefix}_predict_class(y)"
            labeled = f"{prefix}_labels[{number_of_class}]"
            yield f"  {number_of_class if predictor.classes is None else labeled}"
    elif kind == "onnx":
        inputs = '{"X_wide": X_wide, "X_deep": X_deep}' if is_pair else '{"X": X}'
        yield "  import onnxruntime"
        yield f"  session = onnxruntime.InferenceSession({str(path)!r})"
        yield f"  session.run(None, {inputs})  # X: {predictor.dtype}, (n, features)"
    else:
        if path.suffix == ".py" and path.stem.isidentifier():
            names = "predict, predict_classes" if predictor.task != "regression" else "predict"
            yield f"  from {path.stem} import {names}"
            yield f"  predict({'(X_wide, X_deep)' if is_pair else 'X'})"
        yield f"  python {shlex.quote(path.name)} < rows.csv"
