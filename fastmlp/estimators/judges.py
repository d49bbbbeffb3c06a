"""What epochs are judged by: a score, or the loss, of rows that are not trained on."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import check_scoring
from sklearn.metrics._scorer import _BaseScorer

from .objective import reports_mean

if TYPE_CHECKING:
    from ..kernels.typing import Array
    from ..model.sequential import Sequential
    from .rows import Rows


class Verdict(NamedTuple):
    """What is said of an epoch.

    Attributes
    ----------
    score : float
        The higher, the better.
    logs : dict of str to float
        ``val_loss``, without penalties, where it is worked out, and the score by its name.
    """

    score: float
    logs: dict[str, float]


class Judge:
    """Judges the network after each epoch.

    Parameters
    ----------
    estimator : BaseMLP
        Its `early_stopping` names the score: that of ``score`` where it is a bool, ``"loss"``, the
        name of a scorer of scikit-learn's, or a function of estimator, X and y.
    model : Sequential
        Its network.
    held : Rows
    shows_loss : bool
        Whether the loss is worked out where the score is another.

    Attributes
    ----------
    held : Rows
    name : str
        That of the score.
    """

    def __init__(self, estimator: Any, model: Sequential, held: Rows, shows_loss: bool) -> None:
        self._estimator, self._model, self.held = estimator, model, held
        wish = estimator.early_stopping
        self._shows_loss = shows_loss or wish == "loss"
        self._scorer: Callable[[], float] | None = None
        if isinstance(wish, bool):
            self.name = "accuracy" if is_classifier(estimator) else "r2"
        elif wish == "loss":
            self.name = "loss"
        else:
            self.name = wish if isinstance(wish, str) else getattr(wish, "__name__", "score")
            self._scorer = _scorer(estimator, wish, held)

    @property
    def names(self) -> list[str]:
        """The names of its logs."""
        score = f"val_{self.name}"
        return ["val_loss", score] if self._shows_loss and self.name != "loss" else [score]

    def judge(self) -> Verdict:
        """Look at the network as it is now."""
        logs = {"val_loss": self._loss()} if self._shows_loss else {}
        if self.name == "loss":
            return Verdict(-logs["val_loss"], logs)
        score = self._own_score() if self._scorer is None else float(self._scorer())
        return Verdict(score, {**logs, f"val_{self.name}": score})

    def _own_score(self) -> float:
        held = self.held
        outputs = self._model.runner.predict(held.x)
        score: float = self._estimator._score_outputs(outputs, held.y, held.weight)
        return score

    def _loss(self) -> float:
        # A fit that shows no loss of such rows needs no NumPy runner; to import it takes 1 ms.
        from ..runners.numpy_runner import head_loss

        held, state = self.held, self._model.training_state.state
        head = self._model.runner.predict(held.x, head=True)
        with np.errstate(all="ignore"):
            loss, _ = head_loss(state, head, held.y, held.weight)
        return loss / head.shape[1] if reports_mean(self._estimator) else loss


def check_judge(estimator: Any) -> None:
    """Refuse an `early_stopping` that names no scorer, before anything else is done."""
    wish = estimator.early_stopping
    if isinstance(wish, str) and wish != "loss":
        try:
            check_scoring(estimator, wish)
        except ValueError as error:
            raise ValueError(
                "early_stopping must be True, False, 'loss', a scorer's name of "
                f"sklearn.metrics.get_scorer_names(), or a scorer, got {wish!r}"
            ) from error


def _scorer(estimator: Any, wish: Any, held: Rows) -> Callable[[], float]:
    """Return what calls a scorer of scikit-learn's on the held out rows."""
    assert held.given is not None
    X, y = held.given
    # The rows have lost the names that columns may have; what is scored must not miss them.
    judged = object.__new__(type(estimator))
    vars(judged).update(vars(estimator))
    vars(judged).pop("feature_names_in_", None)
    scorer = check_scoring(judged, wish)
    weight: dict[str, Array] = {}
    if held.weight is not None and _takes_weights(scorer):
        weight["sample_weight"] = held.weight
    return lambda: scorer(judged, X, y, **weight)


def _takes_weights(scorer: Any) -> bool:
    if isinstance(scorer, _BaseScorer):
        return "sample_weight" in inspect.signature(scorer._score_func).parameters
    return "sample_weight" in inspect.signature(scorer).parameters
