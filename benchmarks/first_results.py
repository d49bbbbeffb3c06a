"""What ``fastmlp train --data`` reaches at the first try: ``python -m benchmarks.first_results``.

Each table is written to a file and trained on by the command line with nothing but its target, for
some seeds of the split. Beside the network stand the class frequencies or the mean, and a linear
model, on the same test rows: log loss of classes, R2 of numbers. The tables are scikit-learn's own,
those in the folder that FASTMLP_TEST_DATA names, and made-up ones: noise, few rows, many
categories, classes of unequal size, heavy tails, gaps.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from fastmlp.cli import main as fastmlp

from .shared.marked_part import write_between
from .shared.open_tables import Columned, Columns, open_tables


def made_up() -> Iterator[Columned]:
    """Tables of which it is known what can be learned."""
    rng = np.random.default_rng(7)

    def table(name: str, X: Any, y: Any, **more: Any) -> Columned:
        columns = {f"x{place}": column for place, column in enumerate(X.T)}
        is_regression = name.startswith("numbers")
        return Columned(name, {**columns, **more, "target": y}, is_regression)

    def classes(n: int, width: int, scores: Callable[[Any], Any]) -> tuple[Any, Any]:
        X = rng.normal(size=(n, width))
        return X, np.where(rng.random(n) < 1 / (1 + np.exp(-scores(X))), "yes", "no")

    yield table("noise, 2 classes, 150 rows", *classes(150, 5, lambda X: 0 * X[:, 0]))
    yield table("noise, 2 classes, 1000 rows", *classes(1000, 20, lambda X: 0 * X[:, 0]))
    X = rng.normal(size=(400, 10))
    yield table("noise, 5 classes, 400 rows", X, np.array([*"abcde"])[rng.integers(0, 5, 400)])
    yield table("noise, 3% of 2000 rows", *classes(2000, 10, lambda X: 0 * X[:, 0] - 3.5))
    yield table("weak, 600 rows", *classes(600, 10, lambda X: 0.4 * X[:, 0]))
    yield table("weak, 5000 rows", *classes(5000, 10, lambda X: 0.3 * X[:, 0]))
    yield table("linear, 120 rows", *classes(120, 6, lambda X: 3 * X[:, 0] - 2 * X[:, 1]))
    yield table("rare, 4000 rows", *classes(4000, 8, lambda X: 2 * X[:, 0] - 4))
    yield table("xor, 800 rows", *classes(800, 4, lambda X: 6 * X[:, 0] * X[:, 1]))
    towns = np.array([f"town {place}" for place in range(80)])
    place, effect = rng.integers(0, 80, 1500), rng.normal(size=80)
    X, y = classes(1500, 2, lambda X: 2 * effect[place] + X[:, 0])
    yield table("80 towns, 1500 rows", X, y, town=towns[place])
    X = rng.normal(size=(1500, 3))
    y = effect[place] + X[:, 0] + rng.normal(size=1500)
    yield table("numbers, 80 towns, 1500 rows", X, y, town=towns[place])
    for n, width in ((60, 3), (150, 5), (1000, 15)):
        X = rng.normal(size=(n, width))
        yield table(f"numbers, noise, {n} rows", X, rng.normal(size=n))
    for n, width in ((60, 3), (150, 8), (2500, 20)):
        X = rng.normal(size=(n, width))
        yield table(
            f"numbers, linear, {n} rows", X, X @ rng.normal(size=width) + rng.normal(size=n)
        )
    X = rng.normal(size=(1500, 6))
    y = X[:, 0] + X[:, 1] + rng.standard_t(2, 1500)
    yield table("numbers, heavy tails", np.sinh(3 * X), y)
    X = np.where(rng.random((1200, 6)) < 0.2, np.nan, rng.normal(size=(1200, 6)))
    y = np.nan_to_num(X[:, 0]) + 2 * np.isnan(X[:, 1]) + rng.normal(size=1200)
    yield table("numbers, gaps that tell", X, y)


def _some(table: Columned, limit: int) -> Columned:
    n = len(table.columns["target"])
    if n <= limit:
        return table
    rows = np.sort(np.random.default_rng(0).choice(n, limit, replace=False))
    columns = {name: values[rows] for name, values in table.columns.items()}
    return Columned(table.name, columns, table.is_regression)


def write(path: Path, columns: Columns) -> None:
    """Write a CSV file; what is NaN or None is an empty cell."""

    def word(value: Any) -> str:
        text = "" if value is None or value != value else str(value)
        return f'"{text}"' if "," in text else text

    rows = zip(*(values.tolist() for values in columns.values()), strict=True)
    lines = [",".join(columns), *(",".join(map(word, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def results(table: Columned, seed: int, folder: Path) -> tuple[float, float, float]:
    """What the network, the constant answer and the linear model reach on the test rows."""
    path = folder / "table.csv"
    write(path, table.columns)
    task = "regression" if table.is_regression else "classification"
    words = ["train", "--data", str(path), "--target", "target", "--seed", str(seed)]
    words += ["--task", task, "--output-dir", str(folder / "out")]
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        code = fastmlp(words)
    if code:
        raise RuntimeError(f"{table.name}, seed {seed}: {told.getvalue()}")
    metrics = json.loads((folder / "out" / "metrics.json").read_text(encoding="utf-8"))
    name = "r2" if table.is_regression else "log_loss"
    constant, linear = metrics["baselines"].values()
    return metrics["test"][name], constant[name], linear[name]


def main() -> None:
    """Print a line for each table, and what holds for all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--limit", type=int, default=10_000, help="rows of a table, at most")
    parser.add_argument("--only", nargs="+", help="tables by the beginnings of their names")
    parser.add_argument("--write", type=Path, help="a Markdown file whose marked part is replaced")
    arguments = parser.parse_args()
    lines = [
        "| table | rows | | network | constant | linear | worst beside constant |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    print(*lines, sep="\n", flush=True)
    ratios, gaps, worse = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for table in (*(_some(each, arguments.limit) for each in open_tables()), *made_up()):
            if arguments.only and not table.name.startswith(tuple(arguments.only)):
                continue
            found = [results(table, seed, Path(folder)) for seed in range(arguments.seeds)]
            own, constant, linear = (fmean(column) for column in zip(*found, strict=True))
            sign = -1 if table.is_regression else 1
            worst = max(sign * (mine - other) for mine, other, _ in found)
            if table.is_regression:
                gaps.append((own - linear, table.name))
            else:
                ratios.append(own / linear)
            worse.append((worst, table.name))
            kind = "R2" if table.is_regression else "log loss"
            cells = [table.name, f"{len(table.columns['target']):,}", kind]
            cells += [f"{value:.4f}" for value in (own, constant, linear, worst)]
            lines.append("| " + " | ".join(cells) + " |")
            print(lines[-1], flush=True)
    said = []
    if ratios:
        said.append(
            f"Log loss over that of the linear model, mean over tables: {fmean(ratios):.3f}."
        )
    if gaps:
        said.append(
            f"R2 less that of the linear model, at worst: {min(gaps)[0]:.3f} ({min(gaps)[1]})."
        )
    said.append(
        f"Beside a constant answer, any seed, at worst: {max(worse)[0]:.4f} ({max(worse)[1]})."
    )
    print("", *said, sep="\n")
    if arguments.write is not None:
        write_between(arguments.write, "\n".join([*lines, "", *said]), "benchmarks.first_results")


if __name__ == "__main__":
    main()
