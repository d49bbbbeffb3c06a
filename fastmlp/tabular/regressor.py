"""`TabularRegressor`: numbers of the rows of a raw table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils._param_validation import StrOptions

from ..common.error_state import own_error_state
from ..estimators.arguments import keep_arguments
from ..tables.target import Target
from .estimator import TabularEstimator
from .losses import LOSSES
from .targets import Given, numbers_in

if TYPE_CHECKING:
    from ..inspection.attributions import Attributions
    from ..kernels.typing import Array


class TabularRegressor(RegressorMixin, TabularEstimator):  # type: ignore[misc]
    """Numbers of the rows of a table, learned by networks from the table as it is.

    See `TabularClassifier` for what is done with a table. The target is learned with mean 0 and
    variance 1, and predictions are in its own units.

    Parameters
    ----------
    preset, time_limit, n_members, validation_fraction
        As those of `TabularClassifier`.
    eval_metric : str or callable, optional
        "rmse", "mse", "mae", "r2", "explained_variance", "pearson_r", or a scorer of
        scikit-learn's; as there.
    categorical_features, callbacks, random_state, n_threads, verbose
        As there.
    loss : {"squared_error", "absolute_error"}
        The mean is learned, or the median.

    Attributes
    ----------
    schema_, members_, network_, history_, best_epoch_ : Schema, list, Sequential, History, int
        As there; losses in the history are of the scaled target.
    validation_score_ : float or None
        `eval_metric` of the validation rows, or their mean loss, in units of y; None where no rows
        judge.
    n_features_in_, feature_names_in_ : int, ndarray of str

    Examples
    --------
    >>> import fastmlp as fm
    >>> X = {"rooms": [1, 2, 3, 4, 5, 6] * 5, "heated": ["yes", "no"] * 15}
    >>> y = [100.0, 180.0, 310.0, 390.0, 520.0, 600.0] * 5
    >>> model = fm.TabularRegressor(preset="fast", random_state=0).fit(X, y)
    >>> bool(300 < model.predict({"rooms": [4], "heated": ["no"]})[0] < 500)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **TabularEstimator._parameter_constraints,
        "loss": [StrOptions(set(LOSSES))],
    }

    def __init__(
        self,
        preset: str = "default",
        time_limit: float | None = None,
        n_members: int | None = None,
        validation_fraction: float | None = 0.2,
        eval_metric: Any = None,
        categorical_features: Any = "from_dtype",
        callbacks: Any = (),
        random_state: Any = None,
        n_threads: int | str = "auto",
        verbose: int = 0,
        loss: str = "squared_error",
    ) -> None:
        keep_arguments(self, locals())

    def predict(self, X: Any) -> Array:
        """Return the number of each row, float64 ``(n,)``, in units of y.

        Parameters
        ----------
        X : data frame or array-like, shape (n, n_features)
            Columns of a frame are found by their names, in whichever order; others are not looked
            at.
        """
        outputs = self._outputs(X)
        numbers: Array = self._model.preparation.target.inverse_transform(outputs)
        return numbers

    @own_error_state
    def attributions(self, X: Any, baseline: Any = None, n_steps: int = 50) -> Attributions:
        """What each column of each row has added to its number, by integrated gradients.

        As `TabularClassifier.attributions`, in units of y, also where its logarithm is learned.

        Parameters
        ----------
        X, baseline, n_steps
            As there.

        Returns
        -------
        Attributions
            As there; with ``.base_values`` the ``.values`` sum to the prediction.

        Raises
        ------
        ValueError, TypeError
            X or the baseline is unusable.
        """
        # Fits and predictions need no explanations.
        from .attributions import by_columns

        rows, baseline = self._rows_and_baseline(X, baseline)
        outputs = np.zeros(len(rows), np.int64)
        return by_columns(self._model, self._names, rows, baseline, outputs, n_steps)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return R2, of the rows that have a target.

        Parameters
        ----------
        X : data frame or array-like, shape (n, n_features)
            As `predict` takes it.
        y : array-like, shape (n,)
            Rows without a target are left out, as in a fit.
        sample_weight : array-like, shape (n,), optional
            Of all rows.

        Returns
        -------
        float
            ``1 - sum e^2 / sum (y - mean)^2``, e the errors.
        """
        # It takes a second to import, which fits do not need.
        from sklearn.metrics import r2_score

        return self._scored(r2_score, X, y, sample_weight)

    def _labels_or_numbers(self, y: Array, name: str) -> Given:
        return numbers_in(y, name)

    def _learn_target(self, given: Given, name: str, missing: int) -> tuple[Target, Array | None]:
        return Target(name, "number", missing=missing), None

    def _codes(self, y: Array, classes: Array | None, what: str) -> Array:
        return y

    def _factors(self, y: Array, classes: Array | None) -> Array | None:
        return None

    def _loss(self) -> str:
        return str(self.loss)
