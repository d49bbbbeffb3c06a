"""`TabularClassifier`: classes of the rows of a raw table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets

from ..common.error_state import own_error_state
from ..estimators.arguments import keep_arguments
from .estimator import TabularEstimator
from .outputs import probabilities_of
from .targets import Given, labels_in, target_of_labels

if TYPE_CHECKING:
    from ..inspection.attributions import Attributions
    from ..kernels.typing import Array
    from ..tables.target import Target


class TabularClassifier(ClassifierMixin, TabularEstimator):  # type: ignore[misc]
    """Classes of the rows of a table, learned by networks from the table as it is.

    A data frame needs no preparation: texts become categories, dates numbers, gaps are filled and
    marked, columns that only name the rows are left out, and each such decision is told as a
    `fastmlp.TableWarning`. `schema_` says what became of each column.

    Parameters
    ----------
    preset : {"default", "fast", "best"}
        "default": one network, made of five, each judged by another fifth of the rows, which it has
        not learned. "fast": one alone, fewer epochs, judged by a fifth of the rows that none
        learns. "best": ten larger ones, each judged by another tenth, whose logits are averaged.
    time_limit : float, optional
        Seconds of wall time that a fit may take; the best that was found by then is kept. Fewer
        epochs are planned where there is no time for all, then fewer networks, then fewer rows. The
        first fit of a process may compile, which a limit does not shorten.
    n_members : int, optional
        Networks that are kept side by side, each judged by rows of its own, and whose logits, or
        numbers, are averaged; None is ten for "best" and one for the others. One is made of several
        for "best", too; more than one are networks of the preset's size, none of them made of
        others.
    validation_fraction : float
        Share of the rows that a network is judged by; one over it is the number of those that the
        default is made of, from 2 to 10. Of more networks that are kept side by side, such as the
        ten of "best", each is judged by less, so that it can learn more. With 0 or None no rows
        judge: each network, of which the default is then one alone, learns from all of them, and
        its last epoch is kept.
    eval_metric : str or callable, optional
        What decides the best epoch: "accuracy", "log_loss", "roc_auc", "f1", "precision", "recall",
        or any of scikit-learn's scorers by name or as an object; it needs rows that judge. None:
        the mean loss, where it is surely lower than that of a simpler model.
    class_weight : dict or "balanced", optional
        Factors of the rows of a class, in training and in validation.
    categorical_features : "from_dtype", array-like or None
        "from_dtype": what the schema says, see `fastmlp.infer_schema`; columns of a category dtype
        always are categories, and columns of an array of numbers never. A list of names, numbers of
        columns, or booleans: these are categories, and the others what the schema says. None: no
        column is a category; texts that are no numbers are left out.
    callbacks : iterable of Callback
        They watch the first network, beside the losses of all; what they stop stops all.
    random_state : int, RandomState or None
        Of validation rows, first weights and the order of rows.
    n_threads : int or "auto"
        The results are the same bits for any number.
    verbose : int
        0: nothing. 1: a progress bar on a terminal, else some lines. 2: a line an epoch.

    Attributes
    ----------
    classes_ : ndarray
        The labels, sorted.
    schema_ : Schema
        What each column holds, and what becomes of it.
    members_ : list of Sequential
        The networks: one by default, ten of "best".
    network_ : Sequential
        Where there is one.
    history_ : History
        By epoch, over all networks, those that the default is made of, too: ``loss``, the mean of
        theirs, ``val_loss``, that of all validation rows, each judged by networks that have not
        learned it, ``val_`` with the name of `eval_metric`, and ``seconds``.
    best_epoch_ : int
        Epochs that the weights have seen, the same of all networks; 0 where a simpler model was not
        surely beaten.
    validation_score_ : float or None
        `eval_metric` of the validation rows, or their mean loss; None where no rows judge.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where X had names.

    Examples
    --------
    >>> import fastmlp as fm
    >>> X = {"size": [1.0, 2.0, None, 8.0, 9.0, 7.5] * 5, "color": ["red", "blue"] * 15}
    >>> y = ["small", "small", "small", "large", "large", "large"] * 5
    >>> model = fm.TabularClassifier(preset="fast", random_state=0).fit(X, y)
    >>> model.predict({"size": [1.5, 8.5], "color": ["red", "red"]}).shape
    (2,)
    >>> model.predict_proba({"size": [1.5], "color": ["red"]}).shape
    (1, 2)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **TabularEstimator._parameter_constraints,
        "class_weight": [StrOptions({"balanced"}), dict, None],
    }

    def __init__(
        self,
        preset: str = "default",
        time_limit: float | None = None,
        n_members: int | None = None,
        validation_fraction: float | None = 0.2,
        eval_metric: Any = None,
        class_weight: Any = None,
        categorical_features: Any = "from_dtype",
        callbacks: Any = (),
        random_state: Any = None,
        n_threads: int | str = "auto",
        verbose: int = 0,
    ) -> None:
        keep_arguments(self, locals())

    def predict(self, X: Any) -> Array:
        """Return the most probable class of each row, ``(n,)``.

        Parameters
        ----------
        X : data frame or array-like, shape (n, n_features)
            Columns of a frame are found by their names, in whichever order; others are not looked
            at.
        """
        labels: Array = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[labels])

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, float64 ``(n, n_classes)``, as `classes_` has them.

        Parameters
        ----------
        X : data frame or array-like, shape (n, n_features)
        """
        return probabilities_of(self._outputs(X))

    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithms of `predict_proba`.

        Parameters
        ----------
        X : data frame or array-like, shape (n, n_features)
        """
        # A probability may be 0 in float32.
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    @own_error_state
    def attributions(
        self, X: Any, baseline: Any = None, output: Any = None, n_steps: int = 50
    ) -> Attributions:
        """What each column of each row has added to a probability, by integrated gradients.

        Those of `Sequential.attributions` by what the networks read, summed over what comes from
        one column of the table; of several networks they are those of the prediction of all.

        Parameters
        ----------
        X : data frame or array-like, shape (n, n_features)
            As `predict` takes it. Some hundred rows are enough for `Attributions.importance`.
        baseline : data frame or array-like, optional
            Rows whose mean the others are held against, such as those of the training. None: a row
            that has the training's mean of each number, and of each category the same share.
        output : optional
            The class whose probability is explained. None: of two classes the second, of more the
            predicted one of each row.
        n_steps : int
            Gradients that are computed for each row.

        Returns
        -------
        Attributions
            ``.values``, float64 ``(n, n_features)``, for the columns in ``.columns``, which are
            those of the fit; 0 for those that the networks do not read. With ``.base_values`` they
            sum to the probability.

        Raises
        ------
        ValueError, TypeError
            X or the baseline is unusable; there is no such class.
        """
        # Fits and predictions need no explanations.
        from .attributions import by_columns

        rows, baseline = self._rows_and_baseline(X, baseline)
        classes = self.classes_.tolist()
        if output is not None and output not in classes:
            raise ValueError(f"output must be one of the classes {classes}, got {output!r}")
        if len(classes) > 2 and output is None:
            outputs = self._model.predict(rows).argmax(axis=1)
            name = "the predicted class"
        else:
            place = 1 if output is None else classes.index(output)
            outputs, name = np.full(len(rows), place), str(classes[place])
        one_unit = len(classes) == 2
        places = np.zeros_like(outputs) if one_unit else outputs
        found = by_columns(self._model, self._names, rows, baseline, places, n_steps)
        if one_unit and not outputs[0]:
            # The network has the probability of the second class alone.
            found = replace(found, values=-found.values, base_values=1.0 - found.base_values)
        return replace(found, explained=f"probability of {name}")

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the share of right classes, weighted, of the rows that have a target.

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
            Weighted share of right rows.
        """
        # It takes a second to import, which fits do not need.
        from sklearn.metrics import accuracy_score

        return self._scored(accuracy_score, X, y, sample_weight)

    def _labels_or_numbers(self, y: Array, name: str) -> Given:
        given = labels_in(y, name)
        check_classification_targets(given.y)
        return given

    def _learn_target(self, given: Given, name: str, missing: int) -> tuple[Target, Array | None]:
        classes = np.unique(given.y)
        if len(classes) < 2:
            raise ValueError(
                f"the target {name!r} is {classes[0]} in every row: a classifier needs rows of two "
                "classes or more"
            )
        return target_of_labels(name, classes, missing), classes

    def _codes(self, y: Array, classes: Array | None, what: str) -> Array:
        assert classes is not None
        unknown = np.setdiff1d(y, classes)
        if len(unknown):
            raise ValueError(f"{what} has the class {unknown.tolist()[0]!r}, which y has not")
        return np.searchsorted(classes, y)

    def _factors(self, y: Array, classes: Array | None) -> Array | None:
        if self.class_weight is None:
            return None
        assert classes is not None
        found: Array = compute_class_weight(self.class_weight, classes=classes, y=classes[y])
        if (found < 0).any() or not found.any():
            raise ValueError("class_weight must not be negative, nor 0 for all classes")
        return found
