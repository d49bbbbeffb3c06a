"""An estimator whose coefficients are the weights of a network, and its way to outputs."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from ..data.features import check_sparse
from .frames import FramedPredictions
from .named import with_names
from .network import Link, make_network
from .objective import optimizer_of
from .plain import network_of, parts_of, plain_network, plain_parts
from .refusals import clear_refusals

if TYPE_CHECKING:
    from ..data.rows import Features
    from ..data.targets import TargetEncoder
    from ..inference.predictor import Predictor
    from ..kernels.typing import Array
    from ..model.sequential import Sequential

# Of the arrays that the engine reads as they are.
_READ = (np.float32, np.float64, np.uint8)
_PLAIN = (np.dtype(np.float64), np.dtype(np.float32))


def as_rows(X: Any) -> Features:
    """Return rows that scikit-learn has checked as the engine reads them; sparse ones stay so."""
    if hasattr(X, "tocsr"):
        return check_sparse(X, None, np.float64, "X")
    return np.ascontiguousarray(X, X.dtype if X.dtype in _READ else np.float64)


class LinkedEstimator(FramedPredictions, BaseEstimator):  # type: ignore[misc]
    """What is shown as `coefs_` and `intercepts_` is what the network predicts with."""

    def _encoder(self, encoder: TargetEncoder) -> TargetEncoder:
        """Return what encodes y for the network, made of the one that it would have itself."""
        return encoder

    def _label(self, model: Sequential) -> None:
        """Tell the network what its columns and outputs mean."""
        training = model.training_state
        training.targets = self._encoder(training.encoder())
        if hasattr(self, "feature_names_in_"):
            training.feature_names = {"X": tuple(self.feature_names_in_)}

    def _adopt(self, model: Sequential) -> None:
        """Let the coefficients be the network's own."""
        self._link = Link(model)
        self.coefs_, self.intercepts_ = list(self._link.coefs), list(self._link.intercepts)

    def _current(self) -> Link:
        """Return the network with the coefficients that the estimator shows now."""
        coefs, intercepts = self.coefs_, self.intercepts_
        link: Link | None = vars(self).get("_link")
        if link is None or not link.fits(coefs):
            arrays = [np.asarray(array) for array in coefs]
            shapes: list[Any] = [array.shape for array in arrays]
            dtype = "float32" if arrays[0].dtype == np.float32 else "float64"
            link = Link(make_network(self, shapes, dtype, optimizer_of(self)))
            link.update(coefs, intercepts)
            self._label(link.model)
            self._link = link
        link.update(coefs, intercepts)
        return link

    @property
    def network_(self) -> Sequential:
        """The network behind the estimator, with the coefficients as they are now."""
        check_is_fitted(self, "coefs_")
        return self._current().model

    # Other forms

    def freeze(self, preparation: Any = None) -> Predictor:
        """Return a predictor: the network as it is now, ready to predict and to be exported.

        Parameters
        ----------
        preparation : fitted transformer of scikit-learn, optional
            What X went through before it came here, such as ``pipeline[:-1]``; it becomes part of
            the network. See `Sequential.freeze`, and `fastmlp.freeze` for whole pipelines.

        Returns
        -------
        Predictor
            Its outputs are those of the network: of two classes the probability of the second.

        Raises
        ------
        ValueError, TypeError
            As `Sequential.freeze` raises them.
        """
        return self.network_.freeze(preparation)

    def to_sklearn(self) -> Any:
        """Return scikit-learn's own class, fitted: it predicts and goes on as this one would.

        Arguments, fitted attributes, the state of the optimizer and that of the random numbers are
        copies. So a further `partial_fit`, or a fit of a warm start, of both ends with the same
        weights, rounding aside.

        Returns
        -------
        sklearn.neural_network.MLPClassifier or MLPRegressor
            A copy that shares nothing with this estimator.

        Raises
        ------
        ValueError
            An argument is not its default that scikit-learn's class does not have or does not take;
            the message names all of them.
        """
        # Those who stay here need none of it.
        from .exchange import to_sklearn

        return to_sklearn(self)

    # Outputs

    def _outputs(self, X: Any) -> Array:
        """Return the network's output for each row, ``(n, n_outputs_)``."""
        if self._is_plain(X):
            # The check below says what is wrong with numbers that are not finite.
            with suppress(FloatingPointError):
                return self._current().model.runner.predict(X, checks_finite=True)
        check_is_fitted(self)
        with clear_refusals(self, X, "X"):
            rows = validate_data(self, with_names(X), accept_sparse=["csr", "csc"], reset=False)
        return self._current().model.runner.predict(as_rows(rows))

    def _is_plain(self, X: Any) -> bool:
        """Tell whether nothing but its numbers need a look, which has time until they are read."""
        own = vars(self)
        return (
            type(X) is np.ndarray
            and "_link" in own
            and "feature_names_in_" not in own
            and X.dtype in _PLAIN
            and X.ndim == 2
            and X.shape[0] > 0
            and X.shape[1] == own["n_features_in_"]
            and X.flags.c_contiguous
            and X.flags.aligned
        )

    # Copies

    def __getstate__(self) -> dict[str, Any]:
        # A copy: what comes may be the estimator's own attributes.
        state = dict(super().__getstate__())
        link = state.pop("_link", None)
        if link is not None:
            # Of what the network has, nothing is written twice.
            state["_network"] = plain_network(link.model)
            for name, own in (("coefs_", link.coefs), ("intercepts_", link.intercepts)):
                state[name] = [
                    None if place < len(own) and array is own[place] else array
                    for place, array in enumerate(state[name])
                ]
        return plain_parts(state)

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = parts_of(state)
        plain = state.pop("_network", None)
        super().__setstate__(state)
        if plain is not None:
            link = self._link = Link(network_of(plain))
            self._label(link.model)
            for name, own in (("coefs_", link.coefs), ("intercepts_", link.intercepts)):
                given = getattr(self, name)
                filled = [own[i] if array is None else array for i, array in enumerate(given)]
                setattr(self, name, filled)
