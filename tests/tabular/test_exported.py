"""Estimators as predictors and programs, and their files on the command line."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bent_table import BENT
from bent_table import TARGETS as BENT_TARGETS
from c_harness import compile_header
from commands import read_csv
from framed_houses import HOUSES, dear, price
from modules import load_module

import fastmlp as fm
from fastmlp.cli import main

pytestmark = pytest.mark.filterwarnings("ignore::fastmlp.TableWarning")
TARGETS = {"dear": dear(), "price": price(), "kind": [str(kind) for kind in HOUSES["kind"]]}
COLUMNS = {name: values for name, values in HOUSES.items() if name != "kind"}


@pytest.fixture(scope="module", params=[(n, t) for n in (1, 3) for t in TARGETS], ids=str)
def model(request: pytest.FixtureRequest) -> Any:
    n_members, target = request.param
    kind = fm.TabularRegressor if target == "price" else fm.TabularClassifier
    model = kind(preset="fast", n_members=n_members, random_state=0, eval_metric=None)
    pandas = pytest.importorskip("pandas")
    return model.fit(COLUMNS, pandas.Series(TARGETS[target], name=target))


@pytest.fixture(scope="module", params=BENT_TARGETS)
def default(request: pytest.FixtureRequest) -> Any:
    """The network of the default preset, not what it was held against."""
    pandas = pytest.importorskip("pandas")
    kind = fm.TabularRegressor if request.param == "price" else fm.TabularClassifier
    y = pandas.Series(BENT_TARGETS[request.param], name=request.param)
    model = kind(random_state=0).fit(BENT, y)
    assert model.best_epoch_ > 0
    assert model.score(BENT, y) > 0.95
    return model


def outputs(model: Any, X: Any) -> np.ndarray:
    """What an exported program should say."""
    if isinstance(model, fm.TabularRegressor):
        return model.predict(X)[:, None]
    found: np.ndarray = model.predict_proba(X)
    return found[:, 1:] if found.shape[1] == 2 else found


def close(found: Any, model: Any, X: Any = COLUMNS) -> None:
    expected = outputs(model, X)
    np.testing.assert_allclose(found, expected, atol=2e-5 * np.abs(expected).max())


def test_a_predictor_takes_the_columns_as_they_stand(model: Any) -> None:
    rows = model.encode(COLUMNS)
    predictor = model.freeze()
    assert rows.shape == (300, predictor.n_features)
    assert rows[0, predictor.feature_names.index("size")] == 103.8
    close(predictor(rows), model)
    if isinstance(model, fm.TabularClassifier):
        assert predictor.classes.tolist() == model.classes_.tolist()
        same = predictor.predict_classes(rows) == model.predict(COLUMNS)
        assert same.mean() > 0.99


def test_freeze_takes_it_like_a_pipeline(model: Any) -> None:
    rows = model.encode(COLUMNS)
    np.testing.assert_array_equal(fm.freeze(model)(rows), model.freeze()(rows))


def check_programs(model: Any, X: Any, folder: Path) -> None:
    """Hold the programs of all languages against the model."""
    rows = model.encode(X).astype(np.float32)
    model.export_c(folder / "model.h", prefix="model")
    found, codes = compile_header(folder / "model.h")(rows)
    assert not codes.any()
    close(found, model, X)
    model.export_python(folder / "model.py")
    close(load_module(folder / "model.py").predict(rows), model, X)
    runtime = pytest.importorskip("onnxruntime")
    model.export_onnx(folder / "model.onnx")
    session = runtime.InferenceSession(folder / "model.onnx")
    close(session.run(None, {"X": rows})[0], model, X)


def test_programs(model: Any, tmp_path: Path) -> None:
    check_programs(model, COLUMNS, tmp_path)


def test_programs_of_the_default(default: Any, tmp_path: Path) -> None:
    close(default.freeze()(default.encode(BENT)), default, BENT)
    check_programs(default, BENT, tmp_path)


def test_the_default_in_a_file(default: Any, tmp_path: Path) -> None:
    default.save(tmp_path / "model.safetensors")
    back = fm.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(outputs(back, BENT), outputs(default, BENT))
    assert back.best_epoch_ == default.best_epoch_


def test_the_command_line_reads_its_file(
    model: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, data = str(tmp_path / "m.safetensors"), str(tmp_path / "t.csv")
    model.save(path)
    name = model.schema_.target.name
    columns = {**COLUMNS, name: TARGETS[name]}
    with open(data, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    assert main(["predict", path, "--data", data, "-o", str(tmp_path / "p.csv")]) == 0
    written = [row["prediction"] for row in read_csv(tmp_path / "p.csv")]
    expected = model.predict(COLUMNS)
    if isinstance(model, fm.TabularRegressor):
        np.testing.assert_allclose(np.array(written, float), expected, rtol=1e-6)
    else:
        assert np.mean(written == expected.astype(str)) > 0.99
    metrics = tmp_path / "metrics.json"
    assert main(["evaluate", path, "--data", data, "-o", str(metrics)]) == 0
    present = [place for place, value in enumerate(TARGETS[name]) if value is not None]
    y = np.array(TARGETS[name], object)[present]
    rows = {key: [values[place] for place in present] for key, values in COLUMNS.items()}
    found = json.loads(metrics.read_text())["r2" if name == "price" else "accuracy"]
    assert found == pytest.approx(model.score(rows, y), abs=0.01)
    assert main(["inspect", path, "--no-latency"]) == 0
    assert main(["export", path, "--format", "c", "-o", str(tmp_path / "m.h")]) == 0
    printed = capsys.readouterr().out
    assert "as in the table; what training did to them is part of the network" in printed
    assert ("3 networks, whose outputs are averaged" in printed) == (len(model.members_) == 3)


def test_lost_digits_are_told() -> None:
    rng = np.random.default_rng(0)
    X = 1e6 + rng.normal(size=(80, 1))
    model = fm.TabularRegressor("fast", random_state=0).fit(X, X[:, 0])
    with pytest.warns(UserWarning, match="float32 has few digits left for 'column_0'"):
        model.export_python(Path("/dev/null"))


@pytest.mark.parametrize("n_members", [1, 2])
def test_numbers_that_are_learned_in_logarithms(n_members: int) -> None:
    model = fm.TabularRegressor(preset="fast", n_members=n_members, random_state=0)
    model.fit(COLUMNS, np.sin(np.arange(300)))
    target = replace(model._model.preparation.target, log=True)
    preparation = replace(model._model.preparation, target=target)
    model._model = replace(model._model, preparation=preparation)
    close(model.freeze()(model.encode(COLUMNS)), model)
