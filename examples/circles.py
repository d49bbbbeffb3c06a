"""A ring around a disc, learned one row at a time, beside the same network in PyTorch.

2-8-8-1, relu and sigmoid, Adam whose learning rate of 0.01 shrinks by a thousandth each epoch, 1000
epochs over 800 rows in batches of one: 800,000 updates. PyTorch does 10 epochs unless
``--torch-epochs 1000`` asks for all of them, which takes minutes.

It needs scikit-learn and matplotlib, and PyTorch for the comparison. Run it with
``python examples/circles.py``; it writes ``outputs/circles.png``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import mean, median
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from sklearn import metrics
from sklearn.datasets import make_circles
from sklearn.model_selection import train_test_split

import fastmlp as fm


class Trained(NamedTuple):
    """A trained network: its loss after each epoch, the seconds it took, and what it predicts."""

    losses: list[float]
    seconds: float
    predict: Callable[[Any], Any]


def rows(seed: int) -> list[Any]:
    """X_train, X_test, y_train, y_test."""
    X, y = make_circles(1000, noise=0.1, factor=0.5, random_state=seed)
    return train_test_split(X.astype(np.float32), y, test_size=200, stratify=y, random_state=seed)


def train_fastmlp(X: Any, y: Any, epochs: int, seed: int) -> tuple[Trained, fm.History]:
    """Train with fastmlp."""
    model = fm.Sequential(
        [
            fm.Dense(8, activation="relu"),
            fm.Dense(8, activation="relu"),
            fm.Dense(1, activation="sigmoid"),
        ],
        optimizer=fm.Adam(fm.ExponentialDecay(0.01, 0.999)),
        random_state=seed,
    )
    start = perf_counter()
    history = model.fit(X, y, epochs=epochs, batch_size=1, verbose=0)
    return Trained(history["loss"], perf_counter() - start, model.predict), history


def train_pytorch(X: Any, y: Any, epochs: int, seed: int) -> Trained:
    """Train with PyTorch."""
    import torch

    torch.manual_seed(seed)
    network = torch.nn.Sequential(
        torch.nn.Linear(2, 8),
        torch.nn.ReLU(),
        torch.nn.Linear(8, 8),
        torch.nn.ReLU(),
        torch.nn.Linear(8, 1),
    )
    loss_of = torch.nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.999)
    inputs, targets = torch.from_numpy(X), torch.from_numpy(y.astype(np.float32))[:, None]

    losses = []
    start = perf_counter()
    for _ in range(epochs):
        total = 0.0
        for batch in torch.randperm(len(inputs)).split(1):
            loss = loss_of(network(inputs[batch]), targets[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        schedule.step()
        losses.append(total / len(inputs))
    seconds = perf_counter() - start

    def predict(X: Any) -> Any:
        with torch.inference_mode():
            return torch.sigmoid(network(torch.from_numpy(X))).numpy()

    return Trained(losses, seconds, predict)


def one_row_microseconds(predict: Callable[[Any], Any], X: Any) -> float:
    """Return the median time of predicting one row, from NumPy array to NumPy array."""
    times = []
    for row in range(1000):
        one = X[row % len(X)][np.newaxis]
        start = perf_counter()
        predict(one)
        times.append(perf_counter() - start)
    return 1e6 * median(times)


def report(trained: Trained, split: list[Any]) -> dict[str, str]:
    """Return the lines of the table for one library."""
    X_train, X_test, y_train, y_test = split
    train_guess = trained.predict(X_train)[:, 0] >= 0.5
    guess = trained.predict(X_test)[:, 0] >= 0.5
    train_accuracy = metrics.accuracy_score(y_train, train_guess)
    accuracy = metrics.accuracy_score(y_test, guess)
    epochs = len(trained.losses)
    return {
        "epochs": f"{epochs}",
        "final loss": f"{trained.losses[-1]:.4f}",
        "training time, s": f"{trained.seconds:.2f}",
        "time of an epoch, ms": f"{1e3 * trained.seconds / epochs:.2f}",
        "training accuracy": f"{train_accuracy:.3f}",
        "training error": f"{1 - train_accuracy:.3f}",
        "test accuracy": f"{accuracy:.3f}",
        "test error": f"{1 - accuracy:.3f}",
        "test precision": f"{metrics.precision_score(y_test, guess):.3f}",
        "test recall": f"{metrics.recall_score(y_test, guess):.3f}",
        "test F1": f"{metrics.f1_score(y_test, guess):.3f}",
        "predicting one row, us": f"{one_row_microseconds(trained.predict, X_test):.1f}",
    }


def main() -> None:
    """Train, print the table, draw the curve."""
    parser = argparse.ArgumentParser(description="A ring around a disc, beside PyTorch.")
    parser.add_argument("--epochs", type=int, default=1000, help="default: 1000")
    parser.add_argument("--torch-epochs", type=int, default=10, help="default: 10; 0: no PyTorch")
    parser.add_argument("--seeds", type=int, default=10, help="draws of the data (default: 10)")
    arguments = parser.parse_args()

    split = rows(seed=0)
    X_train, _, y_train, _ = split
    start = perf_counter()
    train_fastmlp(X_train, y_train, epochs=1, seed=0)
    print(f"first epoch of the process, kernels compiled or loaded: {perf_counter() - start:.2f} s")

    trained, history = train_fastmlp(X_train, y_train, arguments.epochs, seed=0)
    columns = {"fastmlp": report(trained, split)}
    if arguments.torch_epochs and find_spec("torch"):
        network = train_pytorch(X_train, y_train, arguments.torch_epochs, seed=0)
        columns["PyTorch"] = report(network, split)
    elif arguments.torch_epochs:
        print("PyTorch is not installed; its column is left out", file=sys.stderr)

    print(f"\n{'':24}" + "".join(f"{name:>10}" for name in columns))
    for line in columns["fastmlp"]:
        print(f"{line:24}" + "".join(f"{column[line]:>10}" for column in columns.values()))

    accuracies = []
    for seed in range(arguments.seeds):
        X_train, X_test, y_train, y_test = rows(seed)
        trained, _ = train_fastmlp(X_train, y_train, arguments.epochs, seed)
        guess = trained.predict(X_test)[:, 0] >= 0.5
        accuracies.append(metrics.accuracy_score(y_test, guess))
    print(
        f"\nfastmlp, {arguments.seeds} draws of the data: test accuracy {mean(accuracies):.4f} on "
        f"average, {min(accuracies):.3f} to {max(accuracies):.3f}"
    )

    path = Path("outputs") / "circles.png"
    path.parent.mkdir(exist_ok=True)
    history.plot(path)
    print(f"written: {path}")


if __name__ == "__main__":
    main()
