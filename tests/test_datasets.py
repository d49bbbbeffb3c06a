"""Each data set has the shape, names and task that its description gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fastmlp import datasets

BUILT_IN = [
    ("breast_cancer", "classification", (569, 30), ("malignant", "benign"), "mean radius"),
    ("digits", "classification", (1797, 64), tuple("0123456789"), "pixel_0_0"),
    (
        "iris",
        "classification",
        (150, 4),
        ("setosa", "versicolor", "virginica"),
        "sepal length (cm)",
    ),
    ("wine", "classification", (178, 13), ("class_0", "class_1", "class_2"), "alcohol"),
    ("diabetes", "regression", (442, 10), (), "age"),
]


@pytest.mark.parametrize(("name", "task", "shape", "target_names", "first"), BUILT_IN)
def test_sets_that_come_with_scikit_learn(
    name: str, task: str, shape: tuple[int, int], target_names: tuple[str, ...], first: str
) -> None:
    data = datasets.load(name)
    assert data.X.shape == shape
    assert data.X.dtype == np.float64
    assert data.y.shape == (shape[0],)
    assert len(data.feature_names) == shape[1]
    assert data.feature_names[0] == first
    assert data.task == task
    assert data.target_names == target_names
    if task == "classification":
        assert np.unique(data.y).tolist() == list(range(len(target_names)))


def test_california_housing(sklearn_data: Path) -> None:
    data = datasets.load("california_housing")
    assert data.X.shape == (20640, 8)
    assert data.y.dtype == np.float64
    assert data.feature_names[:2] == ("MedInc", "HouseAge")
    assert data.target_names == ("MedHouseVal",)
    assert data.task == "regression"


@pytest.mark.slow
def test_mnist(sklearn_data: Path) -> None:
    data = datasets.load("mnist_784")
    assert data.X.shape == (70000, 784)
    assert data.X.dtype == np.float32
    assert (data.X.min(), data.X.max()) == (0, 255)
    # The first labels of the official training set.
    assert data.y[:5].tolist() == ["5", "0", "4", "1", "9"]
    assert data.target_names == tuple("0123456789")
    assert data.feature_names[0] == "pixel1"
    assert data.task == "classification"


def test_names_are_those_that_load_in_any_case() -> None:
    assert {name for name, *_ in BUILT_IN} | {"california_housing", "mnist_784"} == {
        *datasets.NAMES
    }
    assert datasets.load("Iris").X.shape == (150, 4)


def test_unknown_name() -> None:
    with pytest.raises(ValueError, match="unknown dataset 'irys'; did you mean 'iris'"):
        datasets.load("irys")


@pytest.mark.parametrize("name", ["california_housing", "mnist_784"])
def test_neither_stored_nor_to_be_downloaded(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without_network: None
) -> None:
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    with pytest.raises(OSError, match="cannot be downloaded") as caught:
        datasets.load(name)
    message = str(caught.value)
    assert message.startswith(f"dataset {name!r} is not in {tmp_path} ")
    assert "SCIKIT_LEARN_DATA" in message
    assert "\n" not in message
