"""Predictions as a frame of the library that X is a frame of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sklearn.base import is_classifier

if TYPE_CHECKING:
    from ..kernels.typing import Array


class FramedPredictions:
    """`predict_frame`, beside `predict` and `predict_proba`, which return arrays always.

    scikit-learn's `set_output` is for transformers; what works with a classifier or a regressor, as
    stacking does, counts on arrays.
    """

    if TYPE_CHECKING:

        def predict(self, X: Any) -> Array: ...

        def predict_proba(self, X: Any) -> Array: ...

    def predict_frame(self, X: Any) -> Any:
        """Return predictions, and probabilities of classes, as a frame.

        Parameters
        ----------
        X : data frame, array-like or SciPy sparse matrix, shape (n, n_features)
            Rows of numbers.

        Returns
        -------
        pandas.DataFrame, polars.DataFrame or pyarrow.Table
            Of the library of X, of pandas where X is no frame, with the index of X. Its columns
            are "prediction" and, of each class, "probability of ...". Of several labels or numbers
            each has a "prediction of ...", with its number.

        Examples
        --------
        >>> import fastmlp as fm
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["low", "low", "high", "high"]
        >>> model = fm.MLPClassifier(solver="lbfgs", random_state=0).fit(X, y)
        >>> list(model.predict_frame([[0.5]]).columns)
        ['prediction', 'probability of high', 'probability of low']
        """
        columns = dict(_named("prediction", self.predict(X), None))
        if is_classifier(self):
            classes = getattr(self, "classes_", None)
            columns |= _named("probability", self.predict_proba(X), classes)
        if not hasattr(X, "iloc"):
            if hasattr(X, "from_pydict"):
                return type(X).from_pydict(columns)
            if hasattr(X, "get_column"):
                return type(X)(columns)
        import pandas as pd

        return pd.DataFrame(columns, index=X.index if hasattr(X, "iloc") else None)


def _named(what: str, values: Array, names: Any) -> Iterator[tuple[str, Array]]:
    """Yield columns by name; `names` are those of the columns, or None for their numbers."""
    if values.ndim == 1:
        yield what, values
        return
    for place, column in enumerate(values.T):
        yield f"{what} of {place if names is None else names[place]}", column
