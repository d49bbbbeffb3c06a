"""What both estimators for tables share: X of any kind, the course of a fit, files and exports."""

from __future__ import annotations

import os
from dataclasses import replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import (
    _check_feature_names,
    _check_sample_weight,
    check_consistent_length,
    check_is_fitted,
    validate_data,
)

from ..common.error_state import own_error_state
from ..common.warn import warn
from ..data.features import counted
from ..model.file import ESTIMATOR
from ..runners.compile_notice import told_of_compiling
from ..tables.leaks import notes_on_leaks
from ..tables.target_rows import TargetRows
from ..training.callbacks import Callback
from ..training.fit import check_fit_arguments, progress_of
from .columns import Columns, is_frame, schema_of
from .deadline import Deadline
from .fitting import Request, Rows, fit_networks
from .frozen import frozen, notes_on_digits
from .plain_numbers import PlainNumbers
from .plan import PRESETS, Recipe
from .saved import described
from .targets import Given, name_of, values_of
from .telling import tell

if TYPE_CHECKING:
    from typing_extensions import Self

    from ..inference.predictor import Predictor
    from ..kernels.typing import Array
    from ..tables.notes import Note
    from ..tables.schema import Schema
    from ..tables.target import Target
    from .fitting import Fitted
    from .judge import Judge
    from .model import TableModel

_SOME = 5


class TabularEstimator(BaseEstimator):  # type: ignore[misc]
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
            Rows that epochs are judged by, in place of some that are drawn from X.
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
        before = dict(vars(self))
        try:
            columns, given_names = self._columns(X, reset=True)
            rows, held, schema, target, classes, notes = self._read(
                *(columns, given_names, y, sample_weight, X_val, y_val, groups)
            )
            request = self._request(callbacks, deadline, classes)
            with told_of_compiling():
                fitted = fit_networks(schema, rows, held, target, classes, request)
        except BaseException:
            # A fit that fails leaves what there was before.
            vars(self).clear()
            vars(self).update(before)
            raise
        self._adopt(fitted, columns.names, columns.is_numbers, classes)
        target = fitted.model.preparation.target
        self.schema_: Schema = replace(schema, target=target, notes=notes)
        tell(notes)
        return self

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

    def _one_column(self, y: Any, n: int, columns: Columns) -> Array:
        """Return y as one column of n values."""
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None"
            )
        values = values_of(y)
        if (values.ndim == 2 and values.shape[1] == 1) or values.ndim != 1:
            # It takes some milliseconds to import, which y of one dimension does not need.
            from sklearn.utils import column_or_1d

            values = column_or_1d(values, warn=True)
        if values.dtype.kind == "c":
            raise ValueError("Complex data not supported: y holds complex numbers")
        check_consistent_length(columns, values)
        if n < 2:
            raise ValueError(f"Found array with {n} sample(s) while a minimum of 2 is required.")
        return values

    def _request(
        self, callbacks: tuple[Callback, ...], deadline: Deadline, classes: Array | None
    ) -> Request:
        preset = PRESETS[self.preset]
        n_members = preset.n_members if self.n_members is None else int(self.n_members)
        state = self.random_state
        is_seed = isinstance(state, Integral)
        seed = int(state) if is_seed else int(check_random_state(state).randint(2**31 - 1))
        recipe = Recipe(
            epochs=preset.epochs,
            patience=preset.patience,
            seed=seed,
            loss=self._loss(),
            n_threads=self.n_threads,
        )

        def judge(target: Target, y: Array, weight: Array | None) -> Judge | None:
            return self._judge(target, classes, y, weight)

        share = float(self.validation_fraction or 0.0)
        return Request(recipe, n_members, share, preset.crosses, callbacks, judge, deadline)

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

    def _set_model(self, model: TableModel, names: tuple[str, ...], is_numbers: bool) -> None:
        self._model, self._names, self._from_numbers = model, names, is_numbers
        self._plain = PlainNumbers.of(model.preparation, names)
        self.members_ = list(model.members)
        if len(self.members_) == 1:
            self.network_ = self.members_[0]
        elif hasattr(self, "network_"):
            del self.network_

    # Rows to predict

    def _columns(self, X: Any, reset: bool) -> tuple[Columns, bool]:
        """Check X, and return its columns, by the names that a fit has seen."""
        if is_frame(X):
            return self._of_frame(X, reset)
        if isinstance(X, list | tuple):
            found = np.asarray(X)
            # Of texts and numbers NumPy would make texts alone.
            X = np.array(X, dtype=object) if found.dtype.kind in "US" else found
        array = validate_data(
            self,
            X,
            reset=reset,
            dtype=None,
            ensure_all_finite="allow-nan" if _is_numeric(X) else False,
        )
        if array.dtype.kind not in "biufOUS":
            array = array.astype(object)
        if array.dtype.kind == "f" and array.dtype.itemsize > 8:
            array = array.astype(np.float64)
        names = None if reset else self._names
        return Columns.of_array(array, names), False

    def _of_frame(self, X: Any, reset: bool) -> tuple[Columns, bool]:
        _refuse_sparse(X)
        columns = Columns.of_frame(X)
        named = getattr(X, "columns", columns.names)
        if reset:
            self.n_features_in_ = len(columns.names)
            if all(isinstance(name, str) for name in named):
                self.feature_names_in_ = np.array(columns.names, dtype=object)
            elif hasattr(self, "feature_names_in_"):
                del self.feature_names_in_
            return columns, True
        if set(self._names) <= set(columns.names):
            return columns, True
        if not hasattr(self, "feature_names_in_") and len(columns.names) == len(self._names):
            # Fitted without names: by place, which scikit-learn warns of.
            _check_feature_names(self, X, reset=False)
            return columns.named(self._names), True
        missing = [name for name in self._names if name not in columns.names]
        shown = ", ".join(map(repr, missing[:_SOME])) + (", ..." if len(missing) > _SOME else "")
        if self._needs(missing):
            raise ValueError(
                f"X lacks {counted(len(missing), 'column')} that {type(self).__name__} was fitted "
                f"with: {shown}; it has {', '.join(columns.names)}"
            )
        return columns, True

    def _needs(self, missing: list[str]) -> bool:
        """Whether some columns are read; before that is known, all are."""
        if not hasattr(self, "_model"):
            return True
        read = {column.name for column in self._model.preparation.columns}
        return bool(read & set(missing))

    def _matrix(self, X: Any) -> Array:
        """Return what the networks read of X."""
        check_is_fitted(self)
        columns, _ = self._columns(X, reset=False)
        model = self._model
        if self._plain is not None and columns.is_numbers:
            assert columns.array is not None
            return self._plain.matrix(columns.array, model.dtype)
        return model.preparation.matrix(self._cells(columns), model.dtype)

    def _cells(self, columns: Columns) -> dict[str, Array]:
        cells, notes = self._model.preparation.read(columns.source())
        tell((*columns.notes, *notes))
        return cells

    @own_error_state
    def _outputs(self, X: Any) -> Array:
        rows = self._matrix(X)
        return self._model.predict(rows)

    # Files and other programs

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the estimator to one safetensors file, which `fastmlp.load` reads.

        ``fastmlp predict``, ``evaluate``, ``inspect`` and ``export`` read it, too.

        Parameters
        ----------
        path : str or path-like
            Of the file; its folder must exist.

        Warns
        -----
        UserWarning
            Arguments are objects, which a file without code cannot hold, such as callbacks.
        """
        check_is_fitted(self)
        self._model.save(path, {ESTIMATOR: described(self)})

    def freeze(self) -> Predictor:
        """Return a predictor with the preparation in it: it takes what `encode` returns.

        Its outputs are probabilities, or numbers in the units of y.

        Raises
        ------
        ValueError
            A column's mean or scale is beyond the range of float32.
        """
        check_is_fitted(self)
        return frozen(self._model)

    def encode(self, X: Any) -> Array:
        """Return the numbers that a frozen or exported estimator reads of rows, float64.

        They are the columns as they stand in the table: numbers, with the training's median where
        they are missing; a 1 in the place of a category; days since 1970. Their names are those of
        ``freeze().feature_names``.

        Parameters
        ----------
        X : data frame or array-like, shape (n, n_features)
        """
        check_is_fitted(self)
        columns, _ = self._columns(X, reset=False)
        return self._model.preparation.raw_matrix(self._cells(columns))

    def export_c(self, path: str | os.PathLike[str], **options: Any) -> None:
        """Write a C header with the preparation in it, see `Predictor.export_c` for options."""
        self._exported().export_c(path, **options)

    def export_onnx(self, path: str | os.PathLike[str]) -> None:
        """Write an ONNX graph with the preparation in it, see `Predictor.export_onnx`."""
        self._exported().export_onnx(path)

    def export_python(self, path: str | os.PathLike[str], **options: Any) -> None:
        """Write a file of Python with the preparation in it, see `Predictor.export_python`."""
        self._exported().export_python(path, **options)

    def _exported(self) -> Predictor:
        predictor = self.freeze()
        for note in notes_on_digits(self._model, predictor):
            warn(note)
        return predictor

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        return tags


def _is_numeric(X: Any) -> bool:
    return getattr(getattr(X, "dtype", None), "kind", "O") in "biufc"


def _refuse_sparse(X: Any) -> None:
    kinds = getattr(X, "dtypes", None)
    if kinds is not None and any("Sparse" in str(kind) for kind in np.ravel(kinds)):
        raise TypeError("sparse columns are not taken; X.sparse.to_dense() makes dense ones")


def _product(weight: Array | None, factors: Array | None, codes: Array) -> Array | None:
    """The weights of rows, times those of their classes."""
    if factors is None:
        return weight
    own: Array = factors[codes]
    return own if weight is None else weight * own
