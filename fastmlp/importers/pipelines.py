"""`freeze`: whatever has been fitted, what it does to its rows included, as one predictor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..common.checks import describe
from ..common.error_state import own_error_state
from ..inference.folding import Scaling
from ..model.freezing import freeze_training
from ..model.sequential import Sequential
from .sklearn import from_sklearn, network_of, unscaling

if TYPE_CHECKING:
    from ..inference.predictor import Predictor


@own_error_state
def freeze(fitted: Any) -> Predictor:
    """Make one predictor of a fitted Pipeline, of what it does to its rows and of its network.

    The predictor takes rows as the pipeline does, columns of numbers in the order of the first fit,
    and gives what its ``predict_proba`` or ``predict`` do; of two classes the probability of the
    second alone. Scalers and encoders become part of its weights, so that `export_c`, `export_onnx`
    and `export_python` write them too.

    Parameters
    ----------
    fitted : Pipeline, estimator or Sequential
        A Pipeline of scikit-learn that ends in `MLPClassifier` or `MLPRegressor`, of this library
        or of scikit-learn, or in a linear model that `from_sklearn` takes, after the steps that
        `Sequential.freeze` takes; a search (GridSearchCV, ...) over one; a
        TransformedTargetRegressor around one, whose transformer is linear; one of these estimators;
        a TabularClassifier or TabularRegressor, whose predictor reads what its ``encode`` gives; or
        a model.

    Returns
    -------
    Predictor
        Its `feature_names` tell what it reads, where the pipeline was fitted on a data frame or has
        columns of texts: of these it takes 1 or 0 for each category.

    Warns
    -----
    UserWarning
        The caller must put in values for gaps, or 0 and 1 for texts; as `Sequential.freeze` warns.

    Raises
    ------
    TypeError
        Nothing of these, or a step that is none of scikit-learn's.
    ValueError
        It is not fitted, or a step cannot be folded in; the message names it.

    Examples
    --------
    >>> import fastmlp as fm
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, y = [[10.0], [20.0], [30.0], [40.0]], ["low", "low", "high", "high"]
    >>> network = fm.MLPClassifier(solver="lbfgs", random_state=0)
    >>> predictor = fm.freeze(make_pipeline(StandardScaler(), network).fit(X, y))
    >>> predictor.predict_classes([15.0]).item()
    'low'
    """
    if isinstance(fitted, type) or not hasattr(fitted, "fit"):
        raise TypeError(
            "freeze takes an estimator of scikit-learn's kind, a Pipeline, a search or a model, "
            f"fitted, got {describe(fitted)}"
        )
    best: Any = getattr(fitted, "best_estimator_", fitted)
    if hasattr(best, "freeze") and hasattr(best, "encode"):
        # Of a table: it prepares its rows itself.
        own: Predictor = best.freeze()
        return own
    parts = _Parts()
    parts.read(fitted)
    model = parts.model
    assert model is not None
    steps = parts.steps or None
    return freeze_training(model.training_state, model.backend, model.n_threads, steps, parts.after)


@dataclass
class _Parts:
    """A network, the steps before it, and the scaling of its output."""

    steps: list[tuple[str, Any]] = field(default_factory=list)
    model: Sequential | None = None
    after: Scaling | None = None

    def read(self, fitted: Any) -> None:
        """Take what has been fitted apart."""
        best, kind = getattr(fitted, "best_estimator_", None), type(fitted).__name__
        if best is not None:
            self.read(best)
        elif hasattr(fitted, "best_index_"):
            raise ValueError(f"the {kind} has no best_estimator_; make it with refit=True")
        elif kind == "Pipeline":
            *before, (_, last) = fitted.steps
            self.steps += before
            self.read(last)
        elif kind == "TransformedTargetRegressor" and hasattr(fitted, "regressor_"):
            scaling = unscaling(fitted.transformer_)
            if scaling is not None:
                self.after = scaling if self.after is None else scaling.then(self.after)
            self.read(fitted.regressor_)
        elif isinstance(fitted, Sequential):
            self.model = fitted
        else:
            self.model = network_of(fitted) or from_sklearn(fitted)
