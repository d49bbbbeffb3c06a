"""Tables to learn from: rows as data frames, and what is to be said of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from ...kernels.typing import Array

TEST_SHARE = 0.2


class Table(NamedTuple):
    """Rows and their targets.

    Attributes
    ----------
    name : str
    X : pandas.DataFrame
        Numbers and texts; missing is NaN.
    y : ndarray
        Numbers, or classes 0, 1, ... .
    is_regression : bool
    """

    name: str
    X: Any
    y: Array
    is_regression: bool

    @classmethod
    def of(cls, name: str, X: Any, y: Any, is_regression: bool) -> Table:
        """A table whose classes may have any names."""
        if is_regression:
            return cls(name, X, np.asarray(y, np.float64), True)
        return cls(name, X, np.unique(np.asarray(y), return_inverse=True)[1], False)

    def split(self, number: int) -> tuple[Array, Array]:
        """Rows to fit and rows to test, by a random split of this number."""
        from sklearn.model_selection import train_test_split

        train, test = train_test_split(
            np.arange(len(self.y)),
            test_size=TEST_SHARE,
            random_state=number,
            stratify=None if self.is_regression else self.y,
        )
        return train, test


def own_tables() -> Iterator[Table]:
    """Those that scikit-learn brings, and California housing where it lies on this machine."""
    import pandas as pd
    from sklearn import datasets

    for name in ("iris", "wine", "diabetes", "breast_cancer", "digits"):
        bunch = getattr(datasets, f"load_{name}")()
        X = pd.DataFrame(bunch.data, columns=[f"x{i}" for i in range(bunch.data.shape[1])])
        yield Table.of(name, X, bunch.target, name == "diabetes")
    try:
        bunch = datasets.fetch_california_housing(download_if_missing=False)
    except OSError:
        return
    X = pd.DataFrame(bunch.data, columns=bunch.feature_names)
    yield Table.of("california_housing", X, bunch.target, True)
