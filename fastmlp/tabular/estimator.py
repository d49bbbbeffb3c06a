"""What both estimators for tables share: X of any kind, the course of a fit, files and exports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import (
    _check_sample_weight,
    check_consistent_length,
)

from ..common.error_state import own_error_state
from ..runners.compile_notice import told_of_compiling
from ..tables.leaks import notes_on_leaks
from ..tables.target_rows import TargetRows
from ..training.callbacks import Callback
from ..training.fit import check_fit_arguments, progress_of
from .columns import Columns, schema_of
from .deadline import Deadline
from .exported import ExportedEstimator
from .fitting import Request, Rows, fit_networks
from .plan import PRESETS, Recipe
from .targets import Given, name_of, values_of_column
from .telling import tell

if TYPE_CHECKING:
    from typing_extensions import Self

    from ..kernels.typing import Array
    from ..tables.notes import Note
    from ..tables.schema import Schema
    from ..tables.target import Target
    from .fitting import Fitted
    from .judge import Judge


class TabularEstimator(ExportedEstimator):
    """The arguments, attributes and methods of `TabularClassifier` and `TabularRegressor`."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "preset": [StrOptions(set(PRESETS))],
        "time_limit": [Interval(Real, 0, None, closed="neither"), None],
        "n_members": [Interval(Integral, 1, None, closed="left"), None],
        "validation_fraction": [Interval(Real, 0, 1, closed="left"), None],
        "eval_metric": [str, callable, None],
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
        "callbacks": ["array-like", Callback],
        "random_state": ["random_state"],
        "n_threads": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "verbose": ["verbose"],
    }

    # What the two kinds say of themselves.

    def _labels_or_numbers(self, y: Array, name: str) -> Given:
        """Return what y holds, without gaps."""
        raise NotImplementedError

    def _learn_target(self, given: Given, name: str, missing: int) -> tuple[Target, Array | None]:
        """Return the target, and the classes of a classification."""
        raise NotImplementedError

    def _codes(self, y: Array, classes: Array | None, what: str) -> Array:
        """Return numbers of classes, or numbers."""
        raise NotImplementedError

    def _factors(self, y: Array, classes: Array | None) -> Array | None:
        """Return the factor of each class in the weights."""
        raise NotImplementedError

    def _loss(self) -> str:
        return "squared_error"

    def _judge(
        self, target: Target, classes: Array | None, y: Array, weight: Array | None
    ) -> Judge | None:
        # It imports scikit-learn's metrics, which takes a second.
        from .scores import judge_of

        if self.eval_metric is None:
            return None
        return judge_of(self.eval_metric, target, classes, y, weight)

    # Fits

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    @own_error_state
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        X_val: Any = None,
        y_val: Any = None,
        groups: Any = None,
    ) -> Self:
        """Train on a table.

        Parameters
        ----------
        X : data frame or array-like, shape (n, n_features)
            A frame of pandas, polars or Arrow, what `fastmlp.read_table` returns, a dict of
            columns, a list of dicts, or an array; NaN is missing, and texts may be anything.
        y : array-like, shape (n,)
            Rows without a target are left out, and told.
        sample_weight : array-like, shape (n,), optional
            Of training and validation alike; 0 leaves a row out.
        X_val, y_val : optional
            Rows that epochs are judged by, in place of some that are drawn from X; the default is
            then one network alone.
        groups : array-like, shape (n,), optional
            Rows of one group are never both learned from and judged by.

        Returns
        -------
        TabularClassifier or TabularRegressor
            The estimator itself.

        Raises
        ------
        ValueError, TypeError
            Arguments or data are unusable; the estimator is left as it was.

        Warns
        -----
        TableWarning
            Of each thing that was decided of the table.
        """
        deadline = Deadline(self.time_limit)
        callbacks = self._callbacks()
        self._check_drawing(X_val, y_val, groups)
        before = dict(self.__dict__)
        try:
            columns, given_names = self._columns(X, reset=True)
            self._names = columns.names
            # Of an earlier fit; what is read by now is not known yet.
            self.__dict__.pop("_model", None)
            rows, held, schema, target, classes, notes = self._read(
                *(columns, given_names, y, sample_weight, X_val, y_val, groups)
            )
            request = self._request(callbacks, deadline, classes)
            with told_of_compiling():
                fitted = fit_networks(schema, rows, held, target, classes, request)
        except BaseException:
            # A fit that fails leaves what there was before.
            self.__dict__.clear()
            self.__dict__.update(before)
            raise
        self._adopt(fitted, columns.names, columns.is_numbers, classes)
        target = fitted.model.preparation.target
        self.schema_: Schema = replace(schema, target=target, notes=notes)
        tell(notes)
        return self

    def _scored(self, metric: Callable[..., float], X: Any, y: Any, sample_weight: Any) -> float:
        """Return a metric of scikit-learn's of the rows that have a target."""
        predicted = self.predict(X)
        values = values_of_column(y)
        check_consistent_length(predicted, values)
        given = self._labels_or_numbers(values, name_of(y, ()))
        weight = None
        if sample_weight is not None:
            weight = _check_sample_weight(sample_weight, predicted[:, None])[given.rows]
        return float(metric(given.y, predicted[given.rows], sample_weight=weight))

    def _callbacks(self) -> tuple[Callback, ...]:
        arguments = check_fit_arguments(
            1, None, True, 0.0, self.callbacks, min(int(self.verbose), 2)
        )
        return (*arguments.callbacks, *progress_of(arguments.verbose))

    def _check_drawing(self, X_val: Any, y_val: Any, groups: Any) -> None:
        """Refuse arguments of which one leaves another without effect."""
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val and y_val go together; give both, or neither")
        draws = X_val is None and bool(self.validation_fraction)
        if groups is not None and not draws:
            why = "X_val is given" if X_val is not None else "validation_fraction is 0"
            raise ValueError(f"groups say how validation rows are drawn, but {why}; leave one out")
        if self.eval_metric is not None and X_val is None and not draws:
            raise ValueError(
                "eval_metric judges epochs by validation rows; give X_val and y_val, or a "
                "validation_fraction above 0"
            )

    def _read(
        self,
        columns: Columns,
        given_names: bool,
        y: Any,
        sample_weight: Any,
        X_val: Any,
        y_val: Any,
        groups: Any,
    ) -> tuple[Rows, Rows | None, Schema, Target, Array | None, tuple[Note, ...]]:
        """Return complete rows, and how they are understood."""
        name = name_of(y, columns.names)
        values = self._one_column(y, len(columns), columns)
        weight = None
        if sample_weight is not None:
            shape = np.empty((len(columns), 1))
            weight = _check_sample_weight(
                sample_weight, shape, dtype=np.float64, ensure_non_negative=True
            )
        codes = None
        if groups is not None:
            check_consistent_length(columns, groups)
            codes = np.unique(np.asarray(groups).astype(str), return_inverse=True)[1].reshape(-1)
        given = self._labels_or_numbers(values, name)
        rows, labels = given.rows, given.y
        if weight is not None:
            # A row of weight 0 is as good as none.
            counts = weight[rows] > 0
            rows, labels = rows[counts], labels[counts]
            if not len(rows):
                raise ValueError("all sample weights are 0; give some rows a weight above it")
        given = Given(labels, rows, given.notes)
        target, classes = self._learn_target(given, name, len(values) - len(given.rows))
        learned = self._codes(labels, classes, "y")
        factors = self._factors(learned, classes)
        used = columns if len(rows) == len(columns) else columns.take(rows)
        schema, cells = schema_of(used, self.categorical_features, given_names)
        notes = (*columns.notes, *given.notes, *schema.notes)
        if used.table is not None:
            known = TargetRows(target, np.arange(len(labels)), labels, ())
            group = None if groups is None else ""
            notes = (*notes, *notes_on_leaks(used.table, schema, cells, known, group))
        weights = _product(None if weight is None else weight[rows], factors, learned)
        own = Rows(cells, learned, weights, None if codes is None else codes[rows])
        held = None
        if X_val is not None:
            held, told = self._read_held(X_val, y_val, schema, classes, factors)
            notes = (*notes, *told)
        return own, held, schema, target, classes, notes

    def _read_held(
        self, X: Any, y: Any, schema: Schema, classes: Array | None, factors: Array | None
    ) -> tuple[Rows, tuple[Note, ...]]:
        columns, _ = self._columns(X, reset=False)
        values = self._one_column(y, len(columns), columns)
        given = self._labels_or_numbers(values, "y_val")
        learned = self._codes(given.y, classes, "y_val")
        cells, notes = schema.read(columns.take(given.rows).source())
        weight = _product(None, factors, learned)
        return Rows(cells, learned, weight), (*columns.notes, *given.notes, *notes)

    def _request(
        self, callbacks: tuple[Callback, ...], deadline: Deadline, classes: Array | None
    ) -> Request:
        preset = PRESETS[self.preset]
        n_members = preset.n_members if self.n_members is None else int(self.n_members)
        state = self.random_state
        is_seed = isinstance(state, Integral)
        seed = int(state) if is_seed else int(check_random_state(state).randint(2**31 - 1))
        recipe = Recipe(
            hidden=preset.hidden,
            epochs=preset.epochs,
            shortens=True,
            seed=seed,
            loss=self._loss(),
            n_threads=self.n_threads,
        )

        def judge(target: Target, y: Array, weight: Array | None) -> Judge | None:
            return self._judge(target, classes, y, weight)

        share = float(self.validation_fraction or 0.0)
        return Request(recipe, n_members, callbacks, deadline, judge, share, preset.crosses)

    def _adopt(
        self, fitted: Fitted, names: tuple[str, ...], is_numbers: bool, classes: Array | None
    ) -> None:
        """Set what a fit leaves."""
        trained = fitted.trained
        self._set_model(fitted.model, names, is_numbers)
        self.history_ = trained.history
        self.best_epoch_, self.validation_score_ = trained.best_epoch, fitted.score
        if classes is not None:
            self.classes_ = classes

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        return tags


def _product(weight: Array | None, factors: Array | None, codes: Array) -> Array | None:
    """The weights of rows, times those of their classes."""
    if factors is None:
        return weight
    own: Array = factors[codes]
    return own if weight is None else weight * own
