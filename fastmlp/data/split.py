"""Rows cut into parts: for training, for validation, for the test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ..kernels.typing import Array

TRAINING = "training"


def split(
    n_rows: int,
    shares: Mapping[str, float],
    *,
    seed: int,
    classes: Array | None = None,
    groups: Array | None = None,
    in_order: bool = False,
) -> dict[str, Array]:
    """Cut rows into parts, the first of which, for training, has what the others leave.

    Parameters
    ----------
    n_rows : int
    shares : mapping from str to float
        The parts besides that for training and their shares of all rows, in the order of time: the
        last one has the last rows where they are cut in order.
    seed : int
        Of the draw.
    classes : ndarray of int, shape (n,), optional
        The number of each row's class. Each part gets the same share of each as far as that goes;
        a class of few rows is in the training rows first.
    groups : ndarray of int, shape (n,), optional
        Rows of one group stay in one part. Classes are not looked at then.
    in_order : bool
        The parts are the rows as they come, not drawn. Groups that come one behind the other stay
        in one part.

    Returns
    -------
    dict from str to ndarray of int
        The rows of each part, ascending.

    Raises
    ------
    ValueError
        A part would have no rows.
    """
    counts = np.array([round(share * n_rows) for share in shares.values()], np.int64)
    counts = np.maximum(counts, 1)
    if counts.sum() >= n_rows:
        wanted = ", ".join(f"{name} ({share:g})" for name, share in shares.items())
        raise ValueError(
            f"of {n_rows} rows no row is left for the training beside those for {wanted}; take "
            "smaller shares"
        )
    rng = np.random.default_rng(seed)
    if in_order:
        place = np.repeat(np.arange(len(counts) + 1), [n_rows - counts.sum(), *counts])
        if groups is not None:
            place = _of_first(place, groups)
    elif groups is not None:
        place = _by_group(groups, counts, rng)
    elif classes is not None:
        place = _by_class(classes, counts, rng)
    else:
        place = np.zeros(n_rows, np.int64)
        place[rng.permutation(n_rows)] = _parts(n_rows, counts)
    parts = {
        name: np.flatnonzero(place == number) for number, name in enumerate((TRAINING, *shares))
    }
    for name, rows in parts.items():
        if not len(rows):
            what = "rows" if groups is None else "groups"
            raise ValueError(f"there are too few {what} for the {name} part; take other shares")
    return parts


def folds(
    n_rows: int,
    k: int,
    *,
    seed: int,
    classes: Array | None = None,
    groups: Array | None = None,
) -> list[tuple[Array, Array]]:
    """Cut rows into k parts, for each of which a network trains on the others.

    Parameters
    ----------
    n_rows, k : int
    seed : int
        Of the draw.
    classes, groups : ndarray of int, shape (n,), optional
        As for `split`.

    Returns
    -------
    list of (training rows, held rows), each ascending

    Raises
    ------
    ValueError
        There are fewer than two rows or groups.
    """
    rng = np.random.default_rng(seed)
    if groups is not None:
        names, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
        # The largest first, each to the part that has the fewest rows.
        order = np.lexsort((rng.random(len(names)), -sizes))
        part_of, filled = np.zeros(len(names), np.int64), np.zeros(min(k, len(names)))
        for group in order:
            part_of[group] = filled.argmin()
            filled[part_of[group]] += sizes[group]
        place = part_of[codes]
    else:
        # Dealt out one by one, class by class.
        kinds = np.zeros(n_rows, np.int64) if classes is None else classes
        place = np.empty(n_rows, np.int64)
        place[np.lexsort((rng.random(n_rows), kinds))] = np.arange(n_rows) % k
    used = np.unique(place)
    if len(used) < 2:
        what = "rows" if groups is None else "groups"
        raise ValueError(f"there are too few {what} to keep some apart")
    return [(np.flatnonzero(place != part), np.flatnonzero(place == part)) for part in used]


def _parts(n_rows: int, counts: Array) -> Array:
    """The number of a part for each of some rows: 0, for training, comes last."""
    numbers = np.append(np.arange(1, len(counts) + 1), 0)
    return np.repeat(numbers, [*counts, n_rows - counts.sum()])


def _by_class(classes: Array, counts: Array, rng: np.random.Generator) -> Array:
    """The same share of each class in each part; what does not come out even is drawn by lot."""
    sizes = np.bincount(classes)
    place = np.zeros(len(classes), np.int64)
    left = sizes.copy()
    # Of each class one row is for training, whatever the shares.
    spare = np.maximum(left - 1, 0)
    taken = np.zeros((len(counts), len(sizes)), np.int64)
    for part, count in enumerate(counts):
        exact = count * sizes / sizes.sum()
        taken[part] = np.minimum(exact.astype(np.int64), spare)
        # The largest remainders first, equal ones by lot.
        order = np.lexsort((rng.random(len(sizes)), -(exact - taken[part])))
        for k in order[: count - taken[part].sum()]:
            taken[part, k] += min(1, spare[k] - taken[part, k])
        spare = spare - taken[part]
    for k, size in enumerate(sizes):
        rows = rng.permutation(np.flatnonzero(classes == k))
        place[rows] = _parts(size, taken[:, k])
    return place


def _by_group(groups: Array, counts: Array, rng: np.random.Generator) -> Array:
    """Whole groups, drawn one after the other, to each part until it has its rows."""
    names, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    part_of = np.zeros(len(names), np.int64)
    part, missing = 1, int(counts[0])
    for group in rng.permutation(len(names)):
        # A group that overshoots by more than it helps goes to the training rows.
        if sizes[group] > 2 * missing:
            continue
        part_of[group] = part
        missing -= sizes[group]
        if missing <= 0:
            part += 1
            if part > len(counts):
                break
            missing = int(counts[part - 1])
    return part_of[codes]


def _of_first(place: Array, groups: Array) -> Array:
    """Each row in the part of the first row of its run of equal groups."""
    starts = np.flatnonzero(np.append(True, groups[1:] != groups[:-1]))
    lengths = np.diff(np.append(starts, len(groups)))
    return np.repeat(place[starts], lengths)
