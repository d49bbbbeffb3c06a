"""Labels of classes as they are written."""

from __future__ import annotations

import numpy as np
import pytest

from fastmlp.tables.target_rows import find_target, read_target

pytest.importorskip("pyarrow")
from fastmlp.tables.table import Table


def find(cells: list, task: str | None = None, **options):
    return find_target(Table.of({"x": list(range(len(cells))), "y": cells}), "y", task, **options)


def texts(found) -> str:
    return "\n".join(note.in_shell() for note in found.notes)


LABELS = [
    (["2", "10", "-1"], [-1, 2, 10]),
    (["01", "1", "02"], ["01", "02", "1"]),
    (["1E2", "100", "5"], ["100", "1E2", "5"]),
    (["1234567890123456", "1234567890123457"], [1234567890123456, 1234567890123457]),
    (["1.0", "2.0", "10.0"], [1.0, 2.0, 10.0]),
    (["+1", "-1"], ["+1", "-1"]),
    (["5 stars", "1 stars"], ["1 stars", "5 stars"]),
    (["true", "false"], ["false", "true"]),
    ([" a", "b "], ["a", "b"]),
]


@pytest.mark.parametrize(("cells", "labels"), LABELS)
def test_labels_are_as_they_are_written(cells: list[str], labels: list) -> None:
    found = find(cells * 9)
    assert np.unique(found.y).tolist() == labels
    assert found.target.classes == tuple(map(str, labels))
    order = {name: place for place, name in enumerate(found.target.classes)}
    assert [order[cell.strip()] for cell in cells] == np.searchsorted(
        labels, found.y[: len(cells)]
    ).tolist()
    again = read_target(found.target, Table.of({"y": cells}))
    assert again.y.tolist() == found.y[: len(cells)].tolist()


@pytest.mark.parametrize("cell", ["None", "NA", "unknown", "none", "n/a"])
def test_a_class_that_is_called_so(cell: str) -> None:
    found = find(["yes", "no", cell] * 9)
    assert len(found.target.classes) == 3
    assert f"is '{cell}' in 9 rows, which is taken for a class; --na-values" in texts(found)


@pytest.mark.parametrize("cell", ["?", "-", "nan", "#N/A", "\\N"])
def test_texts_that_are_no_class(cell: str) -> None:
    found = find(["yes", "no", "no", cell] * 5)
    assert found.target.classes == ("no", "yes")
    assert len(found.rows) == 15
    assert f"5 of 20 cells say that there is none, such as {cell!r} in row 3" in texts(found)
