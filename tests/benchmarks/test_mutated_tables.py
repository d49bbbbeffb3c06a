"""Damaged tables end with a result or with one line. FASTMLP_EXAMPLES=2000 tries more."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyarrow")

from benchmarks.mutated_tables import CHANGES, damaged, rows_of, train

EXAMPLES = int(os.environ.get("FASTMLP_EXAMPLES", "60"))


def table() -> bytes:
    rng = np.random.default_rng(0)
    lines = ["size,town,built,price"]
    for n in range(80):
        size, town = rng.normal(80, 20), rng.choice(["Delft", "Gouda", "Ede"])
        price = 3 * size + 20 * (town == "Ede") + rng.normal()
        lines.append(f"{size:.1f},{town},{1900 + n % 100}-05-{1 + n % 28:02},{price:.2f}")
    return "\n".join([*lines, ""]).encode()


def test_whatever_the_damage_it_ends_well(tmp_path: Path) -> None:
    kinds = set()
    for number in range(EXAMPLES):
        data, changes = damaged(table(), random.Random(number))
        found = train(data, "price", tmp_path)
        kinds.add(found.kind)
        assert found.kind != "crash", (number, changes, found.said)
    assert kinds == {"result", "refused"}


@pytest.mark.parametrize("change", CHANGES)
def test_each_damage_changes_the_table(change) -> None:
    data = table()
    assert any(change(data, random.Random(number)) != data for number in range(9))


def test_rows_are_from_all_over_a_file(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a\n" + "".join(f"{number}\n" for number in range(100)))
    assert rows_of(path, 4) == b"a\n0\n25\n50\n75\n"
