"""What is read of files of models and predictors to be exported, and told of their scales."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import error_of, read_csv
from houses import QUICK, model_of, write
from modules import load_module

import fastmlp as fm
from fastmlp.cli import main


def test_a_data_set_s_classes_have_their_names(tmp_path: Path) -> None:
    """Those of breast_cancer are not in the order of the alphabet."""
    words = ["-d", "breast_cancer", "--output_dir", str(tmp_path), *QUICK[:2], "-e", "2"]
    assert main(["train", *words]) == 0
    path = str(tmp_path / "model.safetensors")
    assert main(["export", path, "--format", "python", "-o", str(tmp_path / "net.py")]) == 0
    module = load_module(tmp_path / "net.py")
    assert module.LABELS.tolist() == ["malignant", "benign"]
    from fastmlp import datasets

    data = datasets.load("breast_cancer")
    right = np.array(["malignant", "benign"])[data.y]
    assert np.mean(module.predict_classes(data.X) == right) > 0.9
    assert module.FEATURES[0] == "mean radius"


def test_files_of_predictors_and_of_models_from_python(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = fm.Sequential([fm.Dense(4, "relu"), fm.Dense(2)], backend="numpy", random_state=0)
    model.build(3)
    model.save(tmp_path / "model.safetensors")
    model.freeze().save(tmp_path / "predictor.safetensors")
    X = np.random.default_rng(0).normal(size=(5, 3))
    for name in ("model", "predictor"):
        out = tmp_path / f"{name}.py"
        words = ["--format", "python", "-o", str(out)]
        assert main(["export", str(tmp_path / f"{name}.safetensors"), *words]) == 0
        printed = capsys.readouterr().out
        assert "inputs: 3 float32 numbers, as the network has read them in training\n" in printed
        assert "outputs: 2 float32 numbers\n" in printed
        np.testing.assert_allclose(load_module(out).predict(X), model.predict(X), rtol=1e-5)

    calibration = tmp_path / "rows.csv"
    rows = [dict(zip("abc", row, strict=True)) for row in X]
    words = ["--format", "c-int8", "--calibration", str(calibration), "-o", str(tmp_path / "m.h")]
    write(calibration, rows)
    assert main(["export", str(tmp_path / "predictor.safetensors"), *words]) == 0
    assert "int8 beside float on 5 rows" in capsys.readouterr().out
    for changed, part in (
        ([{**row, "d": 1} for row in rows], "has 4 columns, but the network reads 3 columns"),
        ([{**row, "b": ""} for row in rows], "the column 'b' has no number in row 0"),
        (
            [{**row, "b": "x"} for row in rows],
            "the column 'b': 5 of 5 cells are no numbers, such as 'x' in line 2",
        ),
    ):
        write(calibration, changed)
        assert part in error_of(capsys, "export", str(tmp_path / "predictor.safetensors"), *words)


def test_columns_far_from_zero_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    rows = [{"far": 4e6 + x, "near": z, "y": x + z} for x, z in rng.normal(size=(80, 2))]
    data = str(write(tmp_path / "t.csv", rows))
    for dtype in ("float32", "float64"):
        words = ["--data", data, "--target", "y", "--dtype", dtype, "--output_dir", str(tmp_path)]
        assert main(["train", *words, *QUICK]) == 0
        capsys.readouterr()
        words = ["--format", "c", "-o", str(tmp_path / "net.h")]
        assert main(["export", str(tmp_path / "model.safetensors"), *words]) == 0
        printed = capsys.readouterr().out
        assert ("few digits left for 'far' (mean 4e+06" in printed) == (dtype == "float32")
        if dtype == "float64":
            assert "  double x[MODEL_N_FEATURES]" in printed


def test_files_that_are_no_models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, words = tmp_path / "m.safetensors", ("--format", "c", "-o", "x")
    assert str(path) in error_of(capsys, "export", str(path), *words)
    path.write_bytes(b"\x00" * 100)
    assert str(path) in error_of(capsys, "export", str(path), *words)
    model = fm.Sequential([fm.Dense(1)], backend="numpy").build(2)
    model.metadata["preparation"] = json.dumps({"version": 0})
    model.save(path)
    assert "damaged preparation" in error_of(capsys, "export", str(path), *words)


def test_scales_beyond_the_range_of_float32(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = fm.load(model_of(folder, "price"), backend="numpy")
    description = json.loads(model.metadata["preparation"])
    description["columns"][1]["scale"] = 1e-60
    model.metadata["preparation"] = json.dumps(description)
    model.save(tmp_path / "m.safetensors")
    shutil.copy(folder / "houses.csv", tmp_path)
    error = error_of(
        capsys, "export", str(tmp_path / "m.safetensors"), "--format=c", "-o", str(tmp_path / "x")
    )
    assert "of the column 'Größe' are beyond the range of float32" in error


def prices(lowest: float) -> list[dict[str, object]]:
    rng = np.random.default_rng(0)
    return [
        {"x": f"{x:.3f}", "kind": kind, "y": max(np.exp(x + (kind == "a")) - 0.3, lowest)}
        for x, kind in zip(rng.normal(size=200), rng.choice(["a", "b"], 200), strict=True)
    ]


@pytest.mark.parametrize("words", [(), ("-l", "8"), ("-l",)], ids=str)
@pytest.mark.parametrize("lowest", [0.0, 0.1])
def test_a_target_learned_in_logarithms(
    words: tuple[str, ...], lowest: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = str(write(tmp_path / "t.csv", prices(lowest)))
    given = ("--data", data, "--target", "y", "--log-target", "--output-dir", str(tmp_path))
    assert main(["train", *given, *QUICK[:4], *words]) == 0
    model = str(tmp_path / "model.safetensors")
    out = tmp_path / "out.csv"
    assert main(["predict", model, "--data", data, "--backend", "numpy", "-o", str(out)]) == 0
    assert main(["export", model, "--format", "python", "-o", str(tmp_path / "net.py")]) == 0
    printed = capsys.readouterr().out
    assert "0  y, in its own units" in printed
    assert "note:" not in printed
    rows = prices(lowest)
    X = [[float(row["x"]), row["kind"] == "a", row["kind"] == "b"] for row in rows]  # type: ignore[arg-type]
    expected = [float(row["prediction"]) for row in read_csv(out)]
    found = load_module(tmp_path / "net.py").predict(np.array(X, np.float32))[:, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert main(["inspect", model, "--no-latency"]) == 0
    learned = "log(y + 1)" if lowest == 0 else "log(y)"
    assert f"learned as ({learned} - " in capsys.readouterr().out
