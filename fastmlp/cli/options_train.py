"""The options of ``fastmlp train``.

Declarations of options import nothing that takes long, so that ``--help`` answers at once.
"""

from __future__ import annotations

from ..declarations.optimizers import OPTIMIZERS
from .option import Command, Group, Option
from .options_table import READING, STRICT, UNDERSTANDING
from .values import Switch, integer, number, stem, threads

EXAMPLES = """\
examples:
  fastmlp train --dataset breast_cancer
  fastmlp train --data houses.csv --target price
  fastmlp train --data houses.csv --target price --preset best --time-limit 60
  fastmlp train --data houses.csv --target price --drop notes --layers 64 32 -e 200
  fastmlp train --config wide.toml -lr 0.001
  fastmlp predict outputs/model.safetensors --data new_houses.csv
  fastmlp export outputs/model.safetensors --format c -o model.h

Long options may be written with hyphens too: --test-size is --test_size.
"""

CONFIG = Option(
    name="config",
    metavar="FILE.toml",
    help="options by their long names, as in: layers = [64, 32]; those on the command line win",
)

SOURCES = (
    Option(
        name="dataset",
        short="-d",
        metavar="NAME",
        help="breast_cancer, digits, iris, mnist_784, wine (classification), california_housing, "
        "diabetes (regression)",
    ),
    Option(
        name="data",
        metavar="FILE",
        help="a table: delimited text, Parquet, Feather or a spreadsheet, compressed or not; - is "
        "standard input. What its columns hold is found out and told, see docs/tables.md",
    ),
)

ID = Option(
    name="id",
    metavar="COLUMN",
    nargs="+",
    default=[],
    help="columns that name the rows: carried into the predictions, never learned from",
)

_TABLE = (
    Option(name="target", metavar="COLUMN", help="the column of --data to predict"),
    ID,
    Option(
        name="group",
        metavar="COLUMN",
        help="a column that names groups, such as customers: rows of one group are never split, "
        "and it is not learned from",
    ),
    Option(
        name="test_data",
        metavar="FILE",
        help="a table of its own for the test, in place of a share of --data",
    ),
    Option(
        name="test_last",
        action=Switch,
        default=False,
        help="test on the last rows, and validate on those before, in place of drawn ones",
    ),
    Option(
        name="log_target",
        action=Switch,
        default=False,
        help="learn the logarithm of the target, which suits prices and counts",
    ),
)

OF_A_TABLE = (*_TABLE, *READING, *UNDERSTANDING, STRICT)

BACKEND = Option(
    name="backend",
    choices=("auto", "numba", "numpy"),
    default="auto",
    help="what computes; auto is numba where that is installed",
    goes_to="model",
)
THREADS = Option(
    name="threads",
    metavar="N",
    parse=threads,
    default="auto",
    help="at most so many; auto looks at the sizes; results do not depend on it",
    goes_to="model",
    keyword="n_threads",
)

_SPLIT = (
    Option(
        name="task",
        short="-t",
        choices=("classification", "regression"),
        help="what to learn (default: what the data set is for; of --data a regression where the "
        "target has numbers that are not whole or more than 20 different ones)",
    ),
    Option(
        name="test_size",
        short="-ts",
        metavar="SHARE",
        parse=number(0, 1, open_low=True, open_high=True),
        default=0.2,
        help="share of the rows that is kept for the test, drawn at random",
    ),
    Option(
        name="validation_size",
        metavar="SHARE",
        parse=number(0, 1, open_high=True),
        help="share of the other rows that says which epoch is the best, 0 for none; each row "
        "judges one of the networks that a table's is made of, unless --preset is fast (default: "
        "0.2 of --data, else 0)",
    ),
    Option(
        name="stratify",
        action=Switch,
        help="draw the same share of each class (default; --no-stratify: plainly at random)",
    ),
    Option(
        name="seed",
        short="-s",
        metavar="N",
        parse=integer(0, 2**32 - 1),
        default=42,
        help="of the split, the first weights, the order of rows and dropout",
        goes_to="model",
        keyword="random_state",
    ),
)

_STANDARDIZE = (
    Option(
        name="standardize_target",
        action=Switch,
        help="let a linear output learn the target scaled to mean 0 and variance 1; predictions "
        "are in its own units (default for --data)",
    ),
)

_PRESET = Option(
    name="preset",
    choices=("fast", "default", "best"),
    help="for --data, how much work the network that suits tables may be; fast: one, up to 56 "
    "epochs; default: one, made of five of up to 80 epochs, each judged by another fifth of the "
    "rows; best: ten of up to 96, each judged by another tenth, averaged. What TabularClassifier "
    "and TabularRegressor train, and the file is theirs; without it the default, on the rows as "
    "they stand, in a file of a Sequential",
)

_NETWORK = (
    Option(
        name="layers",
        short="-l",
        metavar="UNITS",
        nargs="*",
        parse=integer(1),
        default=[64, 32],
        help="widths of the hidden layers; without a number the model is linear. The output layer "
        "follows from the data",
    ),
    Option(
        name="activation",
        short="-a",
        metavar="NAME",
        default="relu",
        help="of the hidden layers: relu, tanh, gelu, ...",
    ),
    Option(
        name="output",
        short="-o",
        metavar="NAME",
        default="auto",
        help="activation of the last layer; auto: sigmoid for two classes, softmax for more, "
        "linear for a regression",
    ),
    Option(
        name="weight_init",
        short="-wi",
        metavar="NAME",
        default="he",
        help="initializer of the weights: he, xavier, auto, ...",
        goes_to="dense",
        keyword="initializer",
    ),
    Option(
        name="dropout",
        metavar="RATE",
        parse=number(0, 1, open_high=True),
        default=0.0,
        help="share of each hidden layer's outputs dropped in training",
    ),
    Option(
        name="batch_norm",
        action=Switch,
        default=False,
        help="batch normalization before each hidden activation",
    ),
    Option(
        name="l1",
        metavar="L",
        parse=number(0),
        default=0.0,
        help="adds L * sum |W| to the loss",
        goes_to="dense",
    ),
    Option(
        name="l2",
        metavar="L",
        parse=number(0),
        default=0.0,
        help="adds L / 2 * sum W^2 to the loss",
        goes_to="dense",
    ),
)

_DTYPE = Option(
    name="dtype",
    choices=("float32", "float64"),
    default="float32",
    help="of the arithmetic",
    goes_to="model",
)

_OPTIMIZER = (
    Option(
        name="optimizer",
        metavar="NAME",
        default="adam",
        help=", ".join(OPTIMIZERS),
    ),
    Option(
        name="learning_rate",
        short="-lr",
        metavar="RATE",
        parse=number(0, open_low=True),
        default=0.01,
        help="of the first epoch",
    ),
    Option(
        name="decay_rate",
        short="-decay",
        metavar="D",
        parse=number(0),
        default=0.01,
        help="divides the learning rate by 1 + D after each epoch",
    ),
    Option(
        name="clip_value",
        metavar="C",
        parse=number(0, open_low=True),
        help="bounds each number of the gradient by -C and C",
        goes_to="optimizer",
    ),
    Option(
        name="clip_norm",
        metavar="C",
        parse=number(0, open_low=True),
        help="shortens a gradient longer than C to that length",
        goes_to="optimizer",
    ),
)

_TRAINING = (
    Option(
        name="epochs",
        short="-e",
        metavar="N",
        parse=integer(1),
        default=100,
        help="passes over the rows (default: %(default)s; of a table without options of a network "
        "80, or what --preset says, and fewer of more than 2,000 rows)",
        goes_to="fit",
    ),
    Option(
        name="batch_size",
        metavar="N",
        parse=integer(1),
        default=32,
        help="rows of one update (default: %(default)s; of a table without options of a network by "
        "its size)",
        goes_to="fit",
    ),
    Option(
        name="patience",
        metavar="N",
        parse=integer(0),
        help="ends the training after N epochs without a lower loss, on the validation rows where "
        "there are some, else on the training rows (without options of a network never), and takes "
        "the best epoch's weights; 0: never, and those of the last (default: 20 for --data, but "
        "half of the epochs where neither they nor a network are described; else 0)",
    ),
    Option(
        name="time_limit",
        metavar="SECONDS",
        parse=number(0, open_low=True),
        help="for reading and training; the best that was found by then is kept, and without "
        "options of a network fewer epochs are planned. Compiling, which a first training does, "
        "and the results come on top",
    ),
    _DTYPE,
    BACKEND,
    THREADS,
)

# Where one of these is given for a table, that network is trained in place of the recipe's.
DESCRIBES_A_NETWORK = (*_NETWORK, *_OPTIMIZER)

_OUTPUT = (
    Option(
        name="output_dir",
        metavar="FOLDER",
        default="outputs",
        help="where the files go",
    ),
    Option(
        name="extension_name",
        short="-en",
        metavar="NAME",
        parse=stem,
        help="write model_NAME.safetensors, metrics_NAME.json and so on",
    ),
    Option(
        name="wanted_features",
        short="-wf",
        metavar="FEATURE",
        nargs="+",
        help="columns, by name or number from 0, whose effect on the prediction is drawn, the "
        "others at their means (default: the first two)",
    ),
    Option(
        name="show_loss",
        action=Switch,
        default=False,
        help="print the loss of every tenth epoch",
    ),
    Option(
        name="log",
        metavar="FILE.jsonl",
        help="write a line of JSON after each epoch: its number, losses, seconds, learning rate",
    ),
)

TRAIN = Command(
    name="train",
    phrase="train a network and report how good it is",
    run="train:train",
    description="Train a network and report how good it is, beside the class frequencies or the "
    "mean, and a\nlinear model. A table is learned by a network that suits tables; with an option "
    "of a network or its\noptimizer, such as --layers, by the network that the options describe.",
    usage="fastmlp train (--dataset NAME | --data FILE.csv --target COLUMN) [option ...]\n"
    "       fastmlp train --config FILE.toml [option ...]",
    epilog=EXAMPLES,
    groups=(
        Group("", (CONFIG,)),
        Group("data", (*_TABLE, *_SPLIT), one_of=SOURCES),
        Group("table", (*READING, *UNDERSTANDING, STRICT)),
        Group("network", (_PRESET, *_STANDARDIZE, *_NETWORK)),
        Group("training", _TRAINING),
        Group("optimizer", _OPTIMIZER),
        Group("output", _OUTPUT),
    ),
)
