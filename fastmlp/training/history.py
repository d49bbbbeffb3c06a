"""What a fit records: one value an epoch under each name."""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..common.atomic_file import atomic_text, save_figure
from ..common.checks import check_instance, check_int
from ..errors import missing_extra

if TYPE_CHECKING:
    from collections.abc import ItemsView, Iterator, KeysView, ValuesView

    from matplotlib.axes import Axes

_EPOCH = "epoch"
_PANELS = ("loss", "accuracy")


class History:
    """A mapping from a name to a list of one value an epoch.

    ``history["loss"]``, ``"val_loss" in history``, ``history.keys()``; ``len(history)`` is the
    number of epochs. All lists have that length: an epoch that did not report a name (``val_loss``
    before the first fit with validation data, say) has NaN there.

    Attributes
    ----------
    epochs : list of int
        The number of each epoch, counted since the model's last reset.
    """

    def __init__(self) -> None:
        self.epochs: list[int] = []
        self._columns: dict[str, list[float]] = {}

    def append(self, epoch: int, logs: Mapping[str, float]) -> None:
        """Add one epoch.

        Parameters
        ----------
        epoch : int
            Its number.
        logs : mapping of str to float
            Its values.

        Raises
        ------
        TypeError
            If the number is not an integer, a name not a string or a value not a number.
        ValueError
            If the number is negative, or a name is ``"epoch"``, which files use for the number.
        """
        number = check_int("epoch", epoch, 0)
        check_instance("logs", logs, Mapping, "a mapping of names to numbers")
        row = {name: float(value) for name, value in logs.items()}
        for name in row:
            if not isinstance(name, str):
                raise TypeError(f"names in the logs must be strings, not {name!r}")
            if name == _EPOCH:
                raise ValueError(f"{_EPOCH!r} is the epoch's number; give the value another name")
        for name in row:
            if name not in self._columns:
                self._columns[name] = [math.nan] * len(self.epochs)
        for name, column in self._columns.items():
            column.append(row.get(name, math.nan))
        self.epochs.append(number)

    def extend(self, other: History) -> None:
        """Add all epochs of another history."""
        check_instance("other", other, History, "a History")
        for epoch, logs in other.last(len(other)):
            self.append(epoch, logs)

    def last(self, count: int) -> list[tuple[int, dict[str, float]]]:
        """Return number and values of each of the last epochs."""
        first = len(self) - min(check_int("count", count, 0), len(self))
        return [
            (self.epochs[row], {name: column[row] for name, column in self.items()})
            for row in range(first, len(self))
        ]

    def keys(self) -> KeysView[str]:
        """Return the names."""
        return self._columns.keys()

    def values(self) -> ValuesView[list[float]]:
        """Return the lists of values."""
        return self._columns.values()

    def items(self) -> ItemsView[str, list[float]]:
        """Return pairs of a name and its values."""
        return self._columns.items()

    def __getitem__(self, name: str) -> list[float]:
        try:
            return self._columns[name]
        except KeyError:
            known = ", ".join(self._columns) or "nothing yet"
            raise KeyError(f"no {name!r} in the history; it holds {known}") from None

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self.epochs)

    def __repr__(self) -> str:
        return f"<History of {len(self)} epochs: {', '.join(self._columns)}>"

    def to_dict(self) -> dict[str, list[Any]]:
        """Return a dictionary that strict JSON can hold.

        Returns
        -------
        dict
            ``"epoch"`` and each name, mapped to lists of equal length. NaN, which JSON lacks, is
            None; infinities are the strings ``"inf"`` and ``"-inf"``.
        """
        return {
            _EPOCH: list(self.epochs),
            **{name: [_to_json(value) for value in column] for name, column in self.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, list[Any]]) -> History:
        """Return the history of which `to_dict` made this dictionary.

        Raises
        ------
        ValueError
            If ``"epoch"`` is missing, an entry is not a list of one number an epoch.
        """
        epochs = check_instance("data", data, Mapping, "a mapping of names").get(_EPOCH)
        if not isinstance(epochs, list):
            raise ValueError(f"a history needs a list {_EPOCH!r}; it has {', '.join(data)}")
        for name, column in data.items():
            if not isinstance(column, list) or len(column) != len(epochs):
                raise ValueError(f"{name!r} in a history is not a list of one value an epoch")
        history = cls()
        try:
            history.epochs = [operator.index(epoch) for epoch in epochs]
            for name, column in data.items():
                if name != _EPOCH:
                    history._columns[name] = [_from_json(value) for value in column]
        except (TypeError, ValueError) as error:
            raise ValueError(f"a history holds numbers: {error}") from error
        return history

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write a CSV file: a column ``epoch``, then one for each name.

        Values are written with the digits that read back as the same float; missing ones as
        ``nan``.
        """
        import csv

        with atomic_text(path, "csv") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([_EPOCH, *self._columns])
            writer.writerows(zip(self.epochs, *self._columns.values(), strict=True))

    def to_json(self, path: str | os.PathLike[str]) -> None:
        """Write `to_dict` to a JSON file."""
        import json

        with atomic_text(path, "json") as file:
            json.dump(self.to_dict(), file, allow_nan=False, ensure_ascii=False)
            file.write("\n")

    def plot(self, path: str | os.PathLike[str] | None = None) -> Axes:
        """Draw the learning curves: loss, and accuracy where there is one, by epoch.

        Parameters
        ----------
        path : str or path-like, optional
            Save the figure there, in the format that the suffix names. Without it the figure is
            pyplot's, for a notebook or ``plt.show()`` to display.

        Returns
        -------
        matplotlib.axes.Axes
            The Axes of the loss; that of the accuracy is ``axes.figure.axes[1]``.

        Raises
        ------
        ValueError
            If no epoch has recorded a loss or an accuracy.
        ImportError
            If matplotlib is not installed.
        """
        panels = [m for m in _PANELS if m in self or f"val_{m}" in self]
        if not self.epochs or not panels:
            raise ValueError("there is nothing to plot: no epoch has recorded a loss")
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            raise missing_extra("matplotlib", "plot") from error
        from ..inspection.plots_network import plot_learning_curves

        size = (4.8 * len(panels), 3.6)
        if path is None:
            from matplotlib import pyplot

            figure = pyplot.figure(figsize=size, layout="constrained")
        else:
            figure = Figure(figsize=size, layout="constrained")
        all_axes = figure.subplots(1, len(panels), squeeze=False)[0]
        for axes, metric in zip(all_axes, panels, strict=True):
            plot_learning_curves(self, metric, axes)
        if path is not None:
            save_figure(figure, path, dpi=150)
        first: Axes = all_axes[0]
        return first


def _to_json(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else repr(value)


def _from_json(value: Any) -> float:
    return math.nan if value is None else float(value)
