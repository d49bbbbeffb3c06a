"""From the columns of a table to the numbers that a network reads, and back from what it says.

scikit-learn fits a preparation; what it found is kept as plain numbers and words, is applied with
NumPy alone, and is saved as JSON in the metadata of the model's file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..common.checks import check_number
from ..errors import ModelFileError, missing_extra
from .reading import KINDS

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from ..kernels.typing import Array
    from ..model.sequential import Sequential

_VERSION = 1
_MOST_CATEGORIES = 1000
# Beyond it the squares that a variance sums leave float64.
_LARGEST = 1e150

__all__ = ["CategoryColumn", "Preparation", "ScaledColumn", "Target", "fit"]


@dataclass(frozen=True)
class ScaledColumn:
    """Numbers, booleans or dates as ``(x - mean) / scale``; a missing one counts as the mean."""

    name: str
    kind: str
    mean: float
    scale: float

    def __post_init__(self) -> None:
        _check_text("a column's name", self.name)
        if self.kind not in KINDS or self.kind == "category":
            raise ValueError(f"the column {self.name!r} is of the kind {self.kind!r}")
        check_number("a mean", self.mean)
        check_number("a scale", self.scale, 0, open_low=True)

    @property
    def features(self) -> tuple[str, ...]:
        """What the network reads of this column, in words."""
        return (self.name,)

    def write(self, values: Array, out: Array) -> None:
        """Write what the network reads of these values into ``out``, ``(n, 1)``."""
        scaled = (values.astype(np.float64) - self.mean) / self.scale
        # Beyond the range of `out` a number is infinite there, which the network refuses.
        with np.errstate(over="ignore"):
            out[:, 0] = np.where(np.isnan(scaled), 0.0, scaled)


@dataclass(frozen=True)
class CategoryColumn:
    """A 1 in the place of the row's category and 0 elsewhere; all 0 for an unknown one.

    The empty string stands for a missing value, and is a category where some were missing in
    training.
    """

    name: str
    categories: tuple[str, ...]

    kind: ClassVar[str] = "category"

    def __post_init__(self) -> None:
        _check_text("a column's name", self.name)
        for category in self.categories:
            _check_text("a category", category)

    @property
    def features(self) -> tuple[str, ...]:
        """What the network reads of this column, in words."""
        return tuple(f"{self.name}={category or '(missing)'}" for category in self.categories)

    def write(self, values: Array, out: Array) -> None:
        """Write what the network reads of these values into ``out``, ``(n, len(categories))``."""
        for place, category in enumerate(self.categories):
            out[:, place] = values == category


Column = ScaledColumn | CategoryColumn


@dataclass(frozen=True)
class Target:
    """What is predicted: one of some classes, or a number, learned as ``(y - mean) / scale``.

    Attributes
    ----------
    name : str
        Of its column.
    kind : str
        One of `fastmlp.tables.reading.KINDS`: what its cells spell.
    classes : tuple of str
        Names of the classes in the order of the sorted labels; empty for a regression.
    mean, scale : float
        0 and 1 where the target is learned as it is.
    """

    name: str
    kind: str
    classes: tuple[str, ...] = ()
    mean: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        _check_text("the target's name", self.name)
        if self.kind not in KINDS:
            raise ValueError(f"the target is of the kind {self.kind!r}")
        for name in self.classes:
            _check_text("a class", name)
        check_number("the target's mean", self.mean)
        check_number("the target's scale", self.scale, 0, open_low=True)

    @property
    def task(self) -> str:
        """``"classification"`` or ``"regression"``."""
        return "classification" if self.classes else "regression"

    def labels(self, values: Array) -> Array:
        """Labels or numbers from the values of the target's column, none of them missing.

        Raises
        ------
        ValueError
            A label is a number that is not whole.
        """
        if not self.classes:
            return values.astype(np.float64)
        if self.kind == "boolean":
            return values.astype(np.bool_)
        if self.kind == "number":
            # int64 holds more, but float64 no longer tells them apart.
            whole = (values == np.floor(values)) & (np.abs(values) < 2**53)
            if not whole.all():
                raise ValueError(
                    f"the target {self.name!r} cannot be classes: "
                    f"{values[whole.argmin()]:g} is not whole"
                )
            return values.astype(np.int64)
        return values.astype(np.str_)

    def transform(self, y: Array) -> Array:
        """What the network learns of labels or numbers."""
        return y if self.classes else (y - self.mean) / self.scale

    def inverse_transform(self, outputs: Array) -> Array:
        """Numbers in the target's own units, float64 ``(n,)``, from outputs ``(n, 1)``."""
        return outputs[:, 0].astype(np.float64) * self.scale + self.mean


@dataclass(frozen=True)
class Preparation:
    """All that lies between a table and a network.

    Attributes
    ----------
    columns : tuple of ScaledColumn or CategoryColumn
        Those that the network reads, in the order of the table.
    constant : tuple of str
        Columns that have one value in all training rows; the network does not read them.
    target : Target
    KEY : str
        Where it stands in a model's metadata.
    """

    columns: tuple[Column, ...]
    constant: tuple[str, ...]
    target: Target

    KEY: ClassVar[str] = "preparation"

    @property
    def features(self) -> tuple[str, ...]:
        """What the network reads, in words: one for each column of X."""
        return tuple(feature for column in self.columns for feature in column.features)

    @property
    def kinds(self) -> dict[str, str]:
        """The kind of each column of a table that `matrix` needs."""
        return {column.name: column.kind for column in self.columns}

    def matrix(self, columns: Mapping[str, Array], dtype: DTypeLike) -> Array:
        """Return what the network reads of a table.

        Parameters
        ----------
        columns : mapping from str to ndarray, shape (n,)
            Float values with NaN where they are missing; strings for categories, empty ones where
            they are missing. Columns that are not needed are not looked at.
        dtype : float32 or float64

        Returns
        -------
        ndarray, shape (n, len(features))
        """
        n_rows = len(columns[self.columns[0].name])
        X = np.empty((n_rows, len(self.features)), dtype)
        start = 0
        for column in self.columns:
            stop = start + len(column.features)
            column.write(columns[column.name], X[:, start:stop])
            start = stop
        return X

    def place(self, name: str) -> slice:
        """The columns of X that come from a column of the table; none from a constant one."""
        start = 0
        for column in self.columns:
            stop = start + len(column.features)
            if column.name == name:
                return slice(start, stop)
            start = stop
        return slice(0, 0)

    def attach(self, model: Sequential) -> None:
        """Keep the preparation in the model's metadata, which are saved with it."""
        description = {
            "version": _VERSION,
            "columns": [
                {"name": column.name, "kind": column.kind, **asdict(column)}
                for column in self.columns
            ],
            "constant": self.constant,
            "target": asdict(self.target),
        }
        text = json.dumps(description, ensure_ascii=False, allow_nan=False)
        model.metadata[self.KEY] = text

    @classmethod
    def of(cls, model: Sequential) -> Preparation | None:
        """Return what `attach` has kept; None where a model has no preparation.

        Raises
        ------
        ModelFileError
            The metadata hold something else under that name.
        """
        if cls.KEY not in model.metadata:
            return None
        try:
            description = json.loads(model.metadata[cls.KEY])
            if description["version"] != _VERSION:
                raise ValueError(f"version {description['version']!r}, expected {_VERSION}")
            target = description["target"]
            preparation = cls(
                tuple(map(_column, description["columns"])),
                tuple(description["constant"]),
                Target(**{**target, "classes": tuple(target["classes"])}),
            )
            width = model.training_state.program.input.width
            if len(preparation.features) != width:
                raise ValueError(f"{len(preparation.features)} features for {width} inputs")
        except (KeyError, RecursionError, TypeError, ValueError) as error:
            raise ModelFileError(f"damaged preparation of the model: {error}") from error
        return preparation


def fit(
    columns: Mapping[str, Array], kinds: Mapping[str, str], rows: Array, target: Target
) -> Preparation:
    """Fit a preparation on some rows of a table, by scikit-learn's ``ColumnTransformer``.

    Parameters
    ----------
    columns : mapping from str to ndarray, shape (n,)
        As `Preparation.matrix` takes them.
    kinds : mapping from str to str
        What each of them holds, one of `fastmlp.tables.reading.KINDS`.
    rows : ndarray of int
        The rows that are looked at.
    target : Target
        Becomes part of the preparation.

    Raises
    ------
    ValueError
        No column has two different values; a column has more than 1000 categories or numbers too
        large to be scaled.
    ImportError
        scikit-learn or pandas is not installed.
    """
    try:
        import pandas
        from sklearn.compose import ColumnTransformer
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OneHotEncoder, StandardScaler
    except ImportError as error:
        raise missing_extra("scikit-learn and pandas", "cli") from error

    frame = pandas.DataFrame({name: values[rows] for name, values in columns.items()})
    different = frame.nunique()
    constant = tuple(name for name in frame if different[name] < 2)
    scaled = [name for name in frame if kinds[name] != "category" and name not in constant]
    encoded = [name for name in frame if kinds[name] == "category" and name not in constant]
    if not scaled and not encoded:
        raise ValueError(
            "there is nothing to learn from: no column besides the target has two different "
            "values in the training rows"
        )
    for name in encoded:
        if different[name] > _MOST_CATEGORIES:
            raise ValueError(
                f"the column {name!r} has {different[name]} different texts, more than "
                f"{_MOST_CATEGORIES}; leave it out with --drop {name!r}"
            )
    for name in scaled:
        if float(frame[name].abs().max()) > _LARGEST:
            raise ValueError(f"the column {name!r} has numbers too large to be scaled")
    numbers = make_pipeline(StandardScaler(), SimpleImputer(strategy="constant", fill_value=0.0))
    categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    parts = (("numbers", numbers, scaled), ("categories", categories, encoded))
    transformer = ColumnTransformer([part for part in parts if part[2]])
    transformer.fit(frame)

    found: dict[str, Column] = {}
    if scaled:
        scaler = transformer.named_transformers_["numbers"][0]
        for name, mean, scale in zip(scaled, scaler.mean_, scaler.scale_, strict=True):
            found[name] = ScaledColumn(name, kinds[name], float(mean), float(scale))
    if encoded:
        encoder = transformer.named_transformers_["categories"]
        for name, texts in zip(encoded, encoder.categories_, strict=True):
            found[name] = CategoryColumn(name, tuple(map(str, texts)))
    return Preparation(tuple(found[name] for name in frame if name in found), constant, target)


def _column(description: Mapping[str, Any]) -> Column:
    if description["kind"] == "category":
        return CategoryColumn(description["name"], tuple(description["categories"]))
    return ScaledColumn(
        *(description["name"], description["kind"], description["mean"], description["scale"])
    )


def _check_text(what: str, value: object) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a string, got {value!r}")
