"""What one network learns in four libraries, side by side.

A network of 64 and 32 relu units, trained with Adam on three tables. Every library gets the same
splits, the same standardized columns, the same number of epochs and the same batch, and draws its
own first weights, by the rule of Glorot and Bengio, and its own order of rows. A linear model shows
what a network adds.

It needs scikit-learn and pandas; PyTorch and Keras are left out where they are not installed.
Adult, census income of the UCI repository, is read from ``adult.csv.gz`` in the folder that the
environment variable FASTMLP_TEST_DATA names. Run it with ``python examples/peers_accuracy.py``.
"""

from __future__ import annotations

import argparse
import os
import warnings
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

import fastmlp as fm
from fastmlp import datasets

LEARNING_RATE = 1e-3


class Problem(NamedTuple):
    """A table, what its target is, and how long to train on it."""

    X: Any
    y: Any
    classes: bool
    epochs: int
    batch_size: int


# Each of the functions below trains on X and y and returns the network's output for X_test: the
# probability of class 1, or the predicted value.


def with_fastmlp(problem: Problem, X: Any, y: Any, X_test: Any, seed: int) -> Any:
    """Dense layers of fastmlp."""
    model = fm.Sequential(
        [
            fm.Dense(64, activation="relu", initializer="glorot"),
            fm.Dense(32, activation="relu", initializer="glorot"),
            fm.Dense(1, activation="sigmoid" if problem.classes else "linear"),
        ],
        optimizer=fm.Adam(LEARNING_RATE),
        random_state=seed,
    )
    model.fit(X, y, epochs=problem.epochs, batch_size=problem.batch_size, verbose=0)
    return model.predict(X_test)[:, 0]


def with_pytorch(problem: Problem, X: Any, y: Any, X_test: Any, seed: int) -> Any:
    """PyTorch's modules, in a loop of one's own."""
    import torch

    torch.manual_seed(seed)
    network = torch.nn.Sequential(
        torch.nn.Linear(X.shape[1], 64),
        torch.nn.ReLU(),
        torch.nn.Linear(64, 32),
        torch.nn.ReLU(),
        torch.nn.Linear(32, 1),
    )
    for layer in network[::2]:
        torch.nn.init.xavier_uniform_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    loss_of = torch.nn.BCEWithLogitsLoss() if problem.classes else torch.nn.MSELoss()
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    inputs, targets = torch.from_numpy(X), torch.from_numpy(y)[:, None]
    for _ in range(problem.epochs):
        for batch in torch.randperm(len(inputs)).split(problem.batch_size):
            loss = loss_of(network(inputs[batch]), targets[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.inference_mode():
        output = network(torch.from_numpy(X_test))[:, 0]
        return (torch.sigmoid(output) if problem.classes else output).numpy()


def with_keras(problem: Problem, X: Any, y: Any, X_test: Any, seed: int) -> Any:
    """Keras, on the backend that is installed."""
    import keras

    keras.utils.set_random_seed(seed)
    network = keras.Sequential(
        [
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid" if problem.classes else "linear"),
        ]
    )
    network.compile(
        optimizer=keras.optimizers.Adam(LEARNING_RATE),
        loss="binary_crossentropy" if problem.classes else "mean_squared_error",
    )
    network.fit(X, y, epochs=problem.epochs, batch_size=problem.batch_size, verbose=0)
    return network.predict(X_test, batch_size=1024, verbose=0)[:, 0]


def with_sklearn(problem: Problem, X: Any, y: Any, X_test: Any, seed: int) -> Any:
    """scikit-learn's estimators, without their penalty and without stopping early."""
    arguments = {
        "hidden_layer_sizes": (64, 32),
        "alpha": 0.0,
        "batch_size": problem.batch_size,
        "learning_rate_init": LEARNING_RATE,
        "max_iter": problem.epochs,
        "n_iter_no_change": problem.epochs,
        "random_state": seed,
    }
    with warnings.catch_warnings():
        # That all the epochs that were asked for have been done.
        warnings.simplefilter("ignore", ConvergenceWarning)
        if problem.classes:
            return MLPClassifier(**arguments).fit(X, y).predict_proba(X_test)[:, 1]
        return MLPRegressor(**arguments).fit(X, y).predict(X_test)


def with_linear(problem: Problem, X: Any, y: Any, X_test: Any, seed: int) -> Any:
    """Logistic or linear regression."""
    if problem.classes:
        return LogisticRegression(max_iter=1000).fit(X, y).predict_proba(X_test)[:, 1]
    return LinearRegression().fit(X, y).predict(X_test)


def networks() -> dict[str, Any]:
    """Return the libraries that are installed."""
    found = {"fastmlp": with_fastmlp}
    if find_spec("torch"):
        found["PyTorch"] = with_pytorch
    backend = next((name for name in ("jax", "torch", "tensorflow") if find_spec(name)), None)
    if find_spec("keras") and backend:
        os.environ.setdefault("KERAS_BACKEND", backend)
        found["Keras"] = with_keras
    found["scikit-learn"] = with_sklearn
    return found


def adult() -> Problem:
    """Return persons of a census, and who earns more than 50,000 dollars a year."""
    import pandas as pd

    path = Path(os.environ.get("FASTMLP_TEST_DATA", "")) / "adult.csv.gz"
    if not path.is_file():
        raise OSError(f"{path} is not there; set FASTMLP_TEST_DATA to the folder that holds it")
    table = pd.read_csv(path).drop(columns="split")
    y = (table.pop("income") == ">50K").to_numpy()
    return Problem(pd.get_dummies(table).to_numpy(), y, True, epochs=5, batch_size=256)


def breast_cancer() -> Problem:
    """Return measures of tumor cells, and which tumors are benign."""
    data = datasets.load("breast_cancer")
    return Problem(data.X, data.y, True, epochs=30, batch_size=32)


def california() -> Problem:
    """Return districts of California, and what a house costs there in 100,000 dollars."""
    data = datasets.load("california_housing")
    return Problem(data.X, data.y, False, epochs=15, batch_size=128)


PROBLEMS = {"breast_cancer": breast_cancer, "california": california, "adult": adult}


def compare(name: str, problem: Problem, seeds: int) -> None:
    """Train every library on every split and print a table."""
    measure = "accuracy" if problem.classes else "R2"
    compared = {**networks(), "linear model": with_linear}
    scores: dict[str, list[float]] = {library: [] for library in compared}
    seconds: dict[str, list[float]] = {library: [] for library in compared}
    for seed in range(seeds):
        X, X_test, y, y_test = train_test_split(
            problem.X.astype(np.float64),
            problem.y.astype(np.float32),
            test_size=0.2,
            stratify=problem.y if problem.classes else None,
            random_state=seed,
        )
        scaler = StandardScaler().fit(X)
        # A few districts of California lie up to 190 standard deviations out: what a network makes
        # of those is chance, and they would outweigh all others.
        X, X_test = (
            scaler.transform(part).clip(-10, 10).astype(np.float32) for part in (X, X_test)
        )
        for library, train in compared.items():
            start = perf_counter()
            output = train(problem, X, y, X_test, seed)
            seconds[library].append(perf_counter() - start)
            if problem.classes:
                scores[library].append(accuracy_score(y_test, output >= 0.5))
            else:
                scores[library].append(r2_score(y_test, output))

    rows, columns = problem.X.shape
    print(
        f"\n{name}: {rows} rows, {columns} columns, {problem.epochs} epochs in batches of "
        f"{problem.batch_size}, {seeds} splits"
    )
    print(f"  {'':13} {measure:>8}   spread   fastest fit, s")
    for library in compared:
        print(
            f"  {library:13} {np.mean(scores[library]):8.4f} {np.std(scores[library]):8.4f} "
            f"{min(seconds[library]):16.2f}"
        )
    peers = [scores[library] for library in networks() if library != "fastmlp"]
    low = min(np.mean(peer) - np.std(peer) for peer in peers)
    high = max(np.mean(peer) + np.std(peer) for peer in peers)
    ours = np.mean(scores["fastmlp"])
    place = "below" if ours < low else "above" if ours > high else "within"
    print(f"  fastmlp is {place} the spread of the other networks, {low:.4f} to {high:.4f}")


def main() -> None:
    """Compare on each table that is there."""
    parser = argparse.ArgumentParser(description="The accuracy of one network in four libraries.")
    parser.add_argument("--seeds", type=int, default=5, help="splits of each table (default: 5)")
    parser.add_argument(
        "--only", choices=PROBLEMS, nargs="+", default=list(PROBLEMS), help="default: all"
    )
    arguments = parser.parse_args()
    for name in arguments.only:
        try:
            problem = PROBLEMS[name]()
        except OSError as error:
            print(f"\n{name}: skipped: {error}")
            continue
        compare(name, problem, arguments.seeds)


if __name__ == "__main__":
    main()
