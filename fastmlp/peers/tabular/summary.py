"""What follows from the results: means over tables, each on what two methods both have.

A table counts once, whatever its number of splits. Two methods are compared on the splits that both
have of it, and a method that lacks a table on those that it has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from math import ceil
from typing import Any, NamedTuple

import numpy as np

from .methods import METHODS
from .tables import TEST_SHARE

Result = dict[str, Any]
# Of these more is better.
_UPWARDS = ("auc",)


class Cell(NamedTuple):
    """One fit."""

    table: str
    method: str
    split: int


class Mean(NamedTuple):
    """A mean over tables.

    Attributes
    ----------
    value : float
    error : float
        Its standard error; of a geometric mean, that of the mean logarithm.
    n_tables : int
    """

    value: float
    error: float
    n_tables: int


class Summary:
    """Results by table, split and method.

    Parameters
    ----------
    found : dict of Cell to dict
        Those that failed are left out, and counted.
    """

    def __init__(self, found: dict[Cell, Result]) -> None:
        self.results: dict[str, dict[str, dict[int, Result]]] = defaultdict(
            lambda: defaultdict(dict)
        )
        self.failures: dict[Cell, str] = {}
        for cell, result in found.items():
            if "failure" in result:
                self.failures[cell] = result["failure"]
            else:
                self.results[cell.table][cell.method][cell.split] = result
        sizes = {table: _first(methods)["rows"] for table, methods in self.results.items()}
        self.tables = sorted(self.results, key=sizes.__getitem__)
        there = {method for methods in self.results.values() for method in methods}
        self.methods = [name for name in METHODS if name in there]

    def about(self, table: str) -> Result:
        """Any result of a table, for its rows, columns and classes."""
        return _first(self.results[table])

    def n_splits(self, method: str) -> list[int]:
        """The number of splits of each table that the method has."""
        found = (len(self.results[table].get(method, ())) for table in self.tables)
        return [number for number in found if number]

    def error(self, table: str, method: str) -> float | None:
        """The mean over the splits."""
        found = self.results[table].get(method)
        return float(np.mean([one["error"] for one in found.values()])) if found else None

    def pair(self, table: str, method: str, base: str, name: str) -> tuple[Any, Any] | None:
        """A measured number of both methods, by the splits that both have; None without one."""
        mine, theirs = (self.results[table].get(one, {}) for one in (method, base))
        both = [
            (mine[split][name], theirs[split][name])
            for split in sorted(mine.keys() & theirs.keys())
            if mine[split].get(name) is not None and theirs[split].get(name) is not None
        ]
        return tuple(np.array(both).T) if both else None

    def ratio(self, table: str, method: str, base: str, name: str = "error") -> float | None:
        """The quotient of the means over splits.

        Half a row's error is added to both shares of wrong classes, which may be 0.
        """
        found = self.pair(table, method, base, name)
        if found is None:
            return None
        about = self.about(table)
        is_share = name == "error" and about["classes"] is not None
        least = 0.5 / ceil(TEST_SHARE * about["rows"]) if is_share else 0.0
        mine, theirs = (float(np.mean(values)) + least for values in found)
        return mine / theirs

    def mean_ratio(self, method: str, base: str, name: str = "error") -> Mean | None:
        """The geometric mean of `ratio` over the tables that both have."""
        logs = np.log(_known(self.ratio(table, method, base, name) for table in self.tables))
        return Mean(float(np.exp(logs.mean())), _error_of(logs), len(logs)) if len(logs) else None

    def rank(self, table: str, method: str, name: str = "error") -> float | None:
        """1 and the number of methods that are better; one that is as good counts half.

        The rank among the methods that have the table is carried over to the number of all methods,
        so that tables with fewer of them count alike.
        """
        lost = []
        for other in self.methods:
            found = self.pair(table, method, other, name) if other != method else None
            if found is not None:
                mine, theirs = (float(np.mean(values)) for values in found)
                ahead = mine - theirs if name in _UPWARDS else theirs - mine
                lost.append(0.5 if abs(ahead) < 1e-12 else float(ahead < 0))
        return 1 + (len(self.methods) - 1) * float(np.mean(lost)) if lost else None

    def mean_rank(self, method: str, name: str = "error") -> Mean | None:
        """The mean of `rank` over tables."""
        ranks = np.array(_known(self.rank(table, method, name) for table in self.tables))
        return Mean(float(ranks.mean()), _error_of(ranks), len(ranks)) if len(ranks) else None

    def seconds_of_fits(self, method: str) -> float:
        """Of the processor, of all fits together."""
        return float(sum(self._numbers(method, "fit_cpu_seconds")))

    def seconds_of_prediction(self, method: str) -> float:
        """The median over all fits, of 10,000 rows."""
        return float(np.median(self._numbers(method, "predict_seconds")))

    def _numbers(self, method: str, name: str) -> list[float]:
        return [
            one[name]
            for table in self.tables
            for one in self.results[table].get(method, {}).values()
        ]


def _first(methods: dict[str, dict[int, Result]]) -> Result:
    return next(result for splits in methods.values() for result in splits.values())


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _error_of(values: Any) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
