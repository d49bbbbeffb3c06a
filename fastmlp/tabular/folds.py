"""How rows are cut into those that networks learn from and those that judge them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..data.split import folds, split

if TYPE_CHECKING:
    from ..kernels.typing import Array

    Fold = tuple[Array, Array]

_MOST_PARTS = 10

__all__ = ["folds_for", "folds_of", "several_folds"]


def folds_for(
    n_rows: int,
    share: float,
    n: int,
    *,
    seed: int,
    crosses: bool = True,
    in_order: bool = False,
    classes: Array | None = None,
    groups: Array | None = None,
) -> list[Fold]:
    """Cut rows for n networks whose outputs are averaged; for one as `folds_of` does.

    Where the validation rows are the last ones, or there are none, several networks learn from the
    same rows. Rows are not shared out by class where no class has two.
    """
    if classes is not None and int(np.bincount(classes).max()) < 2:
        classes = None
    if n > 1 and not share:
        whole = np.arange(n_rows)
        return [(whole, whole[:0])] * n
    if n > 1 and not in_order:
        return several_folds(n_rows, share, n, seed=seed, classes=classes, groups=groups)
    crosses = crosses and n == 1
    found = folds_of(
        *(n_rows, share),
        seed=seed,
        crosses=crosses,
        in_order=in_order,
        classes=classes,
        groups=groups,
    )
    return found * n


def folds_of(
    n_rows: int,
    share: float,
    *,
    seed: int,
    crosses: bool = True,
    in_order: bool = False,
    classes: Array | None = None,
    groups: Array | None = None,
) -> list[Fold]:
    """Cut rows for one network: in parts for cross-fitting, or once.

    Parameters
    ----------
    n_rows : int
    share : float
        Of the validation rows; of none where it is 0.
    seed : int
        Of the draw.
    crosses : bool
        Whether rows are cross-fitted.
    in_order : bool
        The validation rows are the last ones, and nothing is cross-fitted.
    classes, groups : ndarray of int, shape (n,), optional
        As for `fastmlp.data.split.split`.

    Returns
    -------
    list of (training rows, validation rows)
        Without an entry where `share` is 0.

    Raises
    ------
    ValueError
        A part would have no rows.
    """
    if not share:
        return []
    if crosses and not in_order:
        return folds(n_rows, _parts(n_rows, share), seed=seed, classes=classes, groups=groups)
    shares = {"validation": share}
    parts = split(n_rows, shares, seed=seed, in_order=in_order, classes=classes, groups=groups)
    return [(parts["training"], parts["validation"])]


def several_folds(
    n_rows: int,
    share: float,
    n: int,
    *,
    seed: int,
    classes: Array | None = None,
    groups: Array | None = None,
) -> list[Fold]:
    """Cut rows for n networks, each judged by a part of its own, of `share` at most.

    There is a part for each network, up to ten and as long as there are groups: the smaller it is,
    the more rows are learned. The parts are those of one draw as long as there are some, then those
    of another.
    """
    found: list[Fold] = []
    n_units = n_rows if groups is None else len(np.unique(groups))
    k = max(_parts(n_rows, share), min(n, _MOST_PARTS, n_units))
    while len(found) < n:
        found += folds(n_rows, k, seed=seed + len(found), classes=classes, groups=groups)
    return found[:n]


def _parts(n_rows: int, share: float) -> int:
    return min(max(2, round(1 / share)), _MOST_PARTS, n_rows)
