"""Fitted transformers of scikit-learn, read as a `Preparation` without scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from .encoders import is_missing, one_hot_table, ordinal_table
from .preparation import Column, Level, Preparation, Source
from .scalers import SCALERS, scaling_of

if TYPE_CHECKING:
    from .encoders import Table

_LISTED = 8


def steps_of(transformer: Any) -> list[tuple[str, Any]]:
    """Return the steps of a Pipeline, or the one that a transformer is, but for those that pass.

    Parameters
    ----------
    transformer : transformer of scikit-learn, list of (str, transformer), or None
    """
    steps = transformer if isinstance(transformer, list) else [("", transformer)]
    if len(steps) == 1 and _kind(steps[0][1], steps[0][0]) == "Pipeline":
        steps = steps[0][1].steps
    return [(path, step) for path, step in steps if _kind(step, path) != "passthrough"]


def preparation_of(steps: list[tuple[str, Any]]) -> Preparation:
    """Read fitted transformers, one after the other.

    Parameters
    ----------
    steps : list of (str, fitted transformer of scikit-learn)
        Scalers, encoders, ColumnTransformers, Pipelines of them, ...; at least one.

    Raises
    ------
    TypeError
        It is none of scikit-learn's.
    ValueError
        A step is not fitted or cannot be part of a network; the message names it.
    """
    path, first = steps[0]
    if not hasattr(first, "n_features_in_"):
        raise ValueError(f"{_named(first, path)} is not fitted; call its fit first")
    width, names = int(first.n_features_in_), getattr(first, "feature_names_in_", None)
    reader = _Reader(None if names is None else tuple(map(str, names)))
    columns = [Column({(number, Level.NUMBER): 1.0}) for number in range(width)]
    for path, step in steps:
        columns = reader.read(step, path, columns)
    return reader.preparation(columns, width)


def _kind(step: Any, path: str) -> str:
    """Return the class of a transformer of scikit-learn itself; one's own may do anything."""
    if step is None or (isinstance(step, str) and step == "passthrough"):
        return "passthrough"
    kind = type(step)
    if not kind.__module__.startswith("sklearn."):
        where = f" (the step {path!r})" if path else ""
        raise TypeError(
            f"{kind.__module__}.{kind.__name__}{where} is no transformer of scikit-learn, and may "
            f"do anything; what can be folded into a network: {_known()}"
        )
    return kind.__name__


def _known() -> str:
    return ", ".join((*SCALERS, *_READERS))


@dataclass
class _Reader:
    """Columns on their way through steps, and what is learned of the columns of X."""

    names: tuple[str, ...] | None
    tables: dict[int, list[Table]] = field(default_factory=dict)
    fills: dict[int, Any] = field(default_factory=dict)

    def read(self, step: Any, path: str, columns: list[Column]) -> list[Column]:
        """Return columns as a step makes them."""
        kind = _kind(step, path)
        if kind == "passthrough":
            return columns
        if kind not in SCALERS and kind not in _READERS and not _selects(step):
            raise _cannot(step, path, "it is no arithmetic that a network takes over")
        fitted = getattr(step, "n_features_in_", None)
        if kind not in ("Pipeline", "FeatureUnion", "FunctionTransformer"):
            if fitted is None:
                raise ValueError(f"{_named(step, path)} is not fitted; call its fit first")
            if fitted != len(columns):
                raise ValueError(
                    f"{_named(step, path)} was fitted on {fitted} columns, but gets {len(columns)}"
                )
        if kind in SCALERS:
            scaling = scaling_of(step, len(columns))
            pairs = zip(columns, scaling.scale.tolist(), scaling.shift.tolist(), strict=True)
            return [column.scaled(scale, shift) for column, scale, shift in pairs]
        if kind in _READERS:
            return _READERS[kind](self, step, path, columns)
        return [columns[number] for number in np.flatnonzero(step.get_support())]

    def pipeline(self, step: Any, path: str, columns: list[Column]) -> list[Column]:
        for name, inner in step.steps:
            columns = self.read(inner, _join(path, name), columns)
        return columns

    def column_transformer(self, step: Any, path: str, columns: list[Column]) -> list[Column]:
        names = list(map(str, getattr(step, "feature_names_in_", ())))
        made: list[Column] = []
        for name, inner, chosen in step.transformers_:
            numbers = _numbers(chosen, len(columns), names)
            if (isinstance(inner, str) and inner == "drop") or not numbers:
                continue
            part = self.read(inner, _join(path, name), [columns[number] for number in numbers])
            made += _weighted(part, step.transformer_weights, name)
        return made

    def feature_union(self, step: Any, path: str, columns: list[Column]) -> list[Column]:
        made: list[Column] = []
        for name, inner in step.transformer_list:
            if not (isinstance(inner, str) and inner == "drop"):
                part = self.read(inner, _join(path, name), columns)
                made += _weighted(part, step.transformer_weights, name)
        return made

    def function(self, step: Any, path: str, columns: list[Column]) -> list[Column]:
        if step.func is not None:
            name = getattr(step.func, "__name__", repr(step.func))
            raise _cannot(step, path, f"its function, here {name}, may be any")
        return columns

    def imputer(self, step: Any, path: str, columns: list[Column]) -> list[Column]:
        """What is no gap passes; a predictor refuses NaN, so that the caller is told what to do."""
        missing, fills = step.missing_values, step.statistics_
        is_gap = Level.MISSING is _level(missing)
        if not (is_gap or isinstance(missing, Real)):
            why = f"of missing_values={missing!r} a predictor, which takes numbers, knows nothing"
            raise _cannot(step, path, why)
        keeps = step.strategy == "constant" or getattr(step, "keep_empty_features", False)
        made, indicators = [], []
        for column, fill in zip(columns, fills, strict=True):
            indicator = Column()
            if keeps or _level(fill) is not Level.MISSING:
                made.append(column)
            if is_gap:
                self._fill(column, fill)
            else:
                number = self._plain(step, path, column)
                indicator = Column({(number, float(missing)): 1.0})
                if made and made[-1] is column:
                    terms = {**column.terms, (number, float(missing)): float(fill) - missing}
                    made[-1] = Column(terms, column.shift)
            indicators.append(indicator)
        if step.add_indicator:
            made += [indicators[number] for number in step.indicator_.features_]
        return made

    def _fill(self, column: Column, fill: Any) -> None:
        """Remember what stands in the place of a gap, in the numbers of X itself."""
        number = column.number
        if number is not None and _level(fill) is not Level.MISSING:
            place, scale, shift = number
            plain = (scale, shift) == (1.0, 0.0)
            self.fills.setdefault(place, fill if plain else (float(fill) - shift) / scale)

    def encoder(self, step: Any, path: str, columns: list[Column]) -> list[Column]:
        """Each category becomes a sum over the levels of its column."""
        made = []
        tables = one_hot_table if type(step).__name__ == "OneHotEncoder" else ordinal_table
        for number, column in enumerate(columns):
            place = self._plain(step, path, column)
            table = tables(step, number)
            self.tables.setdefault(place, []).append(table)
            levels = [_level(category) for category in table.categories]
            if len(set(levels)) < len(levels):
                alike = [repr(c) for c in table.categories if levels.count(_level(c)) > 1]
                why = f"{' and '.join(alike)} are different categories; make one of them"
                raise _cannot(step, path, why)
            for lookup in table.columns:
                terms = {
                    (place, levels[number]): value - lookup.default
                    for number, value in lookup.values.items()
                    if value != lookup.default
                }
                made.append(Column(terms, lookup.default))
        return made

    def _plain(self, step: Any, path: str, column: Column) -> int:
        """Return the column of X that a column is, as it is."""
        number = column.number
        if number is None or number[1:] != (1.0, 0.0):
            raise _cannot(step, path, "it reads columns that other steps have changed before")
        return number[0]

    # What became of the columns of X

    def preparation(self, columns: list[Column], width: int) -> Preparation:
        texts = {
            place: list(dict.fromkeys(c for table in tables for c in table.categories))
            for place, tables in self.tables.items()
            if any(not _is_number(c) for table in tables for c in table.categories)
        }
        used = {source for column in columns for source in column.terms}
        for place in sorted(texts):
            if (place, Level.NUMBER) in used:
                raise ValueError(
                    f"{self._name(place)} holds texts, which a network cannot read as they are; "
                    "leave its encoder alone"
                )
        inputs: list[Source] = []
        for place in range(width):
            if place in texts:
                levels = (_level(category) for category in texts[place])
                inputs += [(place, level) for level in dict.fromkeys(levels)]
            elif not texts or place in {used_place for used_place, _ in used}:
                inputs.append((place, Level.NUMBER))
        strict = {
            place: tuple(sorted({float(c) for c in known if _level(c) is not Level.MISSING}))
            for place, tables in self.tables.items()
            if place not in texts
            and (known := [c for t in tables if t.strict for c in t.categories])
        }
        numeric = [_without_gaps(column, texts) for column in columns]
        notes = [*self._of_texts(texts), *self._of_gaps(texts)]
        return Preparation(
            tuple(inputs), tuple(numeric), strict, self._names(inputs, texts), tuple(notes)
        )

    def _name(self, place: int) -> str:
        return f"x{place}" if self.names is None else self.names[place]

    def _names(self, inputs: list[Source], texts: dict[int, Any]) -> tuple[str, ...] | None:
        if self.names is None and not texts:
            return None
        return tuple(
            self._name(place) if level is Level.NUMBER else f"{self._name(place)}_{_word(level)}"
            for place, level in inputs
        )

    def _of_texts(self, texts: dict[int, Any]) -> list[str]:
        if not texts:
            return []
        listed = _listed([repr(self._name(place)) for place in sorted(texts)])
        return [
            f"a predictor takes numbers: in the place of the texts of {listed} it reads, for each "
            "category, 1 where it is the row's and else 0. Its feature_names list all that it "
            "reads; of a data frame, pandas.get_dummies(X).reindex(columns=list("
            "predictor.feature_names), fill_value=0) makes it"
        ]

    def _of_gaps(self, texts: dict[int, Any]) -> list[str]:
        missing = {
            place
            for place, tables in self.tables.items()
            if place not in texts
            for table in tables
            for c in table.categories
            if _level(c) is Level.MISSING
        }
        notes = []
        if self.fills:
            fills = [f"{self._name(place)!r} {_word(fill)}" for place, fill in self.fills.items()]
            notes.append(
                "a predictor refuses NaN, where the pipeline fills gaps: put the values in before "
                f"it does, {_listed(fills)}"
            )
        if missing:
            names = _listed([repr(self._name(place)) for place in sorted(missing)])
            notes.append(
                f"a predictor refuses NaN, which is a category of {names}: rows with gaps there "
                "cannot be predicted; use a number in their place, before the training too"
            )
        return notes


_READERS: dict[str, Callable[[_Reader, Any, str, list[Column]], list[Column]]] = {
    "OneHotEncoder": _Reader.encoder,
    "OrdinalEncoder": _Reader.encoder,
    "SimpleImputer": _Reader.imputer,
    "ColumnTransformer": _Reader.column_transformer,
    "FeatureUnion": _Reader.feature_union,
    "Pipeline": _Reader.pipeline,
    "FunctionTransformer": _Reader.function,
}
"""By the class of a step."""


def _selects(step: Any) -> bool:
    """Whether a step only chooses columns."""
    return type(step).__module__.startswith("sklearn.feature_selection.") and hasattr(
        step, "get_support"
    )


def _join(path: str, name: str) -> str:
    return f"{path} > {name}" if path else name


def _named(step: Any, path: str) -> str:
    return f"the step {path!r} ({type(step).__name__})" if path else f"the {type(step).__name__}"


def _cannot(step: Any, path: str, why: str) -> ValueError:
    return ValueError(
        f"{_named(step, path)} cannot be folded into a network: {why}. What can be: {_known()} and "
        "selections of features. Freeze the network alone, and let rows go through the steps before"
    )


def _numbers(chosen: Any, width: int, names: list[str]) -> list[int]:
    """Return the numbers of the columns that a ColumnTransformer chooses."""
    if isinstance(chosen, slice):
        start, stop = chosen.start, chosen.stop
        if isinstance(start, str) or isinstance(stop, str):
            # Of names the last one belongs to it.
            start = None if start is None else names.index(start)
            stop = None if stop is None else names.index(stop) + 1
        return list(range(width))[slice(start, stop, chosen.step)]
    listed = [chosen] if isinstance(chosen, (str, int)) else list(chosen)
    if listed and all(isinstance(each, (bool, np.bool_)) for each in listed):
        return np.flatnonzero(listed).tolist()
    numbers = (names.index(each) if isinstance(each, str) else int(each) for each in listed)
    return [number % width for number in numbers]


def _weighted(columns: list[Column], weights: Any, name: str) -> list[Column]:
    weight = (weights or {}).get(name)
    return columns if weight is None else [column.scaled(float(weight)) for column in columns]


def _level(category: Any) -> Any:
    """Return a category as a source has it: numbers as floats, gaps all alike."""
    if is_missing(category):
        return Level.MISSING
    return float(category) if isinstance(category, (Real, np.bool_)) else str(category)


def _is_number(category: Any) -> bool:
    return not isinstance(_level(category), str)


def _without_gaps(column: Column, texts: dict[int, Any]) -> Column:
    """Return a column without the terms of gaps in numbers, which a predictor never sees."""
    terms = {
        (place, level): factor
        for (place, level), factor in column.terms.items()
        if level is not Level.MISSING or place in texts
    }
    return Column(terms, column.shift)


def _word(level: Any) -> str:
    if level is Level.MISSING:
        return "nan"
    return f"{level:g}" if isinstance(level, Real) else str(level)


def _listed(words: Sequence[str]) -> str:
    more = len(words) - _LISTED
    return ", ".join(words[:_LISTED]) + (f" and {more} more" if more > 0 else "")
