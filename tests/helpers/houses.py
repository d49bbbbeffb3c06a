"""A table with columns of every kind, as a CSV file."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np


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
            "day": np.datetime64("2020-01-01") + rng.integers(2000),
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
