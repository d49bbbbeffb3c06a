"""A schema as a table to be read by people, and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.tables.column_schema import ColumnSchema
from fastmlp.tables.infer import infer
from fastmlp.tables.notes import Note
from fastmlp.tables.schema import Schema

pytest.importorskip("pyarrow")
from fastmlp.tables.table import Table


def some_table(n: int = 60) -> Table:
    rng = np.random.default_rng(1)
    return Table.of(
        {
            "size": [f"{x:.2f}" for x in rng.normal(80, 20, n)],
            "sold": [("yes", "no")[i] for i in rng.integers(2, size=n)],
            "town": [("Delft", "Gouda", "")[i] for i in rng.integers(3, size=n)],
            "name": [f"villa {i}" for i in range(n)],
            "price": [f"{x:.1f}" for x in rng.normal(300, 50, n)],
        }
    )


def test_a_line_per_column() -> None:
    schema = infer(some_table(), target="price")
    lines = str(schema).split("\n")
    assert lines[0].split() == ["column", "kind", "missing", "distinct", "example", "becomes"]
    starts = {lines[0].index(word) for word in ("kind", "example", "becomes")}
    assert all(line[start - 1] == " " != line[start] for line in lines for start in starts)
    assert [line.split()[:2] for line in lines[1:]] == [
        *(["size", "number"], ["sold", "yes/no"], ["town", "category"], ["name", "left"]),
        ["price", "target"],
    ]
    missing = schema["town"].missing
    assert missing > 0
    assert f" {missing}         2  " in lines[3]
    assert "names the rows: 60 different texts in 60 rows" in lines[4]
    with pytest.raises(KeyError, match="there is no column 'x'"):
        schema["x"]


def test_very_many_columns_are_shortened() -> None:
    names = [f"pixel{i}" for i in range(784)]
    columns = [
        ColumnSchema(name, "left out" if i < 100 else "number") for i, name in enumerate(names)
    ]
    lines = str(Schema(tuple(columns))).split("\n")
    assert len(lines) == 62
    assert "... 724 more: 654 number, 70 left out" in lines


def test_json_and_back(tmp_path: Path) -> None:
    schema = infer(some_table(), target="price")
    schema.to_json(tmp_path / "schema.json")
    again = Schema.from_json(tmp_path / "schema.json")
    assert again == schema
    assert again.notes
    first, _ = schema.read(some_table())
    second, _ = again.read(some_table())
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name])
    # Editors write a mark before UTF-8.
    text = (tmp_path / "schema.json").read_bytes()
    (tmp_path / "schema.json").write_bytes(b"\xef\xbb\xbf" + text)
    assert Schema.from_json(tmp_path / "schema.json") == schema


def test_an_edited_file_is_refused_until_its_digest_is_deleted(tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    schema = infer(some_table(), target="price")
    schema.to_json(path)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"name": "town"', '"name": "city"'), encoding="utf-8")
    with pytest.raises(fm.ModelFileError, match=r"schema\.json was edited.*delete that line"):
        Schema.from_json(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if '"sha256"' not in line]
    assert len(kept) == len(lines) - 1
    path.write_text("\n".join(kept), encoding="utf-8")
    assert Schema.from_json(path).names == ["size", "sold", "city", "name"]
    # Another layout is no other schema.
    path.write_text(json.dumps(json.loads(text)), encoding="utf-8")
    assert Schema.from_json(path) == schema


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": 9}', '{"version": 2, "columns": [{"name": "x"}]}', "\xff"]
)
def test_files_that_hold_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(text, encoding="latin-1")
    with pytest.raises(fm.ModelFileError, match=r"s\.json holds no schema of a table"):
        Schema.from_json(tmp_path / "s.json")


def test_what_is_as_usual_is_not_written() -> None:
    column = ColumnSchema("x", "number", missing=3)
    assert column.to_dict() == {"name": "x", "kind": "number", "missing": 3}
    assert ColumnSchema.from_dict(column.to_dict()) == column
    assert Schema.from_dict(Schema((column,), None, (Note("a"),)).to_dict()).notes == (Note("a"),)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"kind": "moment"}, {"name": 1}, {"decimal": ";"}, {"words": (1, 2)}, {"colour": "red"}),
        *({"order": "hour first"}, {"limit": -1}, {"clock": None}, {"unit": 3}),
    ],
)
def test_columns_that_cannot_be(wrong: dict) -> None:
    with pytest.raises((TypeError, ValueError)):
        ColumnSchema(**{"name": "x", "kind": "number", **wrong})
