"""The options of each command, as its help shows them.

Nothing here imports what takes long, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from .values import Switch, integer, number, stem, threads

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES = """\
examples:
  fastmlp train --dataset breast_cancer
  fastmlp train --data houses.csv --target price --drop id -e 200 --patience 20 \\
      --validation_size 0.2
  fastmlp train --config wide.toml -lr 0.001
  fastmlp predict outputs/model.safetensors --data new_houses.csv
  fastmlp export outputs/model.safetensors --format c -o model.h

Long options may be written with hyphens too: --test-size is --test_size.
"""

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

# Suppressed as defaults of the options themselves, these stay out of the help text.
_HIDDEN: dict[str, Any] = {"default": argparse.SUPPRESS}


def declare_train(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``fastmlp train``."""
    parser.usage = (
        "fastmlp train (--dataset NAME | --data FILE.csv --target COLUMN) [option ...]\n"
        "       fastmlp train --config FILE.toml [option ...]"
    )
    parser.epilog = EXAMPLES
    parser.set_defaults(
        **dict.fromkeys(("dataset", "data", "target", "task", "clip_value", "clip_norm", "config")),
        **dict.fromkeys(("extension_name", "wanted_features", "log")),
        drop=[],
        **dict.fromkeys(("stratify", "standardize_target")),
        batch_norm=False,
        show_loss=False,
    )
    parser.add_argument(
        "--config",
        metavar="FILE.toml",
        help="options by their long names, as in: layers = [64, 32]; those on the command line win",
        **_HIDDEN,
    )

    group = parser.add_argument_group("data")
    source = group.add_mutually_exclusive_group(required=True)
    source.add_argument(
        *("-d", "--dataset"),
        metavar="NAME",
        help="breast_cancer, digits, iris, mnist_784, wine (classification), california_housing, "
        "diabetes (regression)",
        **_HIDDEN,
    )
    source.add_argument(
        "--data",
        metavar="FILE.csv",
        help="a table whose first line names its columns. Numbers, true and false, and ISO 8601 "
        "dates are scaled to mean 0 and variance 1, other columns are categories; cells may be "
        "empty",
        **_HIDDEN,
    )
    add = group.add_argument
    add("--target", metavar="COLUMN", help="the column of --data to predict", **_HIDDEN)
    add(
        "--drop",
        metavar="COLUMN",
        nargs="+",
        help="columns of --data to leave out, such as a running number",
        **_HIDDEN,
    )
    add(
        *("-t", "--task"),
        choices=("classification", "regression"),
        help="what to learn (default: what the data set is for; of --data a regression where the "
        "target has numbers that are not whole or more than 20 different ones)",
        **_HIDDEN,
    )
    add(
        *("-ts", "--test_size"),
        metavar="SHARE",
        type=number(0, 1, open_low=True, open_high=True),
        default=0.2,
        help="share of the rows that is kept for the test, drawn at random",
    )
    add(
        "--validation_size",
        metavar="SHARE",
        type=number(0, 1, open_high=True),
        default=0.0,
        help="share of the other rows that is kept for validation",
    )
    add(
        "--stratify",
        action=Switch,
        help="draw the same share of each class (default; --no-stratify: plainly at random)",
        **_HIDDEN,
    )
    add(
        *("-s", "--seed"),
        metavar="N",
        type=integer(0, 2**32 - 1),
        default=42,
        help="of the split, the first weights, the order of rows and dropout",
    )

    add = parser.add_argument_group("network").add_argument
    add(
        *("-l", "--layers"),
        metavar="UNITS",
        nargs="*",
        type=integer(1),
        default=[64, 32],
        help="widths of the hidden layers; without a number the model is linear. The output layer "
        "follows from the data",
    )
    add(
        *("-a", "--activation"),
        metavar="NAME",
        default="relu",
        help="of the hidden layers: relu, tanh, gelu, ...",
    )
    add(
        *("-o", "--output"),
        metavar="NAME",
        default="auto",
        help="activation of the last layer; auto: sigmoid for two classes, softmax for more, "
        "linear for a regression",
    )
    add(
        "--standardize_target",
        action=Switch,
        help="let a linear output learn the target scaled to mean 0 and variance 1; predictions "
        "are in its own units (default for --data)",
        **_HIDDEN,
    )
    add(
        *("-wi", "--weight_init"),
        metavar="NAME",
        default="he",
        help="initialiser of the weights: he, xavier, auto, ...",
    )
    add(
        "--dropout",
        metavar="RATE",
        type=number(0, 1, open_high=True),
        default=0.0,
        help="share of each hidden layer's outputs dropped in training",
    )
    add(
        "--batch_norm",
        action=Switch,
        help="batch normalisation before each hidden activation",
        **_HIDDEN,
    )
    add("--l1", metavar="L", type=number(0), default=0.0, help="adds L * sum |W| to the loss")
    add("--l2", metavar="L", type=number(0), default=0.0, help="adds L / 2 * sum W^2 to the loss")
    add("--dtype", choices=("float32", "float64"), default="float32", help="of the arithmetic")

    add = parser.add_argument_group("training").add_argument
    add(*("-e", "--epochs"), metavar="N", type=integer(1), default=100, help="passes over the rows")
    add("--batch_size", metavar="N", type=integer(1), default=32, help="rows of one update")
    add(
        "--optimizer",
        metavar="NAME",
        default="adam",
        help="sgd, momentum, rmsprop, adam, adamw, adagrad, nadam or ftrl",
    )
    add(
        *("-lr", "--learning_rate"),
        metavar="RATE",
        type=number(0, open_low=True),
        default=0.01,
        help="of the first epoch",
    )
    add(
        *("-decay", "--decay_rate"),
        metavar="D",
        type=number(0),
        default=0.01,
        help="divides the learning rate by 1 + D after each epoch",
    )
    add(
        "--clip_value",
        metavar="C",
        type=number(0, open_low=True),
        help="bounds each number of the gradient by -C and C",
        **_HIDDEN,
    )
    add(
        "--clip_norm",
        metavar="C",
        type=number(0, open_low=True),
        help="shortens a gradient longer than C to that length",
        **_HIDDEN,
    )
    add(
        "--patience",
        metavar="N",
        type=integer(0),
        default=0,
        help="ends the training after N epochs without a lower loss, on the validation rows where "
        "there are some, else on the training rows, and takes the best epoch's weights; 0: never",
    )
    _add_machine(add)

    add = parser.add_argument_group("output").add_argument
    add("--output_dir", metavar="FOLDER", default="outputs", help="where the files go")
    add(
        *("-en", "--extension_name"),
        metavar="NAME",
        type=stem,
        help="write model_NAME.safetensors, metrics_NAME.json and so on",
        **_HIDDEN,
    )
    add(
        *("-wf", "--wanted_features"),
        metavar="FEATURE",
        nargs="+",
        help="columns, by name or number from 0, whose effect on the prediction is drawn, the "
        "others at their means (default: the first two)",
        **_HIDDEN,
    )
    add("--show_loss", action=Switch, help="print the loss of every tenth epoch", **_HIDDEN)
    add(
        "--log",
        metavar="FILE.jsonl",
        help="write a line of JSON after each epoch: its number, losses, seconds, learning rate",
        **_HIDDEN,
    )


def declare_predict(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``fastmlp predict``."""
    parser.usage = "fastmlp predict MODEL --data FILE.csv [option ...]"
    parser.description = (
        "Predict the target of the rows of a table with a model that fastmlp train has written.\n"
        "The table needs the columns that the model was trained on, in any order."
    )
    _add_use_of_a_model(parser, "FILE.csv", "where the predictions go (default: to the terminal)")


def declare_evaluate(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``fastmlp evaluate``."""
    parser.usage = "fastmlp evaluate MODEL --data FILE.csv [option ...]"
    parser.description = (
        "Compare what a model that fastmlp train has written predicts with the target in a table.\n"
        "Rows without a target are left out."
    )
    _add_use_of_a_model(parser, "FILE.json", "write the metrics there, too")


def declare_inspect(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``fastmlp inspect``."""
    parser.usage = "fastmlp inspect MODEL [--no-latency]"
    parser.description = (
        "Describe what a model's file holds, and what predicting a row costs: multiply-adds,\n"
        "bytes of flash and memory as exported C (an estimate, of code for a Cortex-M4), and time\n"
        "on this machine."
    )
    parser.set_defaults(latency=True)
    parser.add_argument(
        "model", metavar="MODEL", help="a file of a model or a predictor that fastmlp has written"
    )
    parser.add_argument(
        "--latency",
        action=Switch,
        help="measure the time of a row with NumPy, and with Numba where that is installed "
        "(default; --no-latency: leave that out)",
        **_HIDDEN,
    )


def declare_export(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``fastmlp export``."""
    parser.usage = "fastmlp export MODEL --format FORMAT -o FILE [option ...]"
    parser.description = (
        "Write a trained network as a file that programs use without fastmlp. Of a model that\n"
        "fastmlp train has written the scaling of columns becomes part of the network: it takes\n"
        "numbers as they stand in the table, and 0 or 1 for each category."
    )
    parser.epilog = EXPORT_EPILOG
    names = ("prefix", "math", "calibration", "weights")
    parser.set_defaults(**dict.fromkeys(names))
    add = parser.add_argument
    add("model", metavar="MODEL", help="a file of a model or a predictor that fastmlp has written")
    add(
        "--format",
        choices=("c", "c-int8", "onnx", "python"),
        required=True,
        help="what to write, see below",
        **_HIDDEN,
    )
    add(*("-o", "--output"), metavar="FILE", required=True, help="where it goes", **_HIDDEN)
    add(
        "--prefix",
        metavar="NAME",
        help="of c and c-int8: what all names in the header begin with (default: model)",
        **_HIDDEN,
    )
    add(
        "--math",
        choices=("math.h", "inline"),
        help="of c: where exp, tanh and the like come from: the C library, or polynomials in the "
        "header, which then needs no library and is faster where the compiler vectorises them "
        "(default: math.h)",
        **_HIDDEN,
    )
    add(
        "--calibration",
        metavar="FILE.csv",
        help="of c-int8, which needs it: a table like the training one, of some hundred rows or "
        "more, from which the ranges of all activations are taken. Where it has the target, the "
        "loss of accuracy is told",
        **_HIDDEN,
    )
    add(
        "--weights",
        choices=("inside", "beside"),
        help="of python: in the file, or in an .npz file beside it (default: inside)",
        **_HIDDEN,
    )


def _add_use_of_a_model(parser: argparse.ArgumentParser, file: str, help_text: str) -> None:
    _add_model_and_data(parser)
    parser.add_argument(*("-o", "--output"), metavar=file, help=help_text, **_HIDDEN)
    _add_machine(parser.add_argument)


def _add_model_and_data(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(output=None)
    parser.add_argument("model", metavar="MODEL", help="a file that fastmlp train has written")
    parser.add_argument(
        "--data",
        metavar="FILE.csv",
        required=True,
        help="a table whose first line names its columns",
        **_HIDDEN,
    )


def _add_machine(add: Callable[..., Any]) -> None:
    add(
        "--backend",
        choices=("auto", "numba", "numpy"),
        default="auto",
        help="what computes; auto is numba where that is installed",
    )
    add(
        "--threads",
        metavar="N",
        type=threads,
        default="auto",
        help="at most so many; auto looks at the sizes; results do not depend on it",
    )


def declare_bench(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``fastmlp bench``."""
    from ..peers.networks import CASES
    from ..peers.options import FULL, SHORT, SHORT_CASES
    from ..peers.peer import BASE, LIBRARIES

    parser.usage = "fastmlp bench [option ...]"
    parser.description = (
        "Measure fastmlp on this machine beside the other libraries that are installed, each at\n"
        "its best: prints what a training step takes, and how many times as long theirs do.\n"
        "pip install 'fastmlp[peers]' brings them all."
    )
    parser.epilog = "cases:\n" + "\n".join(f"  {name:3} {case}" for name, case in CASES.items())
    peers = [name for name in LIBRARIES if name != BASE]
    numbers = ("variants", "rounds", "epochs", "seconds", "limit", "rows", "pause")
    parser.set_defaults(
        full=False, cases=None, threads=None, peers=peers, output=None, **dict.fromkeys(numbers)
    )

    def add_number(name: str, parse: Callable[[str], Any], text: str, *, metavar: str) -> None:
        short, full = getattr(SHORT, name), getattr(FULL, name)
        default = f"{short:g}; with --full {'all' if full is None else format(full, 'g')}"
        add(
            f"--{name}",
            metavar=metavar,
            type=parse,
            help=f"{text} (default: {default})",
            **_HIDDEN,
        )

    add = parser.add_argument_group("what is measured").add_argument
    add(
        "--full",
        action="store_true",
        help="all cases with all rows, thoroughly: about an hour in place of some minutes",
        **_HIDDEN,
    )
    add(
        "--cases",
        metavar="CASE",
        nargs="+",
        choices=CASES,
        help=f"from the list below (default: {' '.join(SHORT_CASES)}; with --full all)",
        **_HIDDEN,
    )
    add(
        "--threads",
        metavar="N",
        nargs="+",
        type=threads,
        help="numbers of threads; auto: fastmlp with its own choice, beside the best of each "
        "library over the numbers (default: 1, all cores, auto)",
        **_HIDDEN,
    )
    add(
        "--peers",
        metavar="PEER",
        nargs="*",
        choices=peers,
        help=f"{', '.join(peers)}; without a name fastmlp is measured alone (default: those that "
        "are installed)",
        **_HIDDEN,
    )

    add = parser.add_argument_group("how thoroughly").add_argument
    add_number(
        "variants",
        integer(1),
        "ways to use a library that are tried at most, the fastest of which is measured",
        metavar="N",
    )
    add_number("rounds", integer(1), "measurements, in which the libraries take turns", metavar="N")
    add_number("epochs", integer(1), "least epochs of a fit", metavar="N")
    add_number("seconds", number(0, open_low=True), "least seconds of a fit", metavar="S")
    add_number(
        "limit",
        number(0, open_low=True),
        "most seconds of a fit: it has fewer epochs where an epoch is long",
        metavar="S",
    )
    add_number("rows", integer(1), "most rows of an epoch or a prediction", metavar="N")
    add_number(
        "pause",
        number(0),
        "seconds between two libraries, for spinning threads to fall asleep",
        metavar="S",
    )

    add = parser.add_argument_group("output").add_argument
    add(
        "--output",
        metavar="FOLDER",
        help="write peers.json, peers.md (with quartiles, losses and ways tried) and peers.png "
        "there, anew after each case",
        **_HIDDEN,
    )


def declare_warmup(parser: argparse.ArgumentParser) -> None:
    """Say in the help of ``fastmlp warmup`` where compiled kernels are kept."""
    parser.epilog = (
        "Compiled kernels are kept on disk, in the folder that NUMBA_CACHE_DIR names or else\n"
        "beside the package's sources, and loaded from there afterwards."
    )
