"""Fits that write checkpoints, until they are killed: ``python -m tests.soak.children.fits``."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from architectures import random_run

import fastmlp as fm
from fastmlp.declarations.optimizers import OPTIMIZERS

EPOCHS, ROUNDS = 30, 12


class Fit:
    """One that is told by its number: the network, its rows, and how it goes."""

    def __init__(self, number: int) -> None:
        rng = random.Random(number)
        self.backend = "numpy" if number % 4 == 3 else "numba"
        self.dtype, self.n_threads = rng.choice(["float32", "float64"]), rng.choice([1, 2, 3])
        self.stops = number % 3 == 0
        self._chunks = number % 5 == 1
        if self._chunks or self.stops:
            self._rows_of_noise(number, rng)
        else:
            self._random_network(number)

    def _rows_of_noise(self, number: int, rng: random.Random) -> None:
        draw = np.random.default_rng(number)
        x = draw.normal(size=(300, 6))
        y = (x[:, 0] + draw.normal(size=300) > 0).astype(int)
        names = sorted(OPTIMIZERS)
        self._layers: list[Any] = [
            *(fm.Dense(16, "tanh"), fm.BatchNorm(), fm.Dropout(0.2), fm.Dense(8, "relu")),
            fm.Dense(1, "sigmoid"),
        ]
        self._made = {"optimizer": names[number % len(names)]}
        self.again = {"validation_data": (x[:80], y[:80])} if self.stops else {}
        self.rest: dict[str, Any] = {"batch_size": rng.choice([16, 50])}
        if self._chunks:
            self.rows: tuple[Any, ...] = ([(x[80:150], y[80:150]), (x[150:], y[150:])],)
        else:
            self.rows = x[80:], y[80:]

    def _random_network(self, number: int) -> None:
        run = random_run(number % 100)
        self._layers, self._made = run.layers, {"loss": run.loss, "optimizer": run.optimizer}
        self.rows = run.X, run.y
        names = "validation_data", "sample_weight", "class_weight"
        self.again = {name: value for name, value in run.fit.items() if name in names}
        self.rest = {name: value for name, value in run.fit.items() if name not in names}

    def model(self) -> fm.Sequential:
        """The network before its fit."""
        how: dict[str, Any] = {"backend": self.backend, "dtype": self.dtype}
        return fm.Sequential(
            self._layers, **self._made, **how, n_threads=self.n_threads, random_state=7
        )

    def callbacks(self) -> list[fm.Callback]:
        """Those that are given again."""
        return [fm.EarlyStopping(patience=3)] if self.stops else []

    def run(self, *callbacks: fm.Callback) -> fm.Sequential:
        """The whole fit."""
        model = self.model()
        fit = {**self.rest, **self.again, "epochs": EPOCHS, "verbose": 0}
        model.fit(*self.rows, callbacks=[*callbacks, *self.callbacks()], **fit)
        return model

    def resume(self, path: Path) -> fm.Sequential:
        """The rest of it."""
        how: dict[str, Any] = {"backend": self.backend, "n_threads": self.n_threads}
        return fm.resume(
            path, *self.rows, callbacks=self.callbacks(), verbose=0, **self.again, **how
        )


class Rounds:
    """Fits of an estimator by `warm_start`, one after the other, written between any two."""

    def __init__(self, number: int) -> None:
        rng = np.random.default_rng(number)
        self._x = rng.normal(size=(200, 5))
        self._y = (self._x[:, 0] + rng.normal(size=200) > 0).astype(int)
        solver = ("sgd", "adam", "lbfgs")[number % 3]
        made = fm.MLPRegressor if number % 2 else fm.MLPClassifier
        early = bool(number % 4 < 2) and solver != "lbfgs"
        arguments: dict[str, Any] = {"max_iter": 3, "warm_start": True, "random_state": number}
        self._new = lambda: made((16, 8), solver=solver, early_stopping=early, **arguments)

    def run(self, path: Path | None = None) -> Any:
        """Those that are left, and all where nothing was written yet."""
        done, estimator = 0, self._new()
        if path is not None and path.exists():
            done, estimator = joblib.load(path)
        for number in range(done, ROUNDS):
            if path is not None:
                tell()
            estimator.fit(self._x, self._y)
            if path is not None:
                joblib.dump((number + 1, estimator), f"{path}.new")
                os.replace(f"{path}.new", path)
        return estimator


def main(kind: str, number: str, path: str) -> None:
    """Fit."""
    import warnings

    warnings.simplefilter("ignore")
    work = Fit(int(number)) if kind == "fit" else Rounds(int(number))
    if isinstance(work, Fit):
        work.run(fm.ModelCheckpoint(path), fm.LambdaCallback(on_epoch_begin=tell))
    else:
        work.run(Path(path))


def tell(*_: object) -> None:
    """One more epoch, or fit, begins: kills are counted by them, whatever the load."""
    print("begun", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
