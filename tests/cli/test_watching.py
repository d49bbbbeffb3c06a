"""What watches the epochs: a log of them, and the time limit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import error_of, read_csv, train
from houses import houses, write
from passing_time import Clock
from shops import QUICK

from fastmlp.tabular import deadline


def test_a_line_for_each_epoch(tmp_path: Path) -> None:
    data = str(write(tmp_path / "t.csv", houses()))
    # The folder is made before the file.
    log = tmp_path / "o" / "log.jsonl"
    words = ("--data", data, "--target", "price", *QUICK, "--log", str(log))
    for more in ((), ("-l", "8")):
        train(tmp_path / "o", *words, *more)
        lines = [json.loads(text) for text in log.read_text().splitlines()]
        assert [found["epoch"] for found in lines] == [0, 1, 2]
        assert all(found["val_loss"] > 0 for found in lines)


@pytest.mark.parametrize(
    ("words", "limit"),
    # The recipe looks at the clock more often.
    [((), "20.5"), (("--preset", "best"), "20.5"), (("-l", "8"), "8.5"), (("-d", "iris"), "8.5")],
)
def test_the_time_limit_ends_a_training(
    words: tuple[str, ...], limit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = str(write(tmp_path / "t.csv", houses(60)))
    source = () if "-d" in words else ("--data", data, "--target", "price")
    words = (*source, *words, "--backend", "numpy", "-e", "30", "--patience", "0")
    full = train(tmp_path / "full", *words)
    assert full["epochs"] == 30
    assert "time limit" not in full["weights"]
    losses = [row["loss"] for row in read_csv(tmp_path / "full/history.csv")]
    monkeypatch.setattr(deadline, "now", Clock(0.5))
    cut = train(tmp_path / "cut", *words, "--time-limit", limit)
    assert 0 < cut["epochs"] < 30
    assert cut["settings"]["time_limit"] == float(limit)
    assert cut["weights"].endswith(f"the time limit of {limit} s ended the training")
    found = [row["loss"] for row in read_csv(tmp_path / "cut/history.csv")]
    # The recipe plans its rates for as many epochs as there is time for.
    is_recipe = not {"-l", "-d"} & {*words}
    assert (found == losses[: len(found)]) != is_recipe


def test_a_limit_is_above_zero(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (("--time-limit", "0"), ("--time_limit", "nan")):
        assert "time_limit" in error_of(capsys, "train", "-d", "iris", *words)
