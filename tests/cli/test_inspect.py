"""What ``fastmlp inspect`` tells of a file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from commands import error_of

import fastmlp as fm
from fastmlp.cli import main

TABLE = 'day,"a, b",city,one,y\n' + "".join(
    f"2024-01-{1 + i:02},{i}.5,{('Bern', '', 'Köln')[i % 3]},7,{('no', 'yes')[i % 2]}\n"
    for i in range(30)
)


def test_a_model_from_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.csv").write_text(TABLE, encoding="utf-8")
    data = ["--data", str(tmp_path / "t.csv"), "--target", "y", "--output_dir", str(tmp_path)]
    options = ["--backend", "numpy", "-e", "3", "-l", "4", "--optimizer", "sgd", "--batch_norm"]
    assert main(["train", *data, *options]) == 0
    capsys.readouterr()
    assert main(["inspect", str(tmp_path / "model.safetensors"), "--no-latency"]) == 0
    printed = capsys.readouterr().out
    for line in (
        "1 BatchNorm                   4           8",
        "3 Dense sigmoid               1           5",
        "dtype         float32",
        "loss          BinaryCrossentropy(label_smoothing=0.0, clip=0.0, reduction='mean')",
        "epochs        3",
        "labels        'no', 'yes'",
        "  y: 2 classes: 'no', 'yes'",
        "columns (3, read as 7 numbers)",
        "  city  3 categories: (missing), 'Bern', 'Köln'",
        "  weights        37 numbers, 148 bytes",
        "  multiply-adds  32",
        "  as C in int8   possible, with 32 bytes of weights, beside factors and tables",
    ):
        assert f"\n{line}\n" in printed
    assert "\noptimizer     SGD(learning_rate=ExponentialDecay(" in printed
    assert "\n  day   date (days since 1970), read as (x - 197" in printed
    assert ", weekday as sine and cosine\n" in printed
    assert "\n  a, b  number, read as (x - " in printed


def test_a_model_from_python(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = fm.Sequential([fm.Dense(2, "softmax")], random_state=7, dtype="float64")
    model.build(3)
    model.metadata["author"] = "me"
    model.save(tmp_path / "m.safetensors")
    assert main(["inspect", str(tmp_path / "m.safetensors")]) == 0
    printed = capsys.readouterr().out
    for line in ("dtype         float64", "random_state  7", "updates       0", "  author  me"):
        assert f"\n{line}\n" in printed
    assert "target" not in printed
    assert re.search(r"\n  time here      [\d.]+ us \(numpy\)", printed)


def test_a_predictor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = fm.Sequential([fm.Embedding(5, 2, 1), fm.Dense(3, "relu"), fm.Dense(1, "sigmoid")])
    model.build(4).freeze().save(tmp_path / "p.safetensors")
    assert main(["inspect", str(tmp_path / "p.safetensors")]) == 0
    printed = capsys.readouterr().out
    for line in (
        "  embedding 5 -> 2, beside 3 columns as they are",
        "  dense 5 -> 3, relu",
        "dtype     float32",
        "task      binary",
        "features  4",
        "  weights        32 numbers, 128 bytes",
        "  multiply-adds  18",
    ):
        assert f"\n{line}\n" in printed
    assert "\n  as C in int8   not possible: int8 quantization does not know Embedding" in printed
    assert re.search(r"time here      [\d.]+ us \(numpy\), [\d.]+ us \(numba\)\n", printed)


def test_files_that_are_no_models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m.safetensors"
    assert str(path) in error_of(capsys, "inspect", str(path))
    path.write_bytes(b"\x00" * 100)
    assert str(path) in error_of(capsys, "inspect", str(path))
    assert "MODEL" in error_of(capsys, "inspect")


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "none.safetensors"
    assert main(["inspect", str(path)]) == 2
    assert capsys.readouterr().err == f"fastmlp: error: {path}: no such file or directory\n"
