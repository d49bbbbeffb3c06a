"""The rows that a network learns from, those that its training is judged by, and the test."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..data.split import split
from ..tables.notes import Note
from ..tabular.fitting import Rows, prepared_from
from ..tabular.folds import folds_for, folds_of
from ..tabular.plan import PRESETS

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..tabular.distinct import Distinct
    from ..tabular.plan import Preset
    from .data import Source

# Of fewer rows a fifth says too little.
FEWEST = 100
VALIDATION = 0.2
PATIENCE = 20


@dataclass(frozen=True)
class Parts:
    """How rows are cut.

    Attributes
    ----------
    learned : ndarray of int
        All rows besides those of the test.
    test : ndarray of int
    folds : list of (training rows, validation rows)
        Places within `given`; one pair, several, or none.
    n_members : int
        Networks that are written. Of one, several folds are for cross-fitting.
    distinct : Distinct, optional
        Of copies among `learned`.
    """

    learned: Array
    test: Array
    folds: list[tuple[Array, Array]]
    n_members: int = 1
    distinct: Distinct | None = None

    @property
    def given(self) -> Array:
        """The rows that networks are given: those of `learned`, copies as one."""
        return self.learned if self.distinct is None else self.learned[self.distinct.rows]

    @property
    def weight(self) -> Array | None:
        """How much each of `given` counts."""
        return None if self.distinct is None else self.distinct.weight

    @property
    def n_copies(self) -> int:
        """How many rows are copies of another one."""
        return len(self.learned) - len(self.given)

    @property
    def training(self) -> Array:
        """The rows that the networks that are written have learned from."""
        if not self.folds or (len(self.folds) > 1 and self.n_members == 1):
            return self.learned
        return self.spread(np.unique(np.concatenate([rows for rows, _ in self.folds])))[0]

    @property
    def prepared(self) -> Array:
        """The rows from which an estimator fits the preparation."""
        return self.given[prepared_from(self.folds, len(self.given), self.n_members)]

    def spread(self, places: Array) -> tuple[Array, Array]:
        """Return the rows that some of `given` stand for, and for each which of them it is."""
        place_of = np.full(len(self.given), -1)
        place_of[places] = np.arange(len(places))
        found = place_of if self.distinct is None else place_of[self.distinct.places]
        return self.learned[found >= 0], found[found >= 0]


def unvalidated(parts: Parts, arguments: argparse.Namespace) -> tuple[Note, ...]:
    """A note where validation rows are the default, and there are too few to keep some."""
    if parts.folds or not arguments.validation_size:
        return ()
    n = len(parts.learned)
    text = f"{n} rows besides those of the test are few: there are no validation rows"
    return (Note(text, "validation_size", f"{arguments.validation_size:g}", count=n),)


def preset_of(arguments: argparse.Namespace) -> Preset:
    """How much work the recipe for tables may be."""
    return PRESETS[arguments.preset or "default"]


def settle(arguments: argparse.Namespace) -> None:
    """Fill in what is another default for tables than for data sets."""
    is_table = arguments.dataset is None
    if arguments.validation_size is None:
        arguments.validation_size = VALIDATION if is_table else 0.0
    if arguments.patience is None:
        arguments.patience = PATIENCE if is_table else 0


def cut(source: Source, arguments: argparse.Namespace, is_recipe: bool) -> Parts:
    """Cut the rows of a source as the options say, and as what is trained needs them.

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
    copies = None
    # Rows that come in order are not put into another one.
    if arguments.preset is not None and not in_order:
        copies = _rows(source, learned).distinct()
    given = learned if copies is None else learned[copies.rows]
    within = {
        "classes": None if codes is None else codes[given],
        "groups": None if groups is None else groups[given],
    }
    n_members = preset_of(arguments).n_members if is_recipe else 1
    return Parts(learned, test, _folds(len(given), arguments, is_recipe, within), n_members, copies)


def _rows(source: Source, learned: Array) -> Rows:
    cells = {name: values[learned] for name, values in source.columns.items()}
    groups = None if source.groups is None else source.groups[learned]
    return Rows(cells, source.y[learned], groups=groups)


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
    n: int, arguments: argparse.Namespace, is_recipe: bool, within: dict[str, Array | None]
) -> list[tuple[Array, Array]]:
    share, seed, last = arguments.validation_size, arguments.seed, arguments.test_last
    if is_recipe:
        preset = preset_of(arguments)
        return folds_for(
            *(n, share, preset.n_members),
            seed=seed,
            crosses=preset.crosses,
            in_order=last,
            classes=within.get("classes"),
            groups=within.get("groups"),
        )
    if not share:
        return []
    if arguments.dataset is not None:
        return [_drawn(np.arange(n), share, seed, within["classes"])]
    if n < FEWEST and "validation_size" not in arguments.given:
        return []
    return folds_of(n, share, seed=seed, crosses=False, in_order=last, **within)
