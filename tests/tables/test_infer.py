"""Columns of every kind that people have, and what is told of each."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.tables.infer import Wishes, infer, infer_schema, understand

pytest.importorskip("pyarrow")
from fastmlp.tables.table import Table

N = 60
RNG = np.random.default_rng(0)
FLOATS = RNG.normal(50, 20, N)


def column(cells: Any, **wishes: Any):
    """What becomes of a column that stands beside another one, and what is told of it."""
    table = Table.of({"other": [f"{x:.1f}" for x in FLOATS], "x": cells})
    options = {
        key: (value if key in ("group", "limit") else ("x",)) for key, value in wishes.items()
    }
    schema = infer(table, wishes=Wishes(**options))
    return schema["x"], "\n".join(note.in_shell() for note in schema.notes)


def with_bad(*bad: str) -> list[str]:
    cells = [f"{x:.1f}" for x in FLOATS]
    cells[5 : 5 + len(bad)] = bad
    return cells


@pytest.mark.parametrize("bad", ["?", "-", "n/a", "12O", "1.2.3", "#DIV/0!", "\\N", "inf", "NaN"])
def test_cells_that_are_no_numbers_are_missing_and_told(bad: str) -> None:
    found, told = column(with_bad(bad, bad))
    assert (found.kind, found.missing) == ("number", 2)
    assert f"'x': 2 of 60 cells are no numbers, such as {bad!r} in row 5 (counted from 0)" in told
    assert told.endswith("--categorical x decides otherwise")


def test_nine_in_ten() -> None:
    assert column(with_bad(*["red"] * 6))[0].kind == "number"
    assert column(with_bad(*["red"] * 7))[0].kind != "number"
    # Cells that say that they are missing do not count.
    assert column(with_bad(*["?"] * 30))[0].kind == "number"


NUMBERS = [
    [f"${x:,.2f}" for x in FLOATS * 100],
    [f"{x:.1f} \u20ac" for x in FLOATS],
    [f"{x:.1f}%" for x in FLOATS],
    [f"{x:.1f} kg" for x in FLOATS],
    [f"{x:.1f}".replace(".", ",") for x in FLOATS],
    [f"{x:,.0f}" for x in FLOATS * 1e5],
    [f"{x:,.0f}".replace(",", " ") for x in FLOATS * 1e5],
    [f"{x:,.0f}".replace(",", "'") for x in FLOATS * 1e5],
    [f"({x:.2f})" if i % 2 else f"{x:.2f}" for i, x in enumerate(np.abs(FLOATS))],
]


@pytest.mark.parametrize("cells", NUMBERS, ids=lambda cells: cells[0])
def test_numbers_as_people_write_them(cells: list[str]) -> None:
    found, told = column(cells)
    assert (found.kind, found.missing) == ("number", 0)
    assert "are read as numbers, here" in told
    read, _ = infer(Table.of({"x": cells, "o": [f"{x:.1f}" for x in FLOATS]})).read(
        {"x": np.array(cells, object), "o": np.zeros(N)}
    )
    assert np.corrcoef(read["x"], FLOATS)[0, 1] > 0.99 or cells is NUMBERS[-1]


@pytest.mark.parametrize(
    "cells",
    [[f"{x:+.1f}" for x in FLOATS], [f" {x:.1f} " for x in FLOATS], [f"{x:.3e}" for x in FLOATS]],
    ids=lambda cells: cells[0],
)
def test_plain_numbers_are_not_told(cells: list[str]) -> None:
    found, told = column(cells)
    assert (found.kind, told) == ("number", "")


def test_several_units_stay_texts() -> None:
    found, told = column([f"{i % 7 + 1} {('kg', 'lb')[i % 2]}" for i in range(N)])
    assert found.kind == "category"
    assert "numbers of several units ('kg', 'lb')" in told
    assert "--numeric x decides otherwise" in told


def test_signs_of_decimals_are_those_of_the_table() -> None:
    thousands = [f"{i},{100 + i}" for i in range(1, N + 1)]
    found, told = column(thousands)
    # The other column has points.
    assert (found.decimal, "two ways" in told) == (".", False)
    alone = infer(Table.of({"x": thousands, "n": [str(i % 9) for i in range(N)]}))
    assert "'1,101' can be read in two ways, and is taken for 1101" in alone.notes[0].text
    beside = infer(Table.of({"x": thousands, "n": [f"{i},5" for i in range(N)]}))
    assert beside["x"].decimal == ","
    three = [f"{i}.{100 + i}" for i in range(1, N + 1)]
    assert infer(Table.of({"x": three, "n": [f"{i},5" for i in range(N)]}))["x"].decimal == ","
    assert infer(Table.of({"x": three, "n": [f"{i}.5" for i in range(N)]}))["x"].decimal == "."


@pytest.mark.parametrize("pair", [("yes", "No"), ("TRUE", "false"), ("y", "n"), ("On", "off")])
def test_yes_and_no(pair: tuple[str, str]) -> None:
    cells = [pair[i % 3 == 0] for i in range(N)]
    found, told = column(cells)
    assert (found.kind, told) == ("yes/no", "")
    cells[7] = "?"
    found, told = column(cells)
    assert (found.kind, found.missing) == ("yes/no", 1)
    assert "1 of 60 cells is no yes or no, '?' in row 7" in told


@pytest.mark.parametrize(
    "cells",
    [
        [f"CUST{i:05}" for i in range(N)],
        [str(i) for i in range(N)],
        [str(i) for i in np.random.default_rng(1).permutation(N) + 4000],
        [f"{i:08x}-0000-4000-8000-{i * 99991:012x}" for i in range(N)],
        list(range(100, 100 + 2 * N, 2)),
        [f"{i:04}" for i in range(N)],
    ],
    ids=lambda cells: str(cells[0]),
)
def test_names_of_rows_are_left_out(cells: list) -> None:
    found, told = column(cells)
    assert found.kind == "left out"
    assert "the column 'x' is left out, for it names the rows" in told
    assert told.endswith("--keep x decides otherwise")
    kept, told = column(cells, keep=True)
    assert kept.kind != "left out"


def test_measurements_of_their_own_are_no_names() -> None:
    percent = [f"{i}%" for i in range(N)]
    for cells in (FLOATS, [str(x) for x in FLOATS], RNG.choice(10**7, N, replace=False), percent):
        assert column(cells)[0].kind == "number"


def test_codes_counts_and_leading_zeros() -> None:
    codes, told = column([("10001", "94110", "73301")[i % 3] for i in range(N)])
    assert (codes.kind, codes.reason) == ("category", "3 different codes")
    assert "--numeric x decides otherwise" in told
    assert (
        column([("10001", "94110", "73301")[i % 3] for i in range(N)], numeric=True)[0].kind
        == "number"
    )
    assert column([str(1 + i % 5) for i in range(N)])[0].kind == "number"
    zeros, told = column([("00501", "10001", "02138")[i % 3] for i in range(N)])
    assert zeros.kind == "category"
    assert "codes with leading zeros, such as '00501'" in told
    assert column([str(1 + i % 5) for i in range(N)], categorical=True)[0].kind == "category"


def test_categories() -> None:
    plain = column([("red", "blue")[i % 2] for i in range(N)])
    assert (plain[0].kind, plain[1]) == ("category", "")
    _, told = column([("red", "Red", "blue")[i % 3] for i in range(N)])
    assert "texts that differ by case alone: 'red', 'Red'; --join-case x decides" in told
    joined, told = column([("red", "Red", "blue")[i % 3] for i in range(N)], join_case=True)
    assert (joined.join_case, told) == (True, "")
    _, told = column([("red", "red ", "blue")[i % 3] for i in range(N)])
    assert "blanks around 20 cells are cut" in told
    many, told = column([f"c{i % 20}" for i in range(N)], limit=10)
    assert many.limit == 10
    assert "20 different texts: the 9 most frequent are told apart" in told
    cells = [("red", "blue", "NA")[i % 3] for i in range(N)]
    nulls, told = column(cells)
    assert (nulls.missing, nulls.distinct) == (20, 2)
    assert "20 of 60 cells count as missing, such as 'NA'; --categorical x decides" in told
    assert (
        column([("red", "blue", "NA")[i % 3] for i in range(N)], categorical=True)[0].missing == 0
    )


DATES = [
    [str(np.datetime64("2020-01-01") + np.timedelta64(5 * i, "D")) for i in range(N)],
    [f"{1 + i % 28}.{1 + i % 12}.2020" for i in range(N)],
    [f"{1 + i % 12}/{1 + i % 28}/2020" for i in range(N)],
    [f"{1 + i % 28:02}-{1 + i % 12:02}-20" for i in range(N)],
    [f"{1 + i % 28} {('Jan', 'Feb', 'Mar')[i % 3]} 2020" for i in range(N)],
    [f"2020-{1 + i % 12:02}" for i in range(N)],
    [f"Q{1 + i % 4} 20{10 + i % 10}" for i in range(N)],
    [f"2020-01-{1 + i % 28:02}T{i % 24:02}:30:00Z" for i in range(N)],
    [f"{i % 24}:15" for i in range(N)],
]


@pytest.mark.parametrize("cells", DATES, ids=lambda cells: cells[0])
def test_dates(cells: list[str]) -> None:
    found, _ = column(cells)
    assert (found.kind, found.missing) == ("date", 0)
    cells = [*cells]
    cells[3] = "soon"
    found, told = column(cells)
    assert (found.kind, found.missing) == ("date", 1)
    assert "1 of 60 cells is no date, 'soon' in row 3" in told


def test_dates_that_can_be_read_in_two_ways_are_told() -> None:
    cells = [f"{1 + i * 7 % 12:02}/{1 + i * 5 % 12:02}/2020" for i in range(N)]
    found, told = column(cells)
    assert found.order == "month first"
    assert "are read with the month first, but could be read otherwise" in told
    other = [f"{13 + i % 9}/{1 + i % 12}/2020" for i in range(N)]
    assert infer(Table.of({"x": cells, "o": other}))["x"].order == "day first"
    in_order = [f"0{1 + i % 9}/{6 + i // 9:02}/2020" for i in range(36)]
    assert infer(Table.of({"x": in_order, "o": FLOATS[:36]}))["x"].order == "day first"


def test_digits_and_unix_times_are_numbers_but_for_a_wish() -> None:
    cells = [f"2020{1 + i % 12:02}{1 + i % 28:02}" for i in range(N)]
    assert column(cells)[0].kind != "date"
    found, _ = column(cells, dates=True)
    assert (found.kind, found.digits, found.missing) == ("date", True, 0)
    assert column([int(c) for c in cells], dates=True)[0].missing == 0
    assert column([str(1_600_000_000 + 3601 * i) for i in range(N)])[0].kind == "number"


def test_columns_without_anything() -> None:
    empty, told = column([""] * N)
    assert (empty.kind, told) == ("left out", "the column 'x' is empty, and left out")
    same, told = column(["7"] * N)
    assert (same.kind, same.reason) == ("left out", "the same in all rows")
    assert "the column 'x' has the same in all rows" in told
    some, _ = column(["x" if i % 2 else "" for i in range(N)])
    assert some.kind == "category"


def test_typed_columns() -> None:
    assert column(np.arange(N) % 2 == 0)[0].kind == "yes/no"
    assert column(np.datetime64("2020-01-01") + np.arange(N).astype("m8[D]"))[0].kind == "date"
    pandas = pytest.importorskip("pandas")
    codes = pandas.Categorical.from_codes(np.arange(N) % 3, [5, 6, 7])
    assert column(codes)[0].kind == "category"
    assert column(pandas.array([1, None, 3] * 20, "Int64"))[0].missing == 20


def test_running_numbers_are_kept_where_there_is_nothing_else() -> None:
    found = understand(Table.of({"x": list(range(N)), "y": FLOATS}), target="y")
    assert found.schema["x"].kind == "number"
    assert list(found.cells) == ["x"]


def test_wishes_that_cannot_be() -> None:
    table = Table.of({"a": FLOATS, "b": FLOATS})
    for wishes, part in (
        ({"numeric": ("c",)}, "unknown column 'c'"),
        ({"drop": ("a",), "numeric": ("a",)}, "'a' is among those of --numeric and of --drop"),
        ({"drop": ("b",)}, "the target 'b' is among the columns of --drop"),
        ({"group": "g"}, "unknown column 'g'"),
        ({"drop": ("c",), "dates": ("d",)}, "no columns 'd', 'c'; it has a, b"),
        ({"group": "b"}, "the target 'b' cannot name the groups"),
        ({"limit": 1}, "must be 2 or more"),
    ):
        with pytest.raises(ValueError, match=part):
            infer(table, target="b", wishes=Wishes(**wishes))
    with pytest.raises(TypeError, match=r"use \['a'\]"):
        infer_schema(table, drop="a")


def test_ids_groups_and_dropped_columns_are_not_learned() -> None:
    table = Table.of({"a": FLOATS, "b": FLOATS, "c": FLOATS, "d": FLOATS})
    schema = infer(table, wishes=Wishes(drop=("a",), ids=("b",), group="c"))
    assert [column.kind for column in schema.columns] == ["left out"] * 3 + ["number"]
    assert schema.notes == ()


def test_columns_that_were_set_aside_can_be_kept() -> None:
    import pyarrow as pa

    aside = {"Unnamed: 0": pa.chunked_array([pa.array(FLOATS)])}
    table = Table(Table.of({"a": FLOATS}).arrow, set_aside=aside)
    schema = infer(table, wishes=Wishes(keep=("Unnamed: 0",)))
    assert schema.names == ["Unnamed: 0", "a"]


def test_the_door_warns_of_each_thing() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        schema = infer_schema({"id": list(range(N)), "x": with_bad("?"), "y": FLOATS}, "y")
    assert [str(warning.message) for warning in caught] == [
        note.in_python() for note in schema.notes
    ]
    assert len(caught) == 2
    assert {warning.category for warning in caught} == {fm.TableWarning}
    assert {warning.filename for warning in caught} == {__file__}
    assert schema.target is not None


def test_pandas_and_scikit_learn_are_not_imported(tmp_path: Path) -> None:
    """They take longer than a small table."""
    lines = ["a,b,c,y", *(f"{x:.2f},{i % 3},t{i % 4},{2 * x:.1f}" for i, x in enumerate(FLOATS))]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    code = """
import sys
from fastmlp.tables.infer import understand
from fastmlp.tables.preparation import fit
from fastmlp.tables.reader import read
found = understand(read(sys.argv[1]), target="y")
fit(found.schema, found.cells, found.target.rows, found.target.target).matrix(found.cells, "f4")
print(*sorted({"pandas", "sklearn", "scipy", "polars"} & set(sys.modules)))
"""
    run = [sys.executable, "-c", code, str(tmp_path / "t.csv")]
    assert subprocess.run(run, check=True, capture_output=True, text=True).stdout == "\n"


@pytest.mark.parametrize("mark", ["NA", "?", "-", "#DIV/0!", "null"])
def test_columns_of_nothing_but_marks_are_empty(mark: str) -> None:
    found, told = column([mark, ""] * 30)
    assert (found.kind, found.missing) == ("left out", 60)
    assert told == f"the column 'x' is empty but for cells such as {mark!r}, and left out"
    assert column([mark, "x"] * 30)[0].kind == "category"


def test_thousands_and_millions_are_told_apart() -> None:
    cells = [f"{n}.5K" if n % 3 else f"{100 * n}" for n in range(1, 61)]
    found, told = column(cells)
    assert (found.kind, found.unit) == ("number", "K, M, B")
    assert "texts such as '1.5K' are read as numbers, here 1500" in told
    table = Table.of({"x": cells})
    values = fm.Schema((found,)).read(table)[0]["x"]
    np.testing.assert_allclose(values[:3], [1500, 2500, 300])


def test_columns_without_a_cell_are_never_kept() -> None:
    schema = infer(Table.of({"x": [None] * 9, "y": [1, 2, 3] * 3}), target="y")
    assert schema["x"].kind == "left out"
    assert "the column 'x' is empty, and left out" in [note.text for note in schema.notes]


def test_codes_are_the_same_beside_missing_ones() -> None:
    codes = [str(RNG.choice([10001, 60614, 94105])) for _ in range(N)]
    found, _ = column(codes)
    beside, _ = column(["", *(f"{code}.0" for code in codes[1:])])
    assert found.whole
    assert beside.whole
    assert fm.Schema((found,)).read(Table.of({"x": ["10001.0"]}))[0]["x"].tolist() == ["10001"]
    assert column(["1", "2.0"] * 30, categorical=True)[0].whole
    assert not column(["1.1", "2.0"] * 30, categorical=True)[0].whole


@pytest.mark.parametrize(("wish", "what"), [("numeric", "numbers"), ("dates", "dates")])
def test_wishes_that_no_cell_fulfills(wish: str, what: str) -> None:
    found, told = column(["u", "v"] * 30, **{wish: True})
    assert found.kind == "left out"
    assert f"'x' holds no {what}, but cells such as 'u', and is left out" in told


def test_numbers_with_too_many_mistakes_are_no_names_of_rows() -> None:
    cells = [f"{x:.3f}" for x in FLOATS]
    cells[:9] = [f"call {n}" for n in range(9)]
    found, told = column(cells)
    assert found.kind == "left out"
    assert "is left out, for only 85% of its cells are numbers, and nearly all differ" in told
    assert told.endswith("--numeric x decides otherwise")


def test_marks_among_codes_are_missing() -> None:
    cells = [str(RNG.choice([10001, 60614, 94105])) for _ in range(N)]
    cells[0], cells[7], cells[9] = "-", "1e999", "6O614"
    found, told = column(cells)
    assert (found.kind, found.missing, found.distinct) == ("category", 3, 3)
    assert f"whole numbers, such as {cells[1]}, which are taken for codes" in told
    assert "'x': 3 of 60 cells count as missing, such as '-'; --categorical x decides" in told


def test_decimal_commas_of_columns_and_target_are_one_note() -> None:
    cells = [f"{x:.2f}".replace(".", ",") for x in FLOATS]
    table = Table.of({"a": cells, "b": cells[::-1], "y": cells[5:] + cells[:5]})
    notes = [note.in_shell() for note in understand(table, target="y").schema.notes]
    (told,) = [note for note in notes if "texts such as" in note]
    assert told.startswith("the column 'a'")
    assert "so are those of 'b', 'y'; --decimal '.' decides" in told
