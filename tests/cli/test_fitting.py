"""What is trained: by the recipe, or the network that the options describe."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np
import pytest
from commands import read_csv, train
from given import given
from houses import houses, write
from shops import QUICK, write_shops

import fastmlp as fm
from fastmlp.cli.fitting import Fitted, by_recipe, in_words, plan_recipe
from fastmlp.cli.options_train import DESCRIBES_A_NETWORK
from fastmlp.cli.parts import Parts
from fastmlp.tables.column_schema import ColumnSchema
from fastmlp.tables.preparation import fit
from fastmlp.tables.schema import Schema
from fastmlp.tables.target import Target
from fastmlp.tabular.deadline import Deadline
from fastmlp.tabular.distinct import Distinct

WORDS = {
    "layers": ["8"],
    "activation": ["tanh"],
    "output": ["linear"],
    "weight_init": ["xavier"],
    "optimizer": ["sgd"],
    "batch_norm": [],
}


@pytest.mark.parametrize("option", DESCRIBES_A_NETWORK, ids=lambda option: option.name)
def test_an_option_of_a_network_is_obeyed(option: object) -> None:
    name = option.name  # type: ignore[attr-defined]
    assert not by_recipe(given(f"--{name}", *WORDS.get(name, ["0.1"])))


def test_without_one_the_recipe_trains() -> None:
    assert by_recipe(given("-e", "5", "--patience", "3", "--batch-size", "8", "-s", "1"))
    assert not by_recipe(given("-d", "iris"))


def line(n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 2))
    return X, X @ [1.0, -1.0] + 0.1 * rng.normal(size=n)


def parts(n: int, k: int) -> Parts:
    rows = np.arange(n)
    folds = [(rows[rows % k != fold], rows[rows % k == fold]) for fold in range(k)]
    return Parts(rows, rows[:0], folds if k > 1 else [])


def trained(parts: Parts, arguments: argparse.Namespace) -> Fitted:
    """What the recipe makes of a line."""
    X, y = line()
    columns = {"a": X[:, 0], "b": X[:, 1]}
    schema = Schema(tuple(ColumnSchema(name, "number") for name in columns))
    preparation = fit(schema, columns, parts.learned, Target("y", "number"))
    rows = preparation.matrix(columns, arguments.dtype)
    return plan_recipe(rows, y, ("a", "b"), preparation, parts, Deadline(), arguments)()


def test_the_recipe_says_what_it_kept() -> None:
    arguments = given("--backend", "numpy", "--dtype", "float64", "-e", "4")
    fitted = trained(parts(60, 3), arguments)
    assert fitted.validation is not None
    rows, outputs = fitted.validation
    assert rows.tolist() == list(range(60))
    assert outputs.shape == (60, 1)
    assert fitted.words.endswith("better (judged by all rows, in 3 parts; then fitted on all)")
    assert len(fitted.history) == 4
    alone = trained(parts(60, 1), arguments)
    assert alone.validation is None
    assert alone.words.endswith("of epoch 4")
    # The last epoch is kept, whatever its loss.
    whole = trained(parts(60, 3), given("--backend", "numpy", "-e", "2", "--patience", "0"))
    assert "lowest" not in whole.words


def test_patience_of_zero_never_ends(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = [{"x": f"{x:.3f}", "y": "ab"[rng.integers(2)]} for x in rng.normal(size=200)]
    data = str(write(tmp_path / "t.csv", noise))
    words = ("--data", data, "--target", "y", "-e", "60")
    for more in ((), ("-l", "8", "-lr", "0.1")):
        train(tmp_path / "0", *words, *more, "--patience", "0")
        assert len(read_csv(tmp_path / "0/history.csv")) == 60
        train(tmp_path / "3", *words, *more, "--patience", "3")
        assert len(read_csv(tmp_path / "3/history.csv")) < 60


def test_patience_is_that_which_was_given_of_large_tables_too(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = [{"x": f"{x:.3f}", "y": "ab"[rng.integers(2)]} for x in rng.normal(size=12_000)]
    data = str(write(tmp_path / "t.csv", noise))
    words = ("--data", data, "--target", "y", "--preset", "fast", "--patience", "6")
    train(tmp_path, *words)
    # The preset's own would be halved.
    assert len(read_csv(tmp_path / "history.csv")) >= 6


def test_the_best_epoch_of_a_described_network_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_shops(tmp_path / "t.csv")
    words = ("--data", data, "--target", "price", "-l", "16", "-lr", "0.05", "-e", "60")
    metrics = train(tmp_path, *words, "--backend", "numpy")
    losses = [float(row["val_loss"]) for row in read_csv(tmp_path / "history.csv")]
    assert f"epoch {np.argmin(losses) + 1}, with the lowest loss of the validation" in (
        capsys.readouterr().out
    )
    assert metrics["validation"]["loss"] == pytest.approx(min(losses), rel=1e-5)


def test_few_rows_and_a_described_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = str(write(tmp_path / "t.csv", houses(80)))
    metrics = train(tmp_path, "--data", data, "--target", "kind", "-l", "8", *QUICK)
    assert "validation" not in metrics
    assert "64 training rows, 16 test rows" in capsys.readouterr().out
    assert any("no validation rows" in note for note in metrics["notes"])
    metrics = train(tmp_path, "--data", data, "--target", "kind", *QUICK)
    assert "64 training rows (cross-fitted in 5 parts)" in capsys.readouterr().out
    assert metrics["validation"]["accuracy"] > 0


def test_the_seed_decides(tmp_path: Path) -> None:
    data = str(write(tmp_path / "t.csv", houses()))
    words = ("--data", data, "--target", "price", *QUICK)
    found = [
        train(tmp_path / str(place), *words, "-s", seed)["test"]
        for place, seed in enumerate(("1", "1", "2"))
    ]
    assert found[0] == found[1] != found[2]


def test_counts_in_words() -> None:
    rows = np.arange(10)
    assert in_words(Parts(rows[:9], rows[9:], [])) == "9 training rows, 1 test row"
    one = Parts(rows[:8], rows[8:], [(rows[:6], rows[6:8])])
    assert in_words(one) == "6 training rows, 2 validation rows, 2 test rows"
    many = Parts(rows[:8], rows[8:], [(rows[:4], rows[4:8]), (rows[4:8], rows[:4])])
    assert in_words(many) == "8 training rows (cross-fitted in 2 parts), 2 test rows"
    several = Parts(rows[:8], rows[8:], many.folds, 2)
    assert in_words(several) == "8 training rows (2 networks), 2 test rows"
    # Row 0 stands thrice.
    copies = Distinct(np.arange(2, 8), np.array([3.0, *[1.0] * 5]), np.maximum(rows[:8] - 2, 0))
    folds = [(np.arange(4), np.arange(4, 6))]
    copied = Parts(rows[:8], rows[8:], folds, distinct=copies)
    assert in_words(copied) == (
        "6 training rows (2 of the rows are copies of others), 2 validation rows, 2 test rows"
    )


def test_the_network_that_is_written_is_the_one_described(tmp_path: Path) -> None:
    data = str(write(tmp_path / "t.csv", houses()))
    words = ("--layers", "7", "5", "--activation", "tanh", "--batch-norm", "--dropout", "0.1")
    train(tmp_path, "--data", data, "--target", "price", *words, *QUICK)
    model = fm.load(tmp_path / "model.safetensors", backend="numpy")
    shown = re.sub(r"\s+", " ", repr(model.layers))
    for part in ("units=7", "BatchNorm", "'tanh'", "rate=0.1", "units=5"):
        assert part in shown
