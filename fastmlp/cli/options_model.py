"""The options of the commands that use a model's file, and of ``fastmlp warmup``."""

from __future__ import annotations

from dataclasses import replace

from .option import Command, Group, Option
from .options_table import READING, STRICT
from .options_train import BACKEND, ID, THREADS
from .values import Switch

EXPORT_EPILOG = """\
formats:
  c         one C99 header: int model_predict(const float *x, float *y, float *scratch)
  c-int8    the same, computed with integers of 8 bits: weights a quarter as large
  onnx      a graph for onnxruntime and other runtimes; needs the package onnx
  python    one file that needs only NumPy: predict(X)

examples:
  fastmlp export outputs/model.safetensors --format c -o model.h --math inline
  fastmlp export outputs/model.safetensors --format c-int8 --calibration houses.csv -o model.h
  fastmlp export outputs/model.safetensors --format python -o model.py
"""

_TRAINED = Option(
    name="model",
    is_positional=True,
    metavar="MODEL",
    help="a file that fastmlp train has written",
)
_WRITTEN = Option(
    name="model",
    is_positional=True,
    metavar="MODEL",
    help="a file of a model or a predictor that fastmlp has written",
)
_TABLE = (
    Option(
        name="data",
        metavar="FILE",
        required=True,
        help="a table like the one that the model was trained on; - is standard input",
    ),
    *READING,
    STRICT,
)


def _output(metavar: str, text: str, required: bool = False) -> Option:
    return Option(name="output", short="-o", metavar=metavar, help=text, required=required)


PREDICT = Command(
    name="predict",
    phrase="predict with a model",
    run="predict:predict",
    usage="fastmlp predict MODEL --data FILE.csv [option ...]",
    description="Predict the target of the rows of a table with a model that fastmlp train has "
    "written.\nThe table needs the columns that the model was trained on, in any order.",
    groups=(
        Group(
            "",
            (
                _TRAINED,
                *_TABLE,
                ID,
                _output("FILE.csv", "where the predictions go (default: to the terminal)"),
                BACKEND,
                THREADS,
            ),
        ),
    ),
)

EVALUATE = Command(
    name="evaluate",
    phrase="report how good a model is on a table",
    run="predict:evaluate",
    usage="fastmlp evaluate MODEL --data FILE.csv [option ...]",
    description="Compare what a model that fastmlp train has written predicts with the target in a "
    "table.\nRows without a target are left out.",
    groups=(
        Group(
            "",
            (
                _TRAINED,
                *_TABLE,
                _output("FILE.json", "write the metrics there, too"),
                BACKEND,
                THREADS,
            ),
        ),
    ),
)

INSPECT = Command(
    name="inspect",
    phrase="describe what a model's file holds",
    run="inspect:inspect",
    usage="fastmlp inspect MODEL [--no-latency]",
    description="Describe what a model's file holds, and what predicting a row costs: "
    "multiply-adds,\n"
    "bytes of flash and memory as exported C (an estimate, of code for a Cortex-M4), and time\n"
    "on this machine.",
    groups=(
        Group(
            "",
            (
                _WRITTEN,
                Option(
                    name="latency",
                    action=Switch,
                    default=True,
                    help="measure the time of a row with NumPy, and with Numba where that is "
                    "installed (default; --no-latency: leave that out)",
                ),
            ),
        ),
    ),
)

_INT8 = ("c-int8",)
_OF_CALIBRATION = tuple(replace(option, only_for=_INT8) for option in (*READING, STRICT))

EXPORT = Command(
    name="export",
    phrase="write a model as C, ONNX or Python for programs without fastmlp",
    run="export:export",
    usage="fastmlp export MODEL --format FORMAT -o FILE [option ...]",
    description="Write a trained network as a file that programs use without fastmlp. Of a model "
    "that\nfastmlp train has written the scaling of columns becomes part of the network: it takes\n"
    "numbers as they stand in the table, and 0 or 1 for each category.",
    epilog=EXPORT_EPILOG,
    groups=(
        Group(
            "",
            (
                _WRITTEN,
                Option(
                    name="format",
                    choices=("c", "c-int8", "onnx", "python"),
                    required=True,
                    help="what to write, see below",
                ),
                _output("FILE", "where it goes", required=True),
                Option(
                    name="prefix",
                    metavar="NAME",
                    only_for=("c", "c-int8"),
                    help="of c and c-int8: what all names in the header begin with (default: "
                    "model)",
                    goes_to="exporter",
                ),
                Option(
                    name="math",
                    choices=("math.h", "inline"),
                    only_for=("c",),
                    help="of c: where exp, tanh and the like come from: the C library, or "
                    "polynomials in the header, which then needs no library and is faster where "
                    "the compiler vectorizes them (default: math.h)",
                    goes_to="exporter",
                ),
                Option(
                    name="calibration",
                    metavar="FILE.csv",
                    only_for=_INT8,
                    help="of c-int8, which needs it: a table like the training one, of some "
                    "hundred rows or more, from which the ranges of all activations are taken. "
                    "Where it has the target, the loss of accuracy is told",
                ),
                Option(
                    name="weights",
                    choices=("inside", "beside"),
                    only_for=("python",),
                    help="of python: in the file, or in an .npz file beside it (default: inside)",
                    goes_to="exporter",
                ),
            ),
        ),
        Group("table of --calibration", _OF_CALIBRATION),
    ),
)

WARMUP = Command(
    name="warmup",
    phrase="compile every kernel ahead of its first use",
    run="warmup:warmup",
    epilog="Compiled kernels are kept on disk, in the folder that NUMBA_CACHE_DIR names or else\n"
    "beside the package's sources, and loaded from there afterward.",
)
