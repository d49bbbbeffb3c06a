"""Calls of what reads tables, and of the command line."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from called import (
    WORDS,
    N,
    X,
    call,
    files,
    said,
)

import fastmlp as fm
from fastmlp import cli, datasets


@call
def crossed_columns(folder: Path) -> Any:
    import pandas

    frame = pandas.DataFrame({"a": WORDS, "b": X[:, 1], "c": np.arange(N) % 3})
    crossed = fm.preprocessing.CrossedColumns([("a", "b"), "c"], n_buckets=16, bins={"b": 3})
    # Where tables are asked for, scikit-learn refuses sparse columns of any transformer.
    crossed.set_output(transform="default")
    found = crossed.fit_transform(frame)
    names = crossed.get_feature_names_out()
    return [
        found.toarray(),
        names,
        crossed.bin_edges_,
        crossed.n_buckets_,
        crossed.fit(frame).transform(frame).toarray(),
    ]


@call
def data_sets(folder: Path) -> Any:
    return [tuple(datasets.load(name)) for name in ("iris", "diabetes", "digits")]


def table(path: Path) -> None:
    """A table with words, dates, empty cells and numbers far from 0."""
    rows = ["age,town,since,flag,small,y"]
    for i in range(90):
        age, town = "" if i % 17 == 0 else f"{20 + i % 50}.5", "ABC"[i % 3] if i % 13 else ""
        flag, since = ("true", "false")[i % 2], f"20{10 + i % 10}-0{1 + i % 9}-11"
        rows.append(f"{age},{town},{since},{flag},{(i % 7) * 1e-30},{['no', 'yes'][i % 3 > 0]}")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


@call
def tables_and_schemas(folder: Path) -> Any:
    table(folder / "t.csv")
    found = fm.read_table(folder / "t.csv")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        schema = fm.infer_schema(found, target="y", categorical=["small"])
    cells, notes = schema.read(found)
    schema.to_json(folder / "s.json")
    back = fm.Schema.from_json(folder / "s.json")
    described = fm.Schema.from_dict(schema.to_dict())
    return [
        *(found.columns, found["age"], str(schema), schema.names, schema["age"].kind, cells),
        *(notes, back == schema, described == schema, files(folder)),
        [str(warning.message) for warning in told],
    ]


def commands(folder: Path, *words: str) -> Any:
    code, out, err = said(lambda: cli.main(list(words)))
    return code, _without_times(out, folder), _without_times(err, folder)


def _without_times(text: str, folder: Path) -> list[str]:
    lines = text.replace(str(folder), "FOLDER").splitlines()
    # What ends in seconds, or tells of them within.
    lines = [re.sub(r"  [0-9.e-]+ s$", "", line) for line in lines]
    return [line for line in lines if not any(word in line for word in ("second", " us", " s "))]


@call
def command_line(folder: Path) -> Any:
    table(folder / "t.csv")
    data, model = ["--data", str(folder / "t.csv")], str(folder / "o" / "model.safetensors")
    quick = ["-e", "3", "-l", "6", "-o", "auto", "--output-dir", str(folder / "o")]
    found = [
        commands(folder, "train", *data, "--target", "y", *quick, "--show_loss"),
        commands(
            folder, "train", *data, "--target", "age", *quick[:-1], str(folder / "r"), "-en", "age"
        ),
        commands(folder, "train", "-d", "iris", *quick[:-1], str(folder / "i")),
        commands(folder, "predict", model, *data),
        commands(folder, "evaluate", model, *data),
        commands(folder, "inspect", model, "--no-latency"),
        commands(folder, "inspect", str(folder / "i" / "model.safetensors")),
    ]
    for kind, name in (("c", "a.h"), ("c-int8", "b.h"), ("onnx", "c.onnx"), ("python", "d.py")):
        rows = ["--calibration", str(folder / "t.csv")] if kind == "c-int8" else []
        words = ["export", model, "--format", kind, "-o", str(folder / name), *rows]
        found.append(commands(folder, *words))
    written = files(folder)
    for name in [name for name in written if re.search(r"history|metrics.*json", name)]:
        del written[name]
    return found, written
