"""What y means: labels, columns of classes or numbers, as the output of the network decides."""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.arrays import OwnsArrays
from ..common.checks import check_number
from .features import finite_array
from .labels import classes_to_state, listing, read_labels, without_coercion

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from ..kernels.typing import Array


class TargetEncoder(OwnsArrays, ABC):
    """Turns y into what the losses take, and outputs back into labels.

    Its attributes are never changed in place: ``copy.copy`` keeps its state for later.

    Attributes
    ----------
    task : str
        "binary", "multiclass", "multilabel" or "regression".
    activation, units, loss, dtype, least_target
        As given to `target_encoder`.
    classes : ndarray or None
        The labels by class index, in the type that y had; None before the first fit
        and where y has no labels.
    """

    task: str

    def __init__(
        self,
        activation: str,
        units: int,
        loss: str,
        dtype: DTypeLike,
        least_target: float = -math.inf,
    ) -> None:
        self.activation = activation
        self.units = units
        self.loss = loss
        self.dtype = np.dtype(dtype)
        self.least_target = least_target
        self.classes: Array | None = None

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        super().__setstate__(state)
        if self.classes is not None:
            self.classes.flags.writeable = False

    def encode(self, y: object, n_rows: int, *, fit: bool) -> Array:
        """Check y and return it as the losses take it.

        The first call with ``fit`` settles what the labels are; later ones are held to them.
        Without ``fit`` nothing is remembered: an encoder that has seen no fit reads y as a first
        fit would. Nothing is remembered from a y that is refused.

        Parameters
        ----------
        y : array_like, shape (n_rows,), (n_rows, 1) or (n_rows, units)
        n_rows : int
            The rows of X.
        fit : bool

        Returns
        -------
        ndarray
            multiclass: int64 class indices (n_rows,), or rows of probabilities (n_rows, units);
            else (n_rows, units). Numbers are C-contiguous and of the model's dtype. It may share
            memory with y.

        Raises
        ------
        TypeError
            y is of a type that is neither label nor number, or mixes types.
        ValueError
            y has another length or shape, missing values, labels that were not there at the
            first fit, or numbers that the output cannot mean.
        """
        values = _read(y, n_rows)
        classes = self._learn(values) if self.classes is None else self.classes
        encoded = self._encode(values, classes)
        if fit and classes.size:
            classes.flags.writeable = False
            self.classes = classes
        return encoded

    def decode(self, outputs: Array) -> Array:
        """Return the labels for outputs of the network.

        Parameters
        ----------
        outputs : ndarray, shape (n_rows, units)

        Returns
        -------
        ndarray
            binary and multiclass: labels (n_rows,) as y had them, column numbers where y was
            rows of probabilities; multilabel: 0 or 1, int64 (n_rows, units). An output of 0.5
            counts as the second class; of equal probabilities the first class wins.

        Raises
        ------
        ValueError
            The output means numbers, not classes.
        """
        return self._decode(outputs)

    def class_indices(self, encoded: Array) -> Array | None:
        """Return the class index of each encoded row; None where rows have no single class.

        A row of probabilities belongs to its most probable class.
        """
        return self._class_indices(encoded)

    def class_weights(
        self, class_weight: Mapping[Any, float] | str | None, encoded: Array
    ) -> Array | None:
        """Return the factor of each row that its class brings, float64 (n_rows,).

        Parameters
        ----------
        class_weight : mapping, "balanced" or None
            None gives None. Label to factor, where labels that are not named have factor 1; or
            ``n_rows / (k * count)``, k the number of classes that occur in these rows.
        encoded : ndarray
            What `encode` returned.

        Raises
        ------
        TypeError
            Neither a mapping nor a string, or a factor that is not a number.
        ValueError
            Unknown labels, negative factors, factors that leave no row with weight, another
            string; rows that have no single class.
        """
        if class_weight is None:
            return None
        indices = self.class_indices(encoded)
        if indices is None:
            raise ValueError(f"class_weight needs one class for each row; this is {self.task}")
        if isinstance(class_weight, str):
            if class_weight != "balanced":
                raise ValueError(f"class_weight must be a dict or 'balanced', got {class_weight!r}")
            counts = np.bincount(indices)
            present = np.count_nonzero(counts)
            balanced: Array = (indices.size / (present * np.maximum(counts, 1)))[indices]
            return balanced
        if not isinstance(class_weight, Mapping):
            raise TypeError(
                f"class_weight must be a dict or 'balanced', got {type(class_weight).__name__}"
            )
        weights: Array = self._factors(class_weight)[indices]
        if not weights.any():
            raise ValueError("class_weight is zero for every class that occurs in y")
        return weights

    def with_classes(self, classes: object) -> TargetEncoder:
        """Return this encoder for labels that are known before a fit.

        Parameters
        ----------
        classes : array_like, shape (k,)
            The label of each output, in their order, sorted or not; of one sigmoid unit the label
            of 0 and that of 1.

        Raises
        ------
        TypeError
            Labels of a type that is none, or of mixed types.
        ValueError
            The output means numbers or independent labels; another number of labels; labels that
            are missing or stand there twice.
        """
        expected = self.n_classes
        if not expected:
            raise ValueError(
                "classes go with an output of softmax or of one sigmoid unit; this network ends in "
                f"{self.activation} with {self.units} units"
            )
        values = without_coercion(classes, "classes")
        if values.shape != (expected,):
            raise ValueError(
                f"{self.activation} with {self.units} units takes {expected} classes, got "
                f"classes of shape {values.shape}"
            )
        try:
            labels = read_labels(values).copy()
        except (TypeError, ValueError) as error:
            raise type(error)(f"classes: {error}") from None
        if np.unique(labels).size < labels.size:
            raise ValueError(f"classes must all be different, got {listing(labels)}")
        labels.flags.writeable = False
        encoder = copy.copy(self)
        encoder.classes = labels
        return encoder

    def to_state(self) -> dict[str, Any]:
        """Return all that `encoder_from_state` needs, as JSON knows it."""
        return {
            "task": self.task,
            "activation": self.activation,
            "units": self.units,
            "loss": self.loss,
            "dtype": self.dtype.name,
            "least_target": None if math.isinf(self.least_target) else self.least_target,
            "classes": None if self.classes is None else classes_to_state(self.classes),
        }

    @abstractmethod
    def _encode(self, values: Array, classes: Array) -> Array: ...

    @abstractmethod
    def _decode(self, outputs: Array) -> Array: ...

    def _class_indices(self, encoded: Array) -> Array | None:
        return None

    def _learn(self, values: Array) -> Array:
        """Return the classes; none where y has no labels."""
        return np.empty(0, np.int64)

    @property
    def n_classes(self) -> int:
        """How many labels there are; 0 where y has none."""
        return 0

    def _known(self) -> Array:
        return np.arange(self.n_classes) if self.classes is None else self.classes

    def _numbers(self, values: Array) -> Array:
        return np.ascontiguousarray(finite_array(values, self.dtype, "y"), self.dtype)

    def _check_columns(self, values: Array, meaning: str) -> None:
        if values.ndim != 2 or values.shape[1] != self.units:
            raise ValueError(
                f"{self.activation} with {self.units} units takes {meaning}, "
                f"got y of shape {values.shape}"
            )

    def _factors(self, class_weight: Mapping[Any, float]) -> Array:
        known = self._known()
        indices = {label: index for index, label in enumerate(known)}
        unknown = [label for label in class_weight if label not in indices]
        if unknown:
            raise ValueError(
                "class_weight has labels that the model does not know: "
                f"{', '.join(map(repr, unknown))}; it knows {listing(known)}"
            )
        factors = np.ones(known.size)
        for label, factor in class_weight.items():
            factors[indices[label]] = check_number(f"class_weight[{label!r}]", factor, 0.0)
        return factors


def _read(y: object, n_rows: int) -> Array:
    """Return y as an array of n_rows rows, a single column as a one-dimensional one."""
    values = without_coercion(y, "y")
    if values.ndim not in (1, 2):
        got = f"shape {values.shape}" if values.ndim else f"a single {type(y).__name__}"
        raise ValueError(f"y must have shape (n_rows,) or (n_rows, units), got {got}")
    if values.shape[0] != n_rows:
        raise ValueError(f"X has {n_rows} rows, but y has {values.shape[0]}")
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
