"""How long a table takes to be read, beside other readers: ``python -m benchmarks.tables``.

A file of 400,000 rows of eleven numbers is read by each in turn, several times over; the medians
are of seconds, and the file is in the cache of the operating system. The others make numbers of it,
or texts where it says so; fastmlp keeps texts, for their columns are understood later. Before
anything is timed, what was read is compared with the numbers that were written.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from fastmlp.tables.reader import read

Read = Callable[[Path], Any]


def write(path: Path, n_rows: int, n_columns: int) -> np.ndarray[Any, Any]:
    """Write a table of normal numbers with twelve digits, and return them."""
    numbers = np.random.default_rng(0).normal(size=(n_rows, n_columns))
    header = ",".join(f"x{place}" for place in range(n_columns))
    np.savetxt(path, numbers, fmt="%.12g", delimiter=",", header=header, comments="")
    return numbers


def readers() -> dict[str, Read]:
    """All readers that are installed, by what they are."""
    found: dict[str, Read] = {"fastmlp": read}
    if find_spec("pyarrow"):
        import pyarrow as pa
        from pyarrow import csv

        def as_texts(path: Path) -> Any:
            names = path.open().readline().strip().split(",")
            kinds = csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
            return csv.read_csv(path, convert_options=kinds)

        found |= {"pyarrow": csv.read_csv, "pyarrow, texts": as_texts}
    if find_spec("polars"):
        import polars as pl

        found["polars"] = pl.read_csv
        found["polars, texts"] = lambda path: pl.read_csv(path, infer_schema=False)
    if find_spec("pandas"):
        import pandas as pd

        found["pandas, c"] = lambda path: pd.read_csv(path, engine="c")
        found["pandas, pyarrow"] = lambda path: pd.read_csv(path, engine="pyarrow")
    return found


def check(path: Path, numbers: np.ndarray[Any, Any]) -> None:
    """Compare what fastmlp reads with what was written."""
    table = read(path)
    for place, name in enumerate(table.columns):
        column = table[name].astype(float)
        np.testing.assert_allclose(column, numbers[:, place], rtol=1e-11)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--columns", type=int, default=11)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "numbers.csv")
        numbers = write(path, arguments.rows, arguments.columns)
        check(path, numbers)
        ways = readers()
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        # In turns, for the speed of a machine changes.
        for _ in range(arguments.rounds):
            for name, way in ways.items():
                start = perf_counter()
                way(path)
                seconds[name].append(perf_counter() - start)
        fastest = min(median(times) for name, times in seconds.items() if name != "fastmlp")
        print(f"{path.stat().st_size / 1e6:.0f} MB, {arguments.rounds} rounds")
        for name, times in seconds.items():
            ratio = median(times) / fastest
            print(f"{name:16s} {median(times):7.3f} s {ratio:6.2f} of the fastest other")


if __name__ == "__main__":
    main()
