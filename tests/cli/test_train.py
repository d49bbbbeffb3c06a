"""The command line, run as its user runs it: words in, files and lines out."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import error_of
from sklearn.model_selection import train_test_split

import fastmlp as fm
from fastmlp import datasets
from fastmlp.cli import main

PNG = b"\x89PNG\r\n\x1a\n"
ARTIFACTS = {
    *("model.safetensors", "metrics.json", "metrics.csv", "history.csv", "predictions.csv"),
    *("learning_curve.png", "response_feature0.png", "response_feature1.png"),
    "confusion_matrix.png",
}
# Small networks, few epochs: what is tested is the path from words to files.
QUICK = ["-e", "3", "-l", "8"]


def train(folder: Path, *words: str) -> dict[str, Any]:
    assert main(["train", "--output-dir", str(folder), *words]) == 0
    (path,) = folder.glob("metrics*.json")
    metrics: dict[str, Any] = json.loads(path.read_text())
    return metrics


def read_csv(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_defaults_on_breast_cancer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    metrics = train(tmp_path, "--dataset", "breast_cancer")
    assert {path.name for path in tmp_path.iterdir()} == ARTIFACTS
    for path in tmp_path.glob("*.png"):
        assert path.read_bytes().startswith(PNG)
    assert metrics["test"]["accuracy"] > 0.92
    assert metrics["training"]["accuracy"] > 0.98
    assert metrics["settings"]["task"] == "classification"
    assert metrics["settings"]["layers"] == [64, 32]
    assert metrics["settings"]["learning_rate"] == 0.01

    printed = capsys.readouterr().out
    assert "30 features, 2 classes, 455 training rows, 114 test rows" in printed
    assert re.search(
        rf"^accuracy +{metrics['training']['accuracy']:.4g} +{metrics['test']['accuracy']:.4g}$",
        printed,
        re.MULTILINE,
    )
    for name in ARTIFACTS:
        assert str(tmp_path / name) in printed


def test_files_agree_with_each_other(tmp_path: Path) -> None:
    metrics = train(tmp_path, "-d", "breast_cancer", *QUICK)
    table = {row["metric"]: row for row in read_csv(tmp_path / "metrics.csv")}
    for part in ("training", "test"):
        matrix = np.array(metrics[part].pop("confusion_matrix"))
        assert matrix.trace() / matrix.sum() == pytest.approx(metrics[part]["accuracy"])
        assert {name: float(row[part]) for name, row in table.items()} == metrics[part]
    assert {"f1", "f1_macro", "f1_weighted", "roc_auc", "log_loss"} < set(table)

    predictions = read_csv(tmp_path / "predictions.csv")
    assert len(predictions) == 114
    y = datasets.load("breast_cancer").y
    assert [int(row["target"]) for row in predictions] == [
        y[int(row["row"])] for row in predictions
    ]
    right = [row["target"] == row["prediction"] for row in predictions]
    assert np.mean(right) == pytest.approx(metrics["test"]["accuracy"], abs=1e-6)
    for row in predictions:
        malignant = float(row["probability_malignant"])
        benign = float(row["probability_benign"])
        assert malignant + benign == pytest.approx(1, abs=1e-6)
        assert int(row["prediction"]) == int(benign >= 0.5)

    history = read_csv(tmp_path / "history.csv")
    assert len(history) == 3
    assert float(history[-1]["val_loss"]) == pytest.approx(metrics["test"]["loss"], rel=1e-5)


def test_the_preparation_is_fitted_on_training_rows(tmp_path: Path) -> None:
    train(tmp_path, "-d", "wine", *QUICK, "--dtype", "float64", "--validation-size", "0.25")
    model = fm.load(tmp_path / "model.safetensors")
    preparation = json.loads(model.metadata["preparation"])
    data = datasets.load("wine")
    columns = preparation["columns"]
    assert tuple(column["name"] for column in columns) == data.feature_names
    assert tuple(preparation["target"]["classes"]) == data.target_names

    test = [int(row["row"]) for row in read_csv(tmp_path / "predictions.csv")]
    others = train_test_split(np.arange(178), test_size=0.2, random_state=42, stratify=data.y)[0]
    training = train_test_split(others, test_size=0.25, random_state=42, stratify=data.y[others])[0]
    assert len(training) == 106
    assert not set(training) & set(test)
    mean, scale = ([column[name] for column in columns] for name in ("mean", "scale"))
    np.testing.assert_allclose(mean, data.X[training].mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(scale, data.X[training].std(axis=0), rtol=1e-12)

    rows = read_csv(tmp_path / "predictions.csv")
    expected = [[float(row[f"probability_{name}"]) for name in data.target_names] for row in rows]
    scaled = (data.X[test] - mean) / scale
    np.testing.assert_allclose(model.predict(scaled), expected, rtol=1e-12)


@pytest.mark.parametrize("name", ["iris", "wine", "digits"])
def test_classification_is_learned_and_split_by_class(name: str, tmp_path: Path) -> None:
    metrics = train(tmp_path, "-d", name, "-e", "30", "-l", "32")
    assert metrics["test"]["accuracy"] > 0.9
    data = datasets.load(name)
    targets = [int(row["target"]) for row in read_csv(tmp_path / "predictions.csv")]
    shares = np.bincount(targets) / np.bincount(data.y)
    np.testing.assert_allclose(shares, 0.2, atol=0.02)


def test_regression_is_learned(tmp_path: Path) -> None:
    metrics = train(tmp_path, "-d", "diabetes", "-wf", "bmi", "8")
    assert metrics["test"]["r2"] > 0.3
    rows = read_csv(tmp_path / "predictions.csv")
    assert list(rows[0]) == ["row", "target", "prediction"]
    errors = [float(row["target"]) - float(row["prediction"]) for row in rows]
    assert np.mean(np.square(errors)) == pytest.approx(metrics["test"]["mse"], rel=1e-5)
    # One output: the three ways to average over outputs agree.
    assert metrics["test"]["r2_raw"] == [pytest.approx(metrics["test"]["r2"])]
    assert metrics["test"]["r2_variance_weighted"] == pytest.approx(metrics["test"]["r2"])
    assert {path.name for path in tmp_path.glob("*.png")} == {
        *("learning_curve.png", "predictions.png"),
        *("response_feature2.png", "response_feature8.png"),
    }


def test_california_housing(tmp_path: Path, sklearn_data: Path) -> None:
    metrics = train(tmp_path, "-d", "california_housing", "-e", "5", "--batch-size", "256")
    assert metrics["test"]["r2"] > 0.6


@pytest.mark.slow
def test_mnist(tmp_path: Path, sklearn_data: Path) -> None:
    metrics = train(tmp_path, "-d", "mnist_784", "-e", "2", "--batch-size", "256", "-lr", "0.001")
    assert metrics["test"]["accuracy"] > 0.94
    assert len(read_csv(tmp_path / "predictions.csv")) == 14000


def test_labels_can_be_learned_as_numbers(tmp_path: Path) -> None:
    metrics = train(tmp_path, "-d", "iris", "-t", "regression", "-e", "30")
    assert metrics["test"]["r2"] > 0.8


SPELLINGS = [
    [
        *("--task", "classification", "--dataset", "breast_cancer", "--layers", "8", "4"),
        *("--activation", "tanh", "--decay_rate", "0.02", "--learning_rate", "0.005"),
        *("--output", "sigmoid", "--weight_init", "glorot", "--epochs", "3"),
        *("--test_size", "0.3", "--seed", "7", "--extension_name", "x"),
        *("--wanted_features", "mean radius", "--show_loss", "--batch_size", "16"),
    ],
    [
        *("-t", "classification", "-d", "breast_cancer", "-l", "8", "4"),
        *("-a", "tanh", "-decay", "0.02", "-lr", "0.005"),
        *("-o", "sigmoid", "-wi", "glorot", "-e", "3"),
        *("-ts", "0.3", "-s", "7", "-en", "x"),
        *("-wf", "0", "--show-loss", "--batch-size", "16"),
    ],
    [
        *("--task=classification", "--dataset=breast_cancer", "--layers", "8", "4"),
        *("--activation=tanh", "--decay-rate=0.02", "--learning-rate=0.005"),
        *("--output=sigmoid", "--weight-init=glorot", "--epochs=3"),
        *("--test-size=0.3", "--seed=7", "--extension-name=x"),
        *("--wanted-features", "mean radius", "--show-loss", "--batch-size=16"),
    ],
]


def test_every_spelling_means_the_same(tmp_path: Path) -> None:
    results = []
    for number, words in enumerate(SPELLINGS):
        folder = tmp_path / str(number)
        metrics = train(folder, *words, "--l1", "0.001", "--l2", "0.01")
        del metrics["timing"]
        for name in ("output_dir", "wanted_features"):
            del metrics["settings"][name]
        results.append(metrics)
        assert {path.name for path in folder.iterdir()} == {
            *("model_x.safetensors", "metrics_x.json", "metrics_x.csv", "history_x.csv"),
            *("predictions_x.csv", "learning_curve_x.png", "response_feature0_x.png"),
            "confusion_matrix_x.png",
        }
    assert results[0] == results[1] == results[2]
    settings = results[0]["settings"]
    assert (settings["l1"], settings["l2"], settings["seed"]) == (0.001, 0.01, 7)
    assert (settings["test_size"], settings["weight_init"]) == (0.3, "glorot")


def test_the_same_seed_gives_the_same_numbers(tmp_path: Path) -> None:
    words = ["-d", "iris", *QUICK, "--dropout", "0.2", "--threads"]
    first = train(tmp_path / "1", *words, "1")
    second = train(tmp_path / "2", *words, "2")
    other = train(tmp_path / "3", *words, "1", "-s", "43")
    assert first["test"] == second["test"]
    assert first["training"] == second["training"]
    assert first["training"]["loss"] != other["training"]["loss"]


def test_decay_rate_divides_the_learning_rate(tmp_path: Path) -> None:
    train(tmp_path, "-d", "iris", *QUICK, "-lr", "0.1", "-decay", "0.5")
    rates = [float(row["learning_rate"]) for row in read_csv(tmp_path / "history.csv")]
    np.testing.assert_allclose(rates, [0.1, 0.1 / 1.5, 0.1 / 1.5**2])


def test_network_options_reach_the_model(tmp_path: Path) -> None:
    words = ["-d", "iris", "-e", "2", "--batch-norm", "--dropout", "0.1", "--backend", "numpy"]
    train(tmp_path, *words, "-l", "5", "6", "-a", "gelu", "--optimizer", "momentum")
    model = fm.load(tmp_path / "model.safetensors")
    assert {name: view.shape for name, view in model.parameters.items() if "weight" in name} == {
        "0.weight": (4, 5),
        "4.weight": (5, 6),
        "8.weight": (6, 3),
    }
    assert set(model.buffers) == {
        *("1.running_mean", "1.running_var", "5.running_mean", "5.running_var")
    }


def test_without_hidden_layers_the_model_is_linear(tmp_path: Path) -> None:
    train(tmp_path, "-d", "iris", "-e", "2", "-l", "-a", "relu")
    model = fm.load(tmp_path / "model.safetensors")
    assert list(model.parameters) == ["0.weight", "0.bias"]


def test_penalties_are_part_of_the_loss(tmp_path: Path) -> None:
    plain = train(tmp_path / "plain", "-d", "iris", *QUICK)
    penalised = train(tmp_path / "l2", "-d", "iris", *QUICK, "--l2", "1")
    assert penalised["test"]["loss"] > plain["test"]["loss"] + 0.1


def test_show_loss_prints_every_tenth_epoch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(tmp_path, "-d", "iris", "-l", "8", "-e", "25", "--show_loss")
    printed = capsys.readouterr()
    numbers = re.findall(r"^epoch (\d+)/25: loss ([\d.e-]+),", printed.out, re.MULTILINE)
    assert [number for number, _ in numbers] == ["10", "20"]
    history = read_csv(tmp_path / "history.csv")
    for number, loss in numbers:
        assert float(loss) == pytest.approx(float(history[int(number) - 1]["loss"]), rel=1e-3)


def test_plain_lines_where_there_is_no_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(tmp_path, "-d", "iris", "-l", "8", "-e", "40")
    printed = capsys.readouterr()
    assert "\r" not in printed.out + printed.err
    assert 5 <= len(re.findall(r"\bloss\b", printed.out + printed.err)) <= 25


def test_a_bar_on_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    train(tmp_path, "-d", "iris", *QUICK)
    assert re.search(r"100%.*loss=", capsys.readouterr().err)


ERRORS = [
    (["train", "-d", "irys"], "unknown dataset 'irys'; did you mean 'iris'"),
    (["train", "-d", "iris", "-a", "rleu"], "did you mean 'relu'"),
    (["train", "-d", "iris", "-wi", "hee"], "did you mean 'he'"),
    (["train", "-d", "iris", "--optimizer", "adan"], "did you mean 'adam'"),
    (["train", "-d", "iris", "-o", "softmix"], "did you mean 'softmax'"),
    (["train", "-d", "iris", "-o", "linear"], "linear"),
    (["train", "-d", "diabetes", "-o", "softmax"], "softmax"),
    (["train", "-d", "diabetes", "-t", "classification"], "use --task regression"),
    (["train", "-d", "iris", "-wf", "petal lenght (cm)"], "did you mean 'petal length (cm)'"),
    (["train", "-d", "iris", "-wf", "4"], "there is no feature 4: they are numbered 0 to 3"),
    (["train", "-d", "iris", "-ts", "1.5"], "-ts/--test_size: value must be"),
    (["train", "-d", "iris", "-ts", "nan"], "-ts/--test_size: value must be"),
    (["train", "-d", "iris", "-e", "0"], "-e/--epochs: value must be an integer >= 1, got 0"),
    (["train", "-d", "iris", "-e", "ten"], "-e/--epochs: 'ten' is not an integer"),
    (["train", "-d", "iris", "-lr", "fast"], "-lr/--learning_rate: 'fast' is not a number"),
    (["train", "-d", "iris", "--l2", "-1"], "--l2: value must be"),
    (["train", "-d", "iris", "-s", "4294967296"], "-s/--seed: value must be"),
    (["train", "-d", "iris", "-en", "../x"], "-en/--extension_name: '../x' cannot be part"),
    (["train", "-d", "iris", "--epohcs", "3"], "unrecognized arguments: --epohcs 3"),
    (["train"], "-d/--dataset"),
    (["trane"], "invalid choice: 'trane'"),
    ([], "COMMAND"),
]


@pytest.mark.parametrize(("words", "part"), ERRORS, ids=[" ".join(words) for words, _ in ERRORS])
def test_errors_are_one_line(
    words: list[str],
    part: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert part in error_of(capsys, *words)
    assert not (tmp_path / "outputs" / "model.safetensors").exists()


def test_a_folder_that_cannot_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken = tmp_path / "file"
    taken.write_text("")
    assert str(taken) in error_of(capsys, "train", "-d", "iris", "--output-dir", str(taken))


def test_data_that_cannot_be_downloaded(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    without_network: None,
) -> None:
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    error = error_of(capsys, "train", "-d", "california_housing", "--output-dir", str(tmp_path))
    assert "cannot be downloaded" in error


@pytest.mark.parametrize("package", ["matplotlib", "pandas", "sklearn", "tqdm"])
def test_a_missing_package_is_named_with_its_extra(
    package: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from importlib import util

    find_spec = util.find_spec
    monkeypatch.setattr(
        util, "find_spec", lambda name: None if name == package else find_spec(name)
    )
    error = error_of(capsys, "train", "-d", "iris", "--output-dir", str(tmp_path))
    assert package.replace("sklearn", "scikit-learn") in error
    assert "pip install 'fastmlp[cli]'" in error


def test_ctrl_c_ends_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(self: object, *_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(fm.Sequential, "fit", interrupt)
    assert main(["train", "-d", "iris", "--output-dir", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "fastmlp: interrupted\n"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--version"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out == f"fastmlp {fm.__version__}\n"


@pytest.mark.parametrize(
    "words", [["--help"], ["train", "--help"], ["predict", "--help"], ["warmup", "--help"]]
)
def test_help_imports_nothing_slow(words: list[str]) -> None:
    program = (
        "import sys\n"
        "from fastmlp.cli import main\n"
        "try:\n"
        f"    main({words!r})\n"
        "finally:\n"
        "    slow = {'llvmlite', 'matplotlib', 'numba', 'pandas', 'scipy', 'sklearn'}\n"
        "    print('imported:', sorted(slow & set(sys.modules)))\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.endswith("imported: []\n")
    assert run.stderr == ""


def test_help_names_every_option_and_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    words = set(text.replace(",", " ").split())
    assert words >= {
        *("-t", "-d", "-l", "-a", "-decay", "-lr", "-o", "-wi", "-e", "-ts", "-s", "-en", "-wf"),
        *("--task", "--dataset", "--layers", "--activation", "--decay_rate", "--learning_rate"),
        *("--l1", "--l2", "--output", "--weight_init", "--epochs", "--test_size", "--seed"),
        *("--extension_name", "--wanted_features", "--show_loss", "--batch_size", "--optimizer"),
        *("--dropout", "--batch_norm", "--backend", "--threads", "--dtype", "--output_dir"),
        *("--data", "--target", "--drop", "--patience", "--clip_value", "--clip_norm"),
        *("--validation_size", "--config", "--log"),
    }
    assert "(default: [64, 32])" in text
    assert "(default: None)" not in text
    assert "==SUPPRESS==" not in text


def test_python_m_fastmlp() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "fastmlp", "--version"], capture_output=True, text=True
    )
    assert (run.returncode, run.stdout) == (0, f"fastmlp {fm.__version__}\n")


@pytest.mark.slow
def test_warmup(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["warmup"]) == 0
    assert re.fullmatch(r"all kernels are compiled \(\d+\.\d s\)\n", capsys.readouterr().out)
