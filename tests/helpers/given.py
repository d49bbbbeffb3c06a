"""Arguments of the command line, parsed and not carried out."""

from __future__ import annotations

import argparse

from fastmlp.cli.options_train import TRAIN
from fastmlp.cli.parts import settle
from fastmlp.cli.values import with_underscores


def given(*words: str) -> argparse.Namespace:
    """Arguments of ``fastmlp train``; of a table where no data set is named."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    TRAIN.declare(parser)
    source = () if {"-d", "--dataset", "--data"} & {*words} else ("--data", "t.csv")
    arguments = parser.parse_args(with_underscores([*source, *words]))
    settle(arguments)
    return arguments
