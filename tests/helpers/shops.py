"""A table with something odd in most columns, and words that say how it is to be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

# Cells of `size` that are no number, and which lines have them.
ODD, EVERY = "tja", 20
# What a person would say of it, so that nothing is left to guess.
SAID = (
    *("--separator", "|", "--decimal", ",", "--thousands", ".", "--encoding", "cp1252"),
    *("--na-values", ODD, "--categorical", "zip", "--dates", "when", "--join-case", "color"),
    "--no-test-last",
)
QUICK = ("--backend", "numpy", "-e", "3")


def shops(n: int = 150) -> list[str]:
    """Lines of a table with a header; the price follows from size and color."""
    rng = np.random.default_rng(0)
    lines = ["id|owner|größe|zip|color|when|price"]
    for number in range(n):
        size, color = rng.normal(1500, 300), ("Rot", "rot", "Blau")[rng.integers(3)]
        day = f"{rng.integers(13, 28)}.{rng.integers(1, 13):02d}.20{rng.integers(10, 20)}"
        price = 2 * size + 500 * (color != "Blau")
        written = ODD if number % EVERY == 0 else german(size)
        lines.append(
            f"K{number:04d}|owner {number % 17}|{written}|{rng.choice([1010, 2020, 3030])}|{color}"
            f"|{day}|{german(price)}"
        )
    return lines


def german(number: float) -> str:
    """Write a number with decimal commas."""
    return f"{number:,.2f}".translate({ord(","): ".", ord("."): ","})


def write_shops(path: Path, lines: list[str] | None = None) -> str:
    path.write_text("\n".join(shops() if lines is None else lines) + "\n", encoding="cp1252")
    return str(path)
