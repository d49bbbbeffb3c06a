"""What each part of the networks for tables gives and costs: ``python -m benchmarks.ablation``.

The default preset with one part left out or changed, beside the whole, on some rows of each open
table: errors (the share of wrong classes, the root mean square), log losses and CPU seconds as
geometric means of ratios over tables and splits. Above 1 the part is worth having. What the file
holds is not measured again. ``--write`` puts the table into docs/tabular.md.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

import fastmlp as fm
from fastmlp.tabular.fitting import Request

from .shared.marked_part import write_between
from .shared.open_tables import Columned, open_tables
from .shared.rounds import say, table

WHOLE = "all of it"
CHANGES: dict[str, dict[str, Any]] = {
    WHOLE: {},
    "no embedding of numbers": {"embeds": False},
    "waves of one length": {"waves": (0.1, 0.1)},
    "no trained scale of columns": {"scales": False},
    "fixed activations": {"mixes": False},
    "labels as they are": {"smoothing": 0.0},
    "no weight decay": {"weight_decay": 0.0},
    "half the learning rate": {"learning_rate": 0.5},
    "hidden layers of 256": {"hidden": (256, 256, 256)},
    "two hidden layers": {"hidden": (128, 128)},
    "half the epochs": {"epochs": 40},
    "twice the epochs": {"epochs": 160},
    "one network, judged by a fifth": {"crosses": False},
}
_PAGE = Path(__file__).parents[1] / "docs/tabular.md"
_RESULTS = Path(__file__).with_suffix(".jsonl")
# To log losses, for there are tables that nearly every network gets right.
_ADDED = 0.01


class _Changed:
    """An estimator whose recipe is another one."""

    changes: dict[str, Any]

    def _request(self, *arguments: Any) -> Request:
        changes = dict(self.changes)
        request: Request = super()._request(*arguments)  # type: ignore[misc]
        recipe = request.recipe
        if "learning_rate" in changes:
            n_classes = 2 if hasattr(self, "predict_proba") else 0
            changes["learning_rate"] *= recipe.rate(n_classes)
        request = replace(request, crosses=changes.pop("crosses", request.crosses))
        return replace(request, recipe=replace(recipe, **changes))


class _Classifier(_Changed, fm.TabularClassifier):  # type: ignore[misc]
    pass


class _Regressor(_Changed, fm.TabularRegressor):  # type: ignore[misc]
    pass


def measure(one: Columned, split: int, changes: dict[str, Any], limit: int) -> dict[str, float]:
    """Error, log loss and seconds of a fit."""
    columns = dict(one.columns)
    y = columns.pop("target")
    y = y.astype(float) if one.is_regression else y.astype(str)
    rng = np.random.default_rng(split)
    rows = rng.permutation(len(y))[: limit * 5 // 4]
    if not one.is_regression:
        labels, counts = np.unique(y[rows], return_counts=True)
        rows = rows[np.isin(y[rows], labels[counts > 4])]
    strata = None if one.is_regression else y[rows]
    train, test = train_test_split(rows, test_size=0.2, random_state=split, stratify=strata)
    frames = [{name: cells[part] for name, cells in columns.items()} for part in (train, test)]
    model = (_Regressor if one.is_regression else _Classifier)(random_state=split, n_threads=1)
    model.changes = changes
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fm.TableWarning)
        model.fit(frames[0], y[train])
        seconds = time.process_time() - start
        if one.is_regression:
            error = float(np.sqrt(np.mean((model.predict(frames[1]) - y[test]) ** 2)))
            return {"error": error, "seconds": seconds}
        # Half a row more is wrong, for there are tables without one.
        wrong = np.sum(model.predict(frames[1]) != y[test]) + 0.5
        loss = log_loss(y[test], model.predict_proba(frames[1]), labels=model.classes_)
    return {"error": wrong / len(test), "log_loss": loss, "seconds": seconds}


def lines(found: dict[tuple[str, str, int], dict[str, float]]) -> Iterator[list[str]]:
    """The rows of the table."""
    for change in CHANGES:
        if change == WHOLE:
            continue
        pairs = [
            (result, found[name, WHOLE, split])
            for (name, other, split), result in found.items()
            if other == change and (name, WHOLE, split) in found
        ]
        classes = [pair for pair in pairs if "log_loss" in pair[0]]
        numbers = [pair for pair in pairs if "log_loss" not in pair[0]]
        yield [
            change,
            _ratio(numbers, "error"),
            _ratio(classes, "error"),
            _ratio(classes, "log_loss", _ADDED),
            _ratio(pairs, "seconds"),
        ]


def _ratio(
    pairs: list[tuple[dict[str, float], dict[str, float]]], measured: str, added: float = 0.0
) -> str:
    """The geometric mean of what was measured over that of the default, and its standard error."""
    if not pairs:
        return ""
    logs = np.log([(a[measured] + added) / (b[measured] + added) for a, b in pairs])
    return f"{np.exp(logs.mean()):.3f} ± {100 * logs.std() / np.sqrt(len(logs)):.1f}%"


def main(argv: list[str] | None = None) -> None:
    """Measure what is not there yet, and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ablation", description="What each part gives and costs."
    )
    parser.add_argument("--splits", type=int, default=3, metavar="N")
    parser.add_argument("--rows", type=int, default=2000, metavar="N", help="of each training")
    parser.add_argument("--least", type=int, default=0, metavar="N", help="rows of a table")
    parser.add_argument("--changes", nargs="+", default=list(CHANGES), choices=CHANGES)
    parser.add_argument("--results", type=Path, default=_RESULTS, metavar="FILE")
    parser.add_argument("--write", action="store_true", help="write docs/tabular.md")
    arguments = parser.parse_args(argv)
    found: dict[tuple[str, str, int], dict[str, float]] = {}
    if arguments.results.exists():
        for line in arguments.results.read_text(encoding="utf-8").splitlines():
            *key, result = json.loads(line)
            found[tuple(key)] = result  # type: ignore[index]
    for split in range(arguments.splits):
        for number, one in enumerate(open_tables()):
            # None of them is always the first one, which may wait for kernels.
            if len(one.columns["target"]) < arguments.least:
                continue
            for change in np.random.default_rng([split, number]).permutation(arguments.changes):
                change = str(change)
                if (one.name, change, split) in found:
                    continue
                result = measure(one, split, CHANGES[change], arguments.rows)
                found[one.name, change, split] = result
                with arguments.results.open("a", encoding="utf-8") as file:
                    file.write(json.dumps([one.name, change, split, result]) + "\n")
            say(f"split {split}, {one.name}")
    head = ["changed", "error of numbers", "of classes", "log loss", "CPU seconds"]
    text = table(head, list(lines(found)))
    print(text)
    if arguments.write:
        write_between(_PAGE, text, "benchmarks.ablation")


if __name__ == "__main__":
    main()
