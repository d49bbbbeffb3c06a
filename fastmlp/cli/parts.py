"""The rows that a network learns from, those that its training is judged by, and the test."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..data.split import split
from ..tables.notes import Note
from ..tabular.folds import folds_of

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from .data import Source

# Of fewer rows a fifth says too little.
FEWEST = 100
VALIDATION, PATIENCE = 0.2, 20


@dataclass(frozen=True)
class Parts:
    """How rows are cut.

    Attributes
    ----------
    learned : ndarray of int
        All rows besides those of the test.
    test : ndarray of int
    folds : list of (training rows, validation rows)
        Places within `learned`; one pair, several of which each row is held by one, or none.
    """

    learned: Array
    test: Array
    folds: list[tuple[Array, Array]]

    @property
    def training(self) -> Array:
        """The rows that the network that is written has learned from."""
        return self.learned[self.folds[0][0]] if len(self.folds) == 1 else self.learned


def unvalidated(parts: Parts, arguments: argparse.Namespace) -> tuple[Note, ...]:
    """A note where validation rows are the default, and there are too few to keep some."""
    if parts.folds or not arguments.validation_size:
        return ()
    n = len(parts.learned)
    text = f"{n} rows besides those of the test are few: there are no validation rows"
    return (Note(text, "validation_size", f"{arguments.validation_size:g}", count=n),)


def settle(arguments: argparse.Namespace) -> None:
    """Fill in what is another default for tables than for data sets."""
    is_table = arguments.dataset is None
    if arguments.validation_size is None:
        arguments.validation_size = VALIDATION if is_table else 0.0
    if arguments.patience is None:
        arguments.patience = PATIENCE if is_table else 0


def cut(source: Source, arguments: argparse.Namespace, may_cross_fit: bool) -> Parts:
    """Cut the rows of a source as the options say.

    Raises
    ------
    ValueError
        Options do not fit each other or the data.
    """
    if arguments.stratify and not source.target.classes:
        raise ValueError("--stratify is for classes; this is a regression")
    codes = None
    if source.target.classes and arguments.stratify is not False:
        codes = np.unique(source.y, return_inverse=True)[1].reshape(-1)
    seed, in_order, groups = arguments.seed, arguments.test_last, source.groups
    rows = np.arange(len(source.y))
    if arguments.dataset is not None:
        learned, test = _drawn(rows, arguments.test_size, seed, codes)
    elif source.is_test is None:
        shares = {"test": arguments.test_size}
        parts = split(
            *(len(rows), shares), seed=seed, classes=codes, groups=groups, in_order=in_order
        )
        learned, test = parts["training"], parts["test"]
    else:
        learned, test = rows[~source.is_test], rows[source.is_test]
    if source.target.classes:
        lost = np.setdiff1d(source.y[test], source.y[learned])
        if len(lost):
            raise ValueError(f"no training row is of the class {lost[0]}; {_remedy(arguments)}")
    within = {
        "classes": None if codes is None else codes[learned],
        "groups": None if groups is None else groups[learned],
    }
    return Parts(learned, test, _folds(len(learned), arguments, may_cross_fit, within))


def _drawn(rows: Array, share: float, seed: int, codes: Array | None) -> tuple[Array, Array]:
    """Cut the rows of a data set in two as scikit-learn does, on whose draws results are known."""
    # It is there where the data set comes from, and takes a second to import.
    from sklearn.model_selection import train_test_split

    try:
        first, second = train_test_split(rows, test_size=share, random_state=seed, stratify=codes)
    except ValueError as error:
        raise ValueError(f"{error}; take another share, or --no_stratify") from None
    return first, second


def _remedy(arguments: argparse.Namespace) -> str:
    """What may bring each class into the training rows."""
    if arguments.test_last:
        return "the rows are sorted by class, it seems: leave out --test-last, or shuffle them"
    if arguments.group is not None:
        return "all its rows are in groups of the test: take another --seed or --test_size"
    return "leave out --no_stratify, or take a smaller --test_size or another --seed"


def _folds(
    n: int, arguments: argparse.Namespace, may_cross_fit: bool, within: dict[str, Array | None]
) -> list[tuple[Array, Array]]:
    share, seed = arguments.validation_size, arguments.seed
    if not share:
        return []
    if arguments.dataset is not None:
        return [_drawn(np.arange(n), share, seed, within["classes"])]
    if n < FEWEST and not may_cross_fit and "validation_size" not in arguments.given:
        return []
    last = arguments.test_last
    return folds_of(n, share, seed=seed, crosses=may_cross_fit, in_order=last, **within)
