"""Calibration rows that lie far beyond the others: they do not cost the others their digits."""

from __future__ import annotations

import functools
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.cli import main
from fastmlp.int8.build import build
from fastmlp.int8.calibration import float_values
from fastmlp.int8.constants import constants
from fastmlp.int8.far_rows import UsualRows, most_far
from fastmlp.int8.predictor import predict
from fastmlp.int8.quantize import MAX_ROWS, TRIALS

pytest.importorskip("sklearn")

from sklearn import datasets

Array = np.ndarray

LOADERS: dict[str, Any] = {
    "digits": datasets.load_digits,
    "breast_cancer": datasets.load_breast_cancer,
    "wine": datasets.load_wine,
    "diabetes": datasets.load_diabetes,
}
# Wild rows: how many, how large beside the spread of a column, in how many columns.
WILD = [(1, 1e3, 1), (1, 1e5, 1), (1, 1e5, None), (3, 1e3, None), (3, 1e5, 2), (3, 1e8, None)]


@functools.cache
def trained(name: str, kind: str) -> tuple[Any, Array, Array, Array]:
    """A frozen network, rows for calibration, rows to test it, and what is right for those."""
    X, y = LOADERS[name](return_X_y=True)
    X = (X - X.mean(axis=0)) / np.maximum(X.std(axis=0), 1e-3)
    order = np.random.default_rng(0).permutation(len(X))
    split = int(0.7 * len(X))
    first, rest = order[:split], order[split:]
    if name == "diabetes":
        y, last = (y - y.mean()) / y.std(), fm.Dense(1)
    else:
        last = fm.Dense(len(np.unique(y)), "softmax")
    layers = [fm.Dense(32, kind), fm.BatchNorm(), fm.Residual([fm.Dense(32, kind)]), last]
    model = fm.Sequential(layers, optimizer=fm.Adam(3e-3), backend="numpy", random_state=0)
    model.fit(X[first], y[first], epochs=15, batch_size=32, verbose=0)
    rows = X[first[:400]].astype("f4")
    return model.freeze(), rows, X[rest].astype("f4"), y[rest]


def wild(rows: Array, count: int, size: float, columns: int | None, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    rows = rows.copy()
    (varying,) = np.nonzero(rows.std(axis=0) > 0.1)
    places = varying if columns is None else rng.choice(varying, columns, replace=False)
    for row in rng.choice(len(rows), count, replace=False):
        rows[row, places] = size * rng.choice([-1.0, 1.0], len(places))
    return rows


def difference(small: Any, predictor: Any, X: Array) -> float:
    return float(np.abs(small(X) - predictor(X)).mean())


NETWORKS = pytest.mark.parametrize("kind", ["relu", "tanh"])
TABLES = pytest.mark.parametrize("name", LOADERS)


@TABLES
@NETWORKS
@pytest.mark.parametrize("rows", WILD, ids=str)
def test_wild_rows_cost_the_others_nothing(name: str, kind: str, rows: Any) -> None:
    predictor, calibration, X, y = trained(name, kind)
    clean = predictor.quantize(calibration)
    with pytest.warns(UserWarning, match=rf"of {len(calibration)} calibration rows lie"):
        small = predictor.quantize(wild(calibration, *rows))
    assert difference(small, predictor, X) < 1.5 * difference(clean, predictor, X)
    # One more may be far from the others by itself.
    assert small.report.n_left_out in (rows[0], rows[0] + 1)
    assert small.report.n_rows == len(calibration) - small.report.n_left_out
    if name != "diabetes":
        accuracy = [np.mean(p.predict_classes(X) == y) for p in (predictor, small)]
        assert accuracy[1] >= accuracy[0] - 0.02
        assert small.report.same_class > 0.95


@TABLES
@NETWORKS
def test_without_wild_rows_nothing_is_left_out(name: str, kind: str) -> None:
    """The network is that of the best of the trials on all rows, bit for bit."""
    predictor, rows, _, _ = trained(name, kind)
    small = predictor.quantize(rows)
    assert small.report.n_left_out == 0
    assert small.report.warnings == ()
    values = float_values(predictor.program, predictor.weights, rows)
    candidates = [build(predictor.program, predictor.weights, values, trial) for trial in TRIALS]
    expected = values[predictor.program.output]
    errors = [np.abs(predict(candidate, rows) - expected).mean() for candidate in candidates]
    chosen = next(c for c, e in zip(candidates, errors, strict=True) if e <= 1.1 * min(errors))
    for found, wanted in zip(constants(small.integers), constants(chosen), strict=True):
        np.testing.assert_array_equal(found.values, wanted.values)


@pytest.mark.slow
@pytest.mark.parametrize("rows", [(1, 1e5, 1), (3, 1e8, None)], ids=str)
def test_mnist(sklearn_data: Path, rows: Any) -> None:
    pytest.importorskip("pandas")
    data = datasets.fetch_openml(
        "mnist_784", version=1, as_frame=False, data_home=str(sklearn_data)
    )
    X, y = data.data.astype(np.float32) / 255, data.target
    layers = [fm.Dense(64, "relu"), fm.Dense(32, "relu"), fm.Dense(10, "softmax")]
    model = fm.Sequential(layers, random_state=0)
    model.fit(X[:20000], y[:20000], epochs=3, verbose=0)
    predictor = model.freeze()
    with pytest.warns(UserWarning, match=f"^{rows[0]} of 1000 calibration rows"):
        small = predictor.quantize(wild(X[:1000], *rows))
    before, after = (np.mean(p.predict_classes(X[60000:]) == y[60000:]) for p in (predictor, small))
    assert before > 0.92
    assert after >= before - 0.005


# What is said


def warnings_of(function: Any) -> list[Any]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function()
    return caught


def network(last: Any = None, hidden: str = "relu", n_features: int = 3) -> Any:
    layers = [fm.Dense(16, hidden), last or fm.Dense(1)]
    return fm.Sequential(layers, backend="numpy", random_state=0).build(n_features)


def normal(n: int = 200, n_features: int = 3) -> Array:
    return np.random.default_rng(0).normal(size=(n, n_features))


def test_the_warning_names_rows_an_example_and_what_to_do(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    rows = normal()
    scaler = preprocessing.StandardScaler().fit(pandas.DataFrame(rows, columns=["a", "b", "c"]))
    rows[17, 1], rows[40, 2] = 1e5, 300.0
    predictor = network().freeze(scaler)
    for call in (
        lambda: predictor.quantize(rows),
        lambda: predictor.export_c(tmp_path / "m.h", quantize="int8", calibration=rows),
    ):
        (warning,) = warnings_of(call)
        text = str(warning.message)
        assert text.startswith(
            "2 of 200 calibration rows lie far beyond the others, such as row 17"
        )
        assert "column 1 ('b') is 1e+05 there, where the others go from -3.9 to 2.55" in text
        assert "Take them out of the calibration where they are mistakes" in text
        assert "logarithm" in text
        assert warning.category is UserWarning
        assert warning.filename == __file__


def test_rows_that_are_far_only_within_the_network() -> None:
    """Where ordinary numbers of three columns come together in one row."""
    rows = normal().clip(-2.0, 2.0)
    rows[7] = 2.0
    model = network(hidden="exp")
    model.parameters["0.weight"][...] = 0.0
    model.parameters["0.weight"][:, 0] = 2.0
    model.parameters["1.weight"][...] = 1.0
    (warning,) = warnings_of(lambda: model.freeze().quantize(rows))
    text = str(warning.message)
    assert text.startswith(
        "1 of 200 calibration rows lies far beyond the others, such as row 7: 0."
    )
    assert "reaches 1.63e+05 there, where the others stay within " in text


def test_many_wild_rows_are_told_by_what_they_cost() -> None:
    predictor, rows, _, _ = trained("digits", "relu")
    rows = wild(rows, 80, 1e5, None)
    (warning,) = warnings_of(lambda: predictor.quantize(rows))
    text = str(warning.message)
    assert "of 400 calibration rows change class in int8, such as row " in text
    assert " in place of " in text
    assert "calibrate with more rows" in text


def test_large_losses_of_numbers_are_told() -> None:
    rows = normal()
    rows[:40] *= 1e5
    (warning,) = warnings_of(lambda: network().freeze().quantize(rows))
    text = str(warning.message)
    assert text.startswith("int8 outputs differ from those in float by ")
    assert " in row " in text
    assert "calibrate with more rows" in text


def test_a_row_that_overflows_in_the_network_is_left_out() -> None:
    predictor = network(hidden="exp").freeze()
    rows = normal()
    rows[5] = 1e6
    (warning,) = warnings_of(lambda: predictor.quantize(rows))
    assert str(warning.message).startswith("1 of 200 calibration rows lies far beyond the others")
    assert "such as row 5: column" in str(warning.message)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        small, clean = predictor.quantize(rows), predictor.quantize(normal())
    assert difference(small, predictor, normal()) < 1.5 * difference(clean, predictor, normal())
    assert small.report.n_left_out == 1
    rows[100:] = 1e6
    with pytest.raises(ValueError, match=r"in 101 of 200 calibration rows, the first being row 5,"):
        predictor.quantize(rows)


def test_all_rows_are_looked_at_for_the_report() -> None:
    """Ranges are taken from some of many rows, but far rows are left out of the report wherever."""
    predictor = network().freeze()
    rows = normal(3 * MAX_ROWS)
    places = np.linspace(0, len(rows) - 1, MAX_ROWS).astype(int)
    others = np.setdiff1d(np.arange(len(rows)), places)
    rows[places[10]], rows[others[20]] = 1e6, -1e6
    with pytest.warns(UserWarning, match=f"such as row {places[10]}: column"):
        small = predictor.quantize(rows)
    assert (small.report.n_left_out, small.report.n_rows) == (2, len(rows) - 2)
    assert small.report.largest_error < 1.0
    assert "without 2 far beyond them" in str(small.report)


@pytest.mark.parametrize("n", [1, 2, 5, 9, 10, 25])
def test_few_rows(n: int) -> None:
    predictor = network().freeze()
    small = predictor.quantize(normal(n))
    assert small.report.n_left_out == 0
    assert small.report.n_rows == n


def test_a_wild_row_among_some_twenty() -> None:
    predictor, rows, X, _ = trained("wine", "relu")
    with pytest.warns(UserWarning, match="1 of 25 calibration rows lies"):
        small = predictor.quantize(wild(rows[:25], 1, 1e5, None))
    assert np.mean(small.predict_classes(X) == predictor.predict_classes(X)) > 0.9


def test_columns_that_hardly_vary_make_no_row_far() -> None:
    """A column that is 1 in one row out of a hundred is usual data."""
    rows = np.zeros((400, 3), "f4")
    rows[:, 0] = normal(400)[:, 0]
    rows[::100, 1] = 1.0
    values: Any = {0: rows, 1: rows[:, 1:2]}
    assert not UsualRows.of(values, 0.01).far(values).any()
    assert network().freeze().quantize(rows).report.n_left_out == 0


def test_how_many_rows_may_be_far() -> None:
    assert [most_far(n, 0.01) for n in (1, 9, 10, 30, 400, 4000)] == [0, 0, 1, 3, 4, 40]


def test_the_command_line_prints_a_note(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    lines = [f"{a:.4f},{b:.4f},{2 * a - b:.4f}" for a, b in normal(120, 2)]
    table = tmp_path / "t.csv"
    table.write_text("\n".join(["a,b,y", *lines]) + "\n")
    out = str(tmp_path / "o")
    assert (
        main(["train", "--data", str(table), "--target", "y", "-e", "5", "--output-dir", out]) == 0
    )
    lines[3] = "1e7,0.1,1.0"
    table.write_text("\n".join(["a,b,y", *lines]) + "\n")
    words = ["export", f"{out}/model.safetensors", "--format", "c-int8", "-o", f"{out}/m.h"]
    capsys.readouterr()
    assert main([*words, "--calibration", str(table)]) == 0
    printed = capsys.readouterr().out
    assert "note: 1 of 120 calibration rows lies far beyond the others, such as row 3" in printed
    assert "column 0 ('a') is 1e+07 there" in printed
    assert not recwarn.list
