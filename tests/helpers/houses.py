"""A table with columns of every kind, as a CSV file, and networks that learn from it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from fastmlp.cli import main

QUICK = ("--backend", "numpy", "-e", "5", "-l", "8")
TARGETS = ("price", "kind", "large", "level")


def houses(n: int = 120) -> list[dict[str, Any]]:
    """Columns of every kind, with cells missing in each of them, and three targets."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(n):
        city = ("Zürich", "Bern", "Genève", "東京")[rng.integers(4)]
        size, rooms = rng.normal(80, 20), int(rng.integers(1, 6))
        price = 3 * size + 10 * rooms + 30 * (city == "Zürich")
        cells = {
            "Stadt, Ort": city,
            "Größe": f"{size:.3f}",
            "member": bool(rng.integers(2)),
            "rooms": rooms,
            "day": np.datetime64("2020-01-01") + np.timedelta64(rng.integers(2000), "D"),
            "note": ("a, b", 'say "hi"', "two\nlines")[rng.integers(3)],
        }
        missing = {name: ("", "NA")[number % 2] for name in cells if rng.random() < 0.1}
        rows.append(
            {
                **cells,
                **missing,
                "$same$": "x",
                "void": "",
                "id": number,
                "price": f"{price:.2f}",
                "kind": "groß" if price > 330 else "klein, alt" if price < 260 else "mittel",
                "large": price > 300,
                "level": 1 + (price > 260) + 2 * (price > 330),
            }
        )
    return rows


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def train(folder: Path, target: str, *words: str) -> dict[str, Any]:
    """Learn one of the targets from the table; the metrics that were written."""
    others = sorted({*TARGETS} - {target})
    path = write(folder / "houses.csv", houses())
    data = ("--data", str(path), "--target", target, "--drop", "id", *others)
    assert main(["train", *data, "--output_dir", str(folder), *QUICK, *words]) == 0
    metrics: dict[str, Any] = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    return metrics


def model_of(folder: Path, target: str) -> str:
    return str(folder / f"model_{target}.safetensors")
