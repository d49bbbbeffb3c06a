"""One table in the forms in which people have it: each trains at first try, and tells one thing."""

from __future__ import annotations

import csv
import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import error_of, train

pytest.importorskip("numba")
pytest.importorskip("pyarrow")

N = 400
HEADER = ["a", "b", "c", "y"]


@dataclass(frozen=True)
class Case:
    """A file, and what is right for it.

    Attributes
    ----------
    data : bytes
    metric, least : str, float
        What is reached on the test rows.
    told : tuple of str
        One pattern for each thing that is told, in any order.
    name : str
        Of the file.
    most : float
        What must not be reached, for then the test rows were known.
    """

    data: bytes
    metric: str = "r2"
    least: float = 0.95
    told: tuple[str, ...] = ()
    name: str = "table.csv"
    most: float = field(default=1.0)


CASES: dict[str, Callable[[], Case]] = {}


def case(make: Callable[[], Case]) -> Callable[[], Case]:
    CASES[make.__name__] = make
    return make


def columns() -> dict[str, list[str]]:
    """The plain table: ``y = 3 a + 5 b + 10 (c = u)`` and a little noise."""
    rng = np.random.default_rng(1)
    a, b = rng.normal(50, 10, N).round(2), rng.normal(size=N).round(3)
    c = rng.choice(["u", "v"], N)
    y = (3 * a + 5 * b + 10 * (c == "u") + rng.normal(size=N)).round(2)
    return {"a": spelled(a), "b": spelled(b), "c": c.tolist(), "y": spelled(y)}


def classes() -> dict[str, list[str]]:
    """The same with two classes."""
    found = columns()
    y = np.array(found["y"], float)
    return {**found, "y": np.where(y > np.median(y), "yes", "no").tolist()}


def spelled(values: Any) -> list[str]:
    return [f"{value:.12g}" for value in values]


def written(
    found: dict[str, list[str]], separator: str = ",", header: list[str] | None = None
) -> str:
    lines = [list(found) if header is None else header]
    lines += map(list, zip(*found.values(), strict=True))
    return "".join(separator.join(map(quoted, line)) + "\n" for line in lines if line)


def quoted(cell: str) -> str:
    return f'"{cell}"' if "," in cell else cell


def of(found: dict[str, list[str]], *told: str, **said: Any) -> Case:
    return Case(written(found).encode(), told=told, **said)


def with_a(change: Callable[[int, str], str]) -> dict[str, list[str]]:
    found = columns()
    return {**found, "a": [change(row, cell) for row, cell in enumerate(found["a"])]}


CLASSES = {"metric": "accuracy", "least": 0.9}


@case
def plain() -> Case:
    return of(columns())


@case
def plain_classes() -> Case:
    return of(classes(), **CLASSES)


@case
def question_marks() -> Case:
    found = with_a(lambda row, cell: "?" if row % 40 == 0 else cell)
    told = r"'a': 10 of 400 cells are no numbers, such as '\?' in line 2, and count as missing"
    return of(found, told + ".*--categorical a", least=0.9)


@case
def typo() -> Case:
    found = with_a(lambda row, cell: "12O" if row == 7 else cell)
    return of(found, r"'a': 1 of 400 cells is no number, '12O' in line 9, and counts as missing")


@case
def thousands() -> Case:
    found = with_a(lambda row, cell: f"{1000 * float(cell):,.0f}")
    return of(found, r"'a': texts such as '\d\d,\d{3}' are read as numbers, here \d{5};")


@case
def dollars() -> Case:
    found = with_a(lambda row, cell: f"${1000 * float(cell):,.2f}")
    return of(found, r"'a': texts such as '\$\d\d,\d{3}.00' are read as numbers, here \d{5};")


@case
def percent() -> Case:
    found = with_a(lambda row, cell: f"{cell}%")
    return of(found, r"'a': texts such as '[\d.]+%' are read as numbers, here [\d.]+;")


@case
def question_marks_as_targets() -> Case:
    found = columns()
    found["y"] = ["?" if row % 40 == 0 else cell for row, cell in enumerate(found["y"])]
    return of(found, r"the target 'y': 10 of 400 cells are no numbers, .*rows are left out")


@case
def a_class_called_none() -> Case:
    found = classes()
    a = np.array(found["a"], float)
    found["y"] = np.where(a > 58, "None", found["y"]).tolist()
    rows = found["y"].count("None")
    return of(found, rf"'y' is 'None' in {rows} rows, which is taken for a class", **CLASSES)


@case
def blanks_behind_labels() -> Case:
    found = classes()
    found["y"] = [cell + " " * (row % 2) for row, cell in enumerate(found["y"])]
    return of(found, r"the target 'y': blanks around 200 cells are cut", **CLASSES)


@case
def blanks_behind_categories() -> Case:
    found = columns()
    found["c"] = [cell + " " * (row % 2) for row, cell in enumerate(found["c"])]
    return of(found, r"the column 'c': blanks around 200 cells are cut")


@case
def labels_that_differ_by_case() -> Case:
    found = classes()
    found["y"] = [cell.title() if row % 2 else cell for row, cell in enumerate(found["y"])]
    # Four classes, for they are joined on wish alone.
    told = r"classes that differ by case alone: 'yes', 'Yes'; 'No', 'no'.*--join-case y"
    return of(found, told, metric="accuracy", least=0.3, most=0.8)


@case
def decimal_commas() -> Case:
    found = {name: [cell.replace(".", ",") for cell in cells] for name, cells in columns().items()}
    lines = zip(*found.values(), strict=True)
    text = "".join(";".join(line) + "\n" for line in [tuple(found), *lines])
    told = r"';' is taken for the separator", r"'a': texts such as .*so are those of 'b'.*--decimal"
    return Case(text.encode(), told=told)


@case
def semicolons() -> Case:
    return Case(written(columns(), ";").encode(), told=(r"';' is taken for the separator",))


@case
def tabs() -> Case:
    return Case(written(columns(), "\t").encode(), name="table.tsv")


@case
def index() -> Case:
    found = {"": [str(row) for row in range(N)], **columns()}
    return of(found, "'Unnamed: 0' has no name and counts the rows; it is left out")


@case
def header_with_a_comma_behind() -> Case:
    text = written(columns()).replace("a,b,c,y\n", "a,b,c,y,\n")
    return Case(text.encode(), told=("an empty name at the end of the header, .*is left out",))


@case
def lines_with_commas_behind() -> Case:
    text = written(columns()).replace("\n", ",\n")
    return Case(text.encode(), told=("the last column, without a name or a cell, is left out",))


@case
def equal_names() -> Case:
    text = written(columns(), header=["a", "a", "c", "y"])
    return Case(text.encode(), told=("several columns have the name 'a'; .*called 'a.1'",))


@case
def title() -> Case:
    text = f"Report of sales 2020,,,\n{written(columns())}"
    return Case(text.encode(), told=("a line above the header is left out, 'Report of sales",))


@case
def comment() -> Case:
    text = f"# written by a program\n{written(columns())}"
    return Case(text.encode(), told=("lines that begin with '#' are comments",))


@case
def line_that_names_the_separator() -> Case:
    text = f"sep=,\n{written(columns())}"
    return Case(text.encode(), told=("the first line names the separator, a comma",))


@case
def western_european() -> Case:
    text = written({**columns(), "c": ["\xfc" if c == "u" else c for c in columns()["c"]]})
    return Case(text.encode("cp1252"), told=("read in the encoding cp1252",))


@case
def utf_16() -> Case:
    data = written(columns()).encode("utf-16")
    return Case(data, told=("read in the encoding utf-16-.e",))


@case
def noise_sorted_by_class() -> Case:
    rng = np.random.default_rng(0)
    found = {"Id": [str(1 + row) for row in range(N)], "a": spelled(rng.normal(size=N))}
    found |= {"b": spelled(rng.normal(size=N)), "y": ["no"] * 200 + ["yes"] * 200}
    told = "'Id' is left out, for it names the rows: 400 different numbers", "sorted by the target"
    return of(found, *told, metric="accuracy", least=0.35, most=0.65)


@case
def names_of_customers() -> Case:
    found = {"id": [f"CUST{row:05}" for row in range(N)], **columns()}
    return of(found, "'id' is left out, for it names the rows: 400 different texts.*--keep id")


def season(pattern: str) -> Case:
    """Two years with a wave in each."""
    rng = np.random.default_rng(0)
    days = [datetime.date(2020, 1, 1) + datetime.timedelta(days=2 * row) for row in range(N)]
    wave = np.sin(2 * np.pi * np.arange(N) * 2 / 365.25)
    b = rng.normal(size=N)
    y = 10 * wave + b + rng.normal(size=N)
    found = {"date": [day.strftime(pattern) for day in days], "b": spelled(b), "y": spelled(y)}
    return of(found, "'date' holds times: .*--test-last", least=0.9)


@case
def dates_iso() -> Case:
    return season("%Y-%m-%d")


@case
def dates_with_the_day_first() -> Case:
    return season("%d.%m.%Y")


@case
def dates_with_the_month_first() -> Case:
    return season("%m/%d/%Y")


@case
def times_of_a_day() -> Case:
    rng = np.random.default_rng(0)
    minutes = rng.permutation(1440)[:N]
    y = 10 * np.cos(2 * np.pi * minutes / 1440) + rng.normal(size=N)
    clock = [f"{minute // 60:02}:{minute % 60:02}" for minute in minutes]
    return of({"date": clock, "b": spelled(rng.normal(size=N)), "y": spelled(y)}, least=0.9)


@case
def a_class_with_one_row() -> Case:
    found = classes()
    found["y"][7] = "maybe"
    return of(found, r"'y' has classes with few rows: 'maybe' \(1\)", **CLASSES)


@case
def twelve_whole_numbers_as_classes() -> Case:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 11, 2000)
    return of({"x": spelled(x), "y": spelled(np.floor(x))}, **CLASSES)


@case
def codes() -> Case:
    rng = np.random.default_rng(0)
    zips, sizes = [10001, 60614, 94105, 33109], [30.0, -20.0, 5.0, -40.0]
    which = rng.integers(0, 4, N)
    b = rng.normal(size=N)
    y = np.take(sizes, which) + 5 * b + 0.1 * rng.normal(size=N)
    found = {"zip": [str(zips[k]) for k in which], "b": spelled(b), "y": spelled(y)}
    return of(found, "'zip' has 4 different whole numbers, such as .*taken for codes.*--numeric")


@pytest.mark.parametrize("name", CASES)
def test_is_right_at_first_try(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = CASES[name]()
    (tmp_path / made.name).write_bytes(made.data)
    metrics = train(tmp_path / "out", "--data", str(tmp_path / made.name), "--target", "y")
    assert made.least <= metrics["test"][made.metric] <= made.most
    notes = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note: ")]
    for pattern in made.told:
        assert sum(re.search(pattern, note) is not None for note in notes) == 1, (pattern, notes)
    assert len(notes) == len(made.told), notes


def test_without_names_the_option_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "table.csv"
    path.write_text(written(columns(), header=[]))
    error = error_of(capsys, "train", "--data", str(path), "--target", "y")
    assert re.search("the header looks like data, .*--no-header", error)
    words = "--data", str(path), "--no-header", "--target", "column_3"
    assert train(tmp_path / "out", *words)["test"]["r2"] >= 0.95
    assert "note" not in capsys.readouterr().err


def test_whole_numbers_as_classes_stand_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_bytes(twelve_whole_numbers_as_classes().data)
    train(tmp_path / "out", "--data", str(tmp_path / "table.csv"), "--target", "y")
    with open(tmp_path / "out" / "predictions.csv", newline="", encoding="utf-8") as file:
        header = next(csv.reader(file))
    shares = [name for name in header if re.search(r"-?\d+$", name)]
    assert [int(re.search(r"-?\d+$", name)[0]) for name in shares] == [*range(-1, 11)]  # type: ignore[index]


def test_a_metric_that_cannot_be_had_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    found = {"x": spelled(rng.normal(size=300)), "y": ["a", "b"] * 149 + ["c", "c"]}
    (tmp_path / "table.csv").write_text(written(found))
    metrics = train(tmp_path / "out", "--data", str(tmp_path / "table.csv"), "--target", "y")
    printed = capsys.readouterr()
    assert metrics["test"]["roc_auc"] is None
    assert "roc_auc_macro cannot be had: none of these rows is of the class c" in printed.out
    assert "classes with few rows: 'c' (2)" in printed.err
