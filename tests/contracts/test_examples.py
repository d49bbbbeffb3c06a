"""Each example and each notebook runs in a process of its own and does what it says."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from bent_table import BENT, TARGETS, N
from nbclient import NotebookClient
from paths import ROOT

EXAMPLES = ROOT / "examples"
NOTEBOOKS = EXAMPLES / "notebooks"


def run(folder: Path, name: str, *options: str, **environment: str) -> str:
    """Run an example in a folder, where it leaves its files, and return what it prints."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert unexpected(done.stderr) == []
    return done.stdout


def unexpected(stderr: str) -> list[str]:
    """Lines on stderr, but that which tells of compiling."""
    return [line for line in stderr.splitlines() if not line.startswith("fastmlp: compiling ")]


def number(text: str, before: str) -> float:
    """The number that follows these words, spaces apart."""
    found = re.search(re.escape(before) + r"\s+\$?([-+.,e\d]*\d)", text)
    assert found is not None, f"no number after {before!r} in\n{text}"
    return float(found[1].replace(",", ""))


def assert_picture(path: Path) -> None:
    assert path.read_bytes().startswith(b"\x89PNG")


def test_xor(tmp_path: Path) -> None:
    relu, tanh = run(tmp_path, "xor.py").split("tanh: ")

    assert tanh.startswith("10 of 10 seeds solve it")
    assert number(tanh, "each output is within") <= 0.02
    failed = re.findall(r"^  seed \d: .*\n(?:    .*\n)*", relu, re.MULTILINE)
    assert number(relu, "relu:") == 10 - len(failed)
    assert 0 < len(failed) < 10
    # Rows that look the same to the output, and units that the recorder says are dead.
    assert all(re.search(r"all units are 0 on rows \[\d \d", failure) for failure in failed)
    assert sum("relu units are dead" in failure for failure in failed) > len(failed) / 2


def test_six_rows(tmp_path: Path) -> None:
    assert "6 of 6 rows are right" in run(tmp_path, "six_rows.py")


def test_sine(tmp_path: Path) -> None:
    text = run(tmp_path, "sine.py")

    assert number(text, "largest error") < 0.01
    assert_picture(tmp_path / "outputs" / "sine.png")


def test_breast_cancer(tmp_path: Path) -> None:
    text = run(tmp_path, "breast_cancer.py")

    assert number(text, "accuracy") > 0.95
    assert number(text, "roc_auc") > 0.98
    assert "predicts the same: True" in text


@pytest.mark.slow
def test_circles(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    text = run(tmp_path, "circles.py", "--torch-epochs", "2")

    lines = dict(re.findall(r"^(\w[\w ,]*?) {2,}(\d.*)$", text, re.MULTILINE))
    table = {line: [float(value) for value in row.split()] for line, row in lines.items()}
    assert table["epochs"] == [1000, 2]
    for part in ("training", "test"):
        accuracies, errors = table[f"{part} accuracy"], table[f"{part} error"]
        assert [a + b for a, b in zip(accuracies, errors, strict=True)] == pytest.approx([1, 1])
    ours = {line: row[0] for line, row in table.items()}
    assert ours["time of an epoch, ms"] == pytest.approx(ours["training time, s"], abs=0.01)
    precision, recall = ours["test precision"], ours["test recall"]
    f1 = 2 * precision * recall / (precision + recall)
    assert ours["test F1"] == pytest.approx(f1, abs=1e-3)
    assert number(text, "10 draws of the data: test accuracy") >= 0.98
    assert_picture(tmp_path / "outputs" / "circles.png")


@pytest.mark.slow
def test_mnist(tmp_path: Path, sklearn_data: Path) -> None:
    text = run(tmp_path, "mnist.py", "--epochs", "5")

    assert number(text, "\n  accuracy") > 0.975
    assert len(re.findall(r"^  \d taken for \d: \d+ times$", text, re.MULTILINE)) == 3


def test_california(tmp_path: Path, sklearn_data: Path) -> None:
    text = run(tmp_path, "california.py")

    assert number(text, "R2") > 0.78
    assert number(text, "R2") > number(text, "R2 of a linear model") + 0.1


def test_estimators(tmp_path: Path, sklearn_data: Path) -> None:
    text = run(tmp_path, "estimators.py")

    theirs, ours, single = re.findall(r"(\d+) epochs  R2 (\S+)", text)
    assert ours == theirs
    assert float(single[1]) > 0.76
    assert number(text, "in double precision:") < 1e-12


@pytest.mark.parametrize("target", ["large", "price"])
def test_raw_table(tmp_path: Path, target: str) -> None:
    with open(tmp_path / "t.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*BENT, "name", target])
        names = [f"The {place}th" for place in range(N)]
        writer.writerows(zip(*BENT.values(), names, TARGETS[target], strict=True))
    # Threads of the trees wait for each other where other tests take the cores.
    text = run(tmp_path, "raw_table.py", "t.csv", target, OMP_NUM_THREADS="1")

    assert text.startswith("240 rows to learn from, 60 to judge by.")
    assert re.search(r"^rooms +number +\d+ .* missing ones as the median, and a 1$", text, re.M)
    assert "\nthe column 'name' is left out, for it names the rows" in text
    kind = "Regressor" if target == "price" else "Classifier"
    scores = []
    for name in ("Tabular", "HistGradientBoosting"):
        (found,) = re.findall(rf"^{name}{kind} +[\d.]+ s +[\d.]+ s +([\d.]+)$", text, re.M)
        scores.append(float(found))
    assert scores[0] > 0.93
    assert scores[1] > 0.8


@pytest.mark.parametrize("name", ["mnist.py", "california.py", "estimators.py", "raw_table.py"])
def test_absent_data_is_told_in_a_line(tmp_path: Path, name: str) -> None:
    nobody_listens = "http://127.0.0.1:9"
    text = run(
        tmp_path,
        name,
        SCIKIT_LEARN_DATA=str(tmp_path),
        http_proxy=nobody_listens,
        https_proxy=nobody_listens,
    )

    assert text.startswith("skipped: ")
    assert text.count("\n") == 1
    assert str(tmp_path) in text


@pytest.mark.slow
def test_peers_accuracy(tmp_path: Path, tables: Path, sklearn_data: Path) -> None:
    pytest.importorskip("torch")
    text = run(tmp_path, "peers_accuracy.py")

    for name in ("breast_cancer", "california", "adult"):
        (part,) = re.findall(rf"^{name}: .*?(?:\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
        assert "5 splits" in part
        low, high = re.findall(r"(\d\.\d+) to (\d\.\d+)", part)[0]
        assert float(low) <= float(high)
        scores = {library: number(part, library) for library in ("fastmlp", "PyTorch")}
        assert min(scores.values()) > (0.7 if name == "california" else 0.83)
        assert "fastmlp is below" not in part


def test_peers_accuracy_without_data(tmp_path: Path) -> None:
    text = run(tmp_path, "peers_accuracy.py", "--only", "adult", FASTMLP_TEST_DATA=str(tmp_path))

    assert text.startswith(f"\nadult: skipped: {tmp_path}")


def executed(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a notebook prints in a new kernel."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}})
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    streams = [output for output in outputs if output.output_type == "stream"]
    text = {
        name: "".join(output.text for output in streams if output.name == name)
        for name in ("stdout", "stderr")
    }
    assert unexpected(text["stderr"]) == []
    return text["stdout"]


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebook_is_stored_without_outputs(path: Path) -> None:
    notebook: Any = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@pytest.mark.slow
def test_binary_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = executed("binary", tmp_path, monkeypatch)

    assert number(text, "accuracy") > 0.95
    lines = re.findall(r"^ *(0\.\d+) +(\d+) +(\d+)$", text, re.MULTILINE)
    missed = [int(missed) for _, missed, _ in lines]
    alarms = [int(alarms) for *_, alarms in lines]
    assert len(lines) == 3
    assert missed == sorted(missed, reverse=True)
    assert missed[0] > missed[-1]
    assert alarms == sorted(alarms)


@pytest.mark.slow
def test_multiclass_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sklearn_data: Path
) -> None:
    assert number(executed("multiclass", tmp_path, monkeypatch), "\naccuracy") > 0.975


@pytest.mark.slow
def test_regression_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sklearn_data: Path
) -> None:
    text = executed("regression", tmp_path, monkeypatch)

    assert number(text, "\nr2") > 0.77
    assert number(text, "\nr2") > number(text, "r2 of the linear model") + 0.1


@pytest.mark.slow
def test_training_step_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    text = executed("training_step", tmp_path, monkeypatch)

    # The notebook itself holds every number against PyTorch's; this is that it compared them all.
    assert len(re.findall(r"differ by \S+ at most", text)) == 21
    assert len(re.findall(r"differs by \S+ at most", text)) == 6
